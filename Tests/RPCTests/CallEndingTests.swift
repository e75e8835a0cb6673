import Testing

@testable import RPC

@Suite struct CallEndingTests {
  static let error = RPCError(.aborted, "no", metadata: Metadata(["x-error": "e"]))

  func ending(
    _ family: CallForm.Family, _ trailing: Metadata = Metadata(), headLimit: Int = .max
  ) -> CallEnding {
    CallEnding(
      form: family == .grpc ? .plain : CallForm(family, contentType: "x"), trailing: trailing,
      headLimit: headLimit)
  }

  /// What goes out, as text: the head's status, the pieces of the body, the trailers' status.
  func text(_ answer: CallEnding.Answer) -> String {
    func status(_ fields: HeaderFields) -> String {
      "\(fields.first(":status") ?? "-")/\(fields.first("grpc-status") ?? "-")"
    }
    func head(_ head: ResponseHead) -> String {
      switch head {
      case .grpc: "grpc"
      case .fields(let fields): status(fields)
      }
    }
    func end(_ trailers: ResponseTrailers) -> String {
      switch trailers {
      case .grpcOK: "ok"
      case .fields(let fields): status(fields)
      case .none: "none"
      }
    }
    switch answer {
    case .whole(let first, let body, let trailers):
      return "whole \(head(first)) \(body.count) \(end(trailers))"
    case .rest(let first, let pieces, let trailers):
      return "rest \(first.map(head) ?? "-") \(pieces.map(\.count)) \(end(trailers))"
    }
  }

  @Test("One message is answered at once by gRPC, and after its head when that was sent")
  func message() {
    #expect(text(ending(.grpc).succeeded([0, 0, 0, 0, 0], headIsSent: false)) == "whole grpc 5 ok")
    #expect(text(ending(.grpc).succeeded([0, 0, 0, 0, 0], headIsSent: true)) == "rest - [5] ok")
    #expect(text(ending(.grpc).succeeded(nil, headIsSent: true)) == "rest - [] ok")
    #expect(text(ending(.grpc).succeeded(nil, headIsSent: false)) == "rest grpc [] ok")
  }

  @Test("The trailers of gRPC-Web and of Connect's streams are the last piece of the body")
  func lastPiece() {
    let web = text(ending(.grpcWeb).succeeded([1, 2, 3], headIsSent: false))
    #expect(web.hasPrefix("rest 200/- [3, ") && web.hasSuffix(" none"))
    let connect = text(ending(.connectStreaming).succeeded(nil, headIsSent: true))
    #expect(connect.hasPrefix("rest - [") && connect.hasSuffix(" none"))
  }

  @Test("Connect's unary answer is the message without the byte that says whether it is compressed")
  func connectUnary() {
    #expect(
      text(ending(.connectUnary).succeeded([0, 7, 7], headIsSent: false)) == "whole 200/- 2 none")
  }

  @Test("An error before the head is the whole answer, and after the head its trailers")
  func failed() {
    #expect(text(ending(.grpc).failed(Self.error, headIsSent: false)) == "whole 200/10 0 none")
    #expect(text(ending(.grpc).failed(Self.error, headIsSent: true)) == "rest - [] -/10")
    #expect(
      text(ending(.connectUnary).failed(Self.error, headIsSent: false)).hasPrefix("whole 409/- "))
  }

  @Test("A status is sent without what is beside its code when the client takes no more")
  func large() {
    let much = Metadata(["x": String(repeating: "x", count: 1000)])
    var error = Self.error
    error.metadata = much
    for headIsSent in [false, true] {
      let answer = text(ending(.grpc, headLimit: 500).failed(error, headIsSent: headIsSent))
      #expect(answer.hasSuffix(headIsSent ? "-/10" : "whole 200/10 0 none"))
    }
    // The message could not be told from one that arrived whole: the call fails.
    let answer = text(ending(.grpc, much, headLimit: 500).succeeded([0], headIsSent: false))
    #expect(answer == "whole 200/8 0 none")
    #expect(
      text(ending(.grpc, much, headLimit: 500).succeeded(nil, headIsSent: true)) == "rest - [] -/8")
  }
}
