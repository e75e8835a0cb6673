import RPCTransport
import Testing

@testable import RPC

@Suite struct ResponseReaderTests {
  func reader(
    _ form: ClientForm = .grpc, _ kind: MethodKind = .serverStreaming, limit: Int = 100
  ) -> ResponseReader {
    ResponseReader(form: form, kind: kind, limit: limit)
  }

  static func head(_ type: String, _ more: KeyValuePairs<String, String> = [:]) -> HeaderFields {
    var fields = HeaderFields([":status": "200", "content-type": type])
    for (name, value) in more { fields.append(name, value) }
    return fields
  }

  func code(_ body: () throws(RPCError) -> Void) -> StatusCode? {
    do throws(RPCError) {
      try body()
      return nil
    } catch { return error.code }
  }

  @Test("Messages come out whole, whatever pieces they come in", arguments: [1, 2, 5, 100])
  func pieces(_ size: Int) throws {
    var reader = reader()
    #expect(try reader.head(Self.head("application/grpc", ["x": "y"]))["x"] == "y")
    let bytes = [1, 2, 3].enveloped() + [].enveloped() + [9].enveloped()
    var messages: [[UInt8]] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      let end = min(bytes.count, start + size)
      messages += try reader.body(bytes.span.extracting(start..<end))
    }
    #expect(messages == [[1, 2, 3], [], [9]])
    #expect(reader.status == nil)
    #expect(reader.trailers(HeaderFields(["grpc-status": "0"])).code == .ok)
  }

  @Test("A response of another protocol or format is refused, and an HTTP error has its code")
  func otherHeads() {
    func code(_ fields: HeaderFields, _ form: ClientForm = .grpc) -> StatusCode? {
      var reader = reader(form)
      return self.code { () throws(RPCError) in _ = try reader.head(fields) }
    }
    #expect(code(Self.head("application/grpc+proto")) == nil)
    #expect(code(Self.head("application/grpc+json")) == .unknown)
    #expect(code(Self.head("text/html")) == .unknown)
    #expect(code(Self.head("application/grpc"), ClientForm(.grpcWeb)) == .unknown)
    #expect(code(Self.head("application/connect+json"), ClientForm(.connect)) == .internalError)
    #expect(code(HeaderFields([":status": "503"])) == .unavailable)
    #expect(code(HeaderFields([":status": "401"])) == .unauthenticated)
    #expect(code(Self.head("application/grpc", ["grpc-encoding": "br"])) == .internalError)
  }

  @Test("A body that breaks a rule is refused")
  func badBodies() throws {
    func code(_ bytes: [UInt8], _ form: ClientForm = .grpc, limit: Int = 100) throws -> StatusCode?
    {
      var reader = reader(form, limit: limit)
      let type = form.wireProtocol == .connect ? "application/connect+proto" : "application/grpc"
      _ = try reader.head(Self.head(type))
      return self.code { () throws(RPCError) in _ = try reader.body(bytes.span) }
    }
    #expect(try code([1].enveloped()) == nil)
    #expect(try code([1].enveloped(flags: 1)) == .internalError)
    #expect(try code([1].enveloped(flags: 0x80)) == .internalError)
    #expect(try code([1, 2, 3].enveloped(), limit: 2) == .resourceExhausted)
    let end = Array("{}".utf8).enveloped(flags: 2)
    #expect(try code(end, ClientForm(.connect)) == nil)
    #expect(try code(end + [1].enveloped(), ClientForm(.connect)) == .internalError)
  }

  @Test("A response that ends in the middle of a message, or without a status, says so")
  func incomplete() throws {
    var half = reader()
    _ = try half.head(Self.head("application/grpc"))
    let bytes = Array([1, 2].enveloped().dropLast())
    _ = try half.body(bytes.span)
    #expect(half.trailers(HeaderFields(["grpc-status": "0"])).code == .internalError)
    var silent = reader()
    _ = try silent.head(Self.head("application/grpc"))
    #expect(silent.end().1.code == .internalError)
    #expect(silent.trailers(HeaderFields([:])).code == .internalError)
  }

  @Test("gRPC-Web's trailers are the last piece of the body")
  func webTrailers() throws {
    var reader = reader(ClientForm(.grpcWeb))
    _ = try reader.head(Self.head("application/grpc-web+proto"))
    let trailers = Array("grpc-status: 5\r\nGrpc-Message: no%20such\r\nx-t: 1\r\n".utf8)
    let bytes = [1].enveloped() + trailers.enveloped(flags: 0x80)
    #expect(try reader.body(bytes.span) == [[1]])
    let status = try #require(reader.status)
    #expect(status.code == .notFound && status.message == "no such")
    #expect(status.metadata["x-t"] == "1")
    #expect(reader.end().1 == status)
  }

  @Test("Connect's end of a stream holds the error and the trailing metadata")
  func connectEnd() throws {
    var reader = reader(ClientForm(.connect))
    _ = try reader.head(Self.head("application/connect+proto"))
    let end = #"{"error":{"code":"not_found","message":"no"},"metadata":{"X-T":["1"]}}"#
    let bytes = Array(end.utf8).enveloped(flags: 2)
    #expect(try reader.body(bytes.span) == [])
    let status = try #require(reader.status)
    #expect(status.code == .notFound && status.message == "no" && status.metadata["x-t"] == "1")
  }

  @Test("Connect's unary answer is its body, and its trailers are fields with a prefix")
  func connectUnary() throws {
    var reader = reader(ClientForm(.connect), .unary)
    let metadata = try reader.head(Self.head("application/proto", ["x": "y", "trailer-x-t": "1"]))
    #expect(metadata["x"] == "y" && metadata["trailer-x-t"] == nil)
    let body: [UInt8] = [1, 2, 3]
    #expect(try reader.body(body.span) == [])
    let (message, status) = reader.end()
    #expect(message == [1, 2, 3] && status.code == .ok && status.metadata["x-t"] == "1")
  }

  @Test("A Connect error without JSON has the code of its HTTP status")
  func connectErrors() throws {
    for (body, code) in [
      (#"{"code":"aborted"}"#, StatusCode.aborted), ("{}", .unavailable),
      ("not json", .unavailable),
    ] {
      var reader = reader(ClientForm(.connect), .unary)
      _ = try reader.head(HeaderFields([":status": "503", "content-type": "application/json"]))
      _ = try reader.body(Array(body.utf8).span)
      #expect(reader.end().1.code == code, "\(body)")
    }
  }

  @Test("A reader for the same call begins anew")
  func copy() throws {
    var first = reader()
    _ = try first.head(Self.head("application/grpc", ["x": "y"]))
    let half = Array([1, 2].enveloped().dropLast())
    _ = try first.body(half.span)
    var second = ResponseReader(copying: first)
    #expect(second.headMetadata["x"] == nil)
    _ = try second.head(Self.head("application/grpc"))
    #expect(try second.body([3].enveloped().span) == [[3]])
  }
}
