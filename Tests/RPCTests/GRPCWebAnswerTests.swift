import RPC
import RPCTransport
import Testing

/// What the client makes of gRPC-Web as other servers and proxies write it (PROTOCOL-WEB.md).
@Suite struct GRPCWebAnswerTests {
  private static let head: ScriptedChannel.Step = .head([
    ":status": "200", "content-type": "application/grpc-web+proto", "x-head": "h",
  ])

  private func client(
    _ steps: [ScriptedChannel.Step], form: ClientForm = ClientForm(.grpcWeb)
  ) -> RPCClient { RPCClient(ScriptedChannel(steps), form: form) }

  private func trailers(_ text: String) -> [UInt8] { Array(text.utf8).enveloped(flags: 0x80) }

  private func failure(
    _ steps: [ScriptedChannel.Step], form: ClientForm = ClientForm(.grpcWeb)
  ) async -> RPCError? {
    await #expect(throws: RPCError.self) {
      try await client(steps, form: form).unary(Echo.unary, [])
    }
  }

  @Test("The message and the trailers are found wherever the body is cut")
  func everyCut() async throws {
    let body =
      [1, 2, 3].enveloped() + trailers("Grpc-Status: 0\r\ngrpc-message:fine\r\nx-after: a: b\r\n")
    for cut in 0...body.count {
      let client = client([
        Self.head, .body(Array(body[..<cut])), .body(Array(body[cut...]), isLast: true),
      ])
      let answer = try await client.unaryResponse(Echo.unary, [])
      #expect(answer.message == [1, 2, 3])
      #expect(answer.initialMetadata["x-head"] == "h")
      #expect(answer.trailingMetadata["x-after"] == "a: b")
    }
    let bytes = [Self.head] + body.map { .body([$0]) }
    #expect(try await client(bytes).unary(Echo.unary, []) == [1, 2, 3])
  }

  @Test("A stream ends with the status of its trailers, after every message")
  func stream() async throws {
    let body =
      [1].enveloped() + [2].enveloped()
      + trailers("grpc-status:10\r\ngrpc-message:half%20way\r\n")
    var seen: [[UInt8]] = []
    let error = await #expect(throws: RPCError.self) {
      try await client([Self.head, .body(body, isLast: true)]).serverStreaming(Echo.count, []) {
        for try await message in $0 { seen.append(message) }
      }
    }
    #expect(seen == [[1], [2]])
    #expect(error?.code == .aborted && error?.message == "half way")
  }

  @Test("A status in the head counts, with or without an empty body behind it")
  func statusInHead() async throws {
    let fields: KeyValuePairs = [
      ":status": "200", "content-type": "application/grpc-web+proto", "grpc-status": "5",
      "grpc-message": "no such thing", "x-own": "y",
    ]
    for steps: [ScriptedChannel.Step] in [
      [.head(fields, isLast: true)], [.head(fields), .body([], isLast: true)], [.head(fields)],
    ] {
      let error = await failure(steps)
      #expect(error?.code == .notFound && error?.message == "no such thing")
      #expect(error?.metadata["x-own"] == "y")
    }
  }

  @Test("Compressed trailers are read when the encoding is named, and refused when it is not")
  func compressedTrailers() async throws {
    let form = ClientForm(.grpcWeb, acceptedCompressions: .standard)
    let text = Array("grpc-status: 0\r\nx-after: packed\r\n".utf8)
    let body = [7].enveloped() + (try ZlibCompression.gzip.compress(text)).enveloped(flags: 0x81)
    let named: ScriptedChannel.Step = .head([
      ":status": "200", "content-type": "application/grpc-web+proto", "grpc-encoding": "gzip",
    ])
    let answer = try await client([named, .body(body, isLast: true)], form: form)
      .unaryResponse(Echo.unary, [])
    #expect(answer.message == [7])
    #expect(answer.trailingMetadata["x-after"] == "packed")
    #expect(
      await failure([Self.head, .body(body, isLast: true)], form: form)?.code == .internalError)
    #expect(await failure([named, .body(body, isLast: true)])?.code == .internalError)
  }

  @Test("A body that ends early is INTERNAL: in a prefix, in a message, or without trailers")
  func truncated() async throws {
    let whole = [1, 2, 3].enveloped() + trailers("grpc-status: 0\r\n")
    for count in 0..<whole.count {
      let error = await failure([Self.head, .body(Array(whole[..<count]), isLast: true)])
      #expect(error?.code == .internalError, "cut after \(count) bytes")
    }
    let statusless = whole[..<8] + trailers("x-after: yes\r\n")
    #expect(
      await failure([Self.head, .body(Array(statusless), isLast: true)])?.code == .internalError)
  }

  @Test("Nothing may follow the trailers; what comes in a later piece is not looked at")
  func afterTrailers() async throws {
    let whole = [1].enveloped() + trailers("grpc-status: 0\r\n")
    let error = await failure([Self.head, .body(whole + [2].enveloped(), isLast: true)])
    #expect(error?.code == .internalError)
    let later = client([Self.head, .body(whole), .body([2].enveloped(), isLast: true)])
    #expect(try await later.unary(Echo.unary, []) == [1])
  }

  @Test("A proxy's answer is mapped by its HTTP status, or told by its content type")
  func proxies() async throws {
    let unavailable = await failure([
      .head([":status": "503", "content-type": "text/html"]), .body([60], isLast: true),
    ])
    #expect(unavailable?.code == .unavailable)
    let page = await failure([
      .head([":status": "200", "content-type": "text/html"]), .body([60], isLast: true),
    ])
    #expect(page?.code == .unknown)
    #expect(page?.message.contains("text/html") == true)
    let grpc = await failure([
      .head([":status": "200", "content-type": "application/grpc"]), .body([], isLast: true),
    ])
    #expect(grpc?.code == .unknown)
  }
}
