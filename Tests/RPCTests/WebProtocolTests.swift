import RPC
import RPCTransport
import Schema
import Testing

/// Connect and gRPC-Web on the same handlers as gRPC, as plain HTTP sees them.
@Suite struct WebProtocolTests {
  static let check = RPC.Method<GRPCHealth.HealthCheckRequest, GRPCHealth.HealthCheckResponse>(
    service: "t.S", name: "Check", kind: .unary, idempotency: .noSideEffects)
  static let list = RPC.Method<GRPCHealth.HealthCheckRequest, GRPCHealth.HealthCheckRequest>(
    service: "t.S", name: "List", kind: .serverStreaming)

  static func router() -> ServiceRouter {
    var router = ServiceRouter(compressions: .standard)
    router.cors = CORSPolicy(allowedOrigins: ["https://page.example"])
    router.handle(check) { (request: GRPCHealth.HealthCheckRequest, call) in
      if request.service == "none" {
        throw RPCError(
          .notFound, "no \"such\" service",
          details: [StatusDetail(typeURL: "type.googleapis.com/a.B", value: [255])])
      }
      call.addTrailingMetadata(Metadata(["x-after": "yes"]))
      var response = GRPCHealth.HealthCheckResponse()
      response.status = .serving
      return response
    }
    router.handle(list) {
      (
        request: GRPCHealth.HealthCheckRequest,
        writer: ResponseWriter<GRPCHealth.HealthCheckRequest>, call
      ) in
      for i in 0..<3 {
        var message = GRPCHealth.HealthCheckRequest()
        message.service = request.service + "\(i)"
        try await writer.write(message)
      }
      if request.service == "fail" { throw RPCError(.aborted, "half way") }
    }
    return router
  }

  let client = HTTPClient(InProcessChannel(router()))

  func send(
    _ path: String, _ fields: KeyValuePairs<String, String>, _ body: [UInt8] = [],
    method: String = "POST"
  ) async throws -> HTTPResponse {
    try await client.send(
      HTTPRequest(method: method, path: path, fields: HeaderFields(fields), body: body),
      timeout: .seconds(5))
  }

  @Test("A JSON POST is answered with JSON")
  func connectUnary() async throws {
    let response = try await send(
      "/t.S/Check", ["content-type": "application/json"], Array(#"{"service":"a"}"#.utf8))
    #expect(response.status == 200)
    #expect(response.fields.first("content-type") == "application/json")
    #expect(response.fields.first("trailer-x-after") == "yes")
    #expect(String(decoding: response.body, as: UTF8.self) == #"{"status":"SERVING"}"#)
  }

  @Test("An error is an HTTP status and a JSON body with code, message and details")
  func connectError() async throws {
    let response = try await send(
      "/t.S/Check", ["content-type": "application/json"], Array(#"{"service":"none"}"#.utf8))
    #expect(response.status == 404)
    #expect(
      String(decoding: response.body, as: UTF8.self)
        == #"{"code":"not_found","message":"no \"such\" service","details":[{"type":"a.B","value":"/w"}]}"#
    )
  }

  @Test("A method without side effects answers GET")
  func connectGet() async throws {
    let response = try await send(
      "/t.S/Check?connect=v1&encoding=json&message=%7B%22service%22%3A%22a%22%7D", [:],
      method: "GET")
    #expect(response.status == 200)
    #expect(String(decoding: response.body, as: UTF8.self) == #"{"status":"SERVING"}"#)
    let base64 = try await send(
      "/t.S/Check?connect=v1&encoding=proto&base64=1&message=CgFh", [:], method: "GET")
    #expect(base64.body == [8, 1])
    let streaming = try await send(
      "/t.S/List?connect=v1&encoding=json&message=%7B%7D", [:], method: "GET")
    #expect(streaming.status == 405)
  }

  @Test("A Connect stream is envelopes, the last of which ends it with the error")
  func connectStream() async throws {
    let request = Array(#"{"service":"fail"}"#.utf8)
    let response = try await send(
      "/t.S/List", ["content-type": "application/connect+json"],
      [0, 0, 0, 0, UInt8(request.count)] + request)
    #expect(response.status == 200)
    let text = String(decoding: response.body, as: UTF8.self)
    #expect(text.contains(#"{"service":"fail0"}"#) && text.contains(#"{"service":"fail2"}"#))
    #expect(text.hasSuffix(#"{"error":{"code":"aborted","message":"half way"}}"#))
  }

  @Test("gRPC-Web carries the status in the last frame of the body")
  func grpcWeb() async throws {
    let response = try await send(
      "/t.S/Check", ["content-type": "application/grpc-web+proto"], [0, 0, 0, 0, 0])
    #expect(response.fields.first("content-type") == "application/grpc-web+proto")
    #expect(Array(response.body.prefix(8)) == [0, 0, 0, 0, 2, 8, 1, 0x80])
    let end = String(decoding: response.body.dropFirst(12), as: UTF8.self)
    #expect(end == "grpc-status: 0\r\nx-after: yes\r\n")
  }

  @Test("gRPC-Web-Text is the same in base64")
  func grpcWebText() async throws {
    let response = try await send(
      "/t.S/Check", ["content-type": "application/grpc-web-text"], Array("AAAAAAA=".utf8))
    #expect(String(decoding: response.body, as: UTF8.self).hasPrefix("AAAAAAIIAQ=="))
    // Each frame, or each part of one, may be padded for itself.
    for body in ["AAAAAAM=CgFh", "AA==AAAAAwoBYQ=="] {
      let padded = try await send(
        "/t.S/Check", ["content-type": "application/grpc-web-text+proto"], Array(body.utf8))
      #expect(
        String(decoding: padded.body, as: UTF8.self).hasPrefix("AAAAAAIIAQ=="), "\(body)")
    }
    for body in ["AAAAAAM=CgF", "AAAAA", "!!!!"] {
      let malformed = try await send(
        "/t.S/Check", ["content-type": "application/grpc-web-text"], Array(body.utf8))
      let end = malformed.body.split(separator: UInt8(ascii: "=")).first.map(Array.init) ?? []
      #expect(!String(decoding: end, as: UTF8.self).hasPrefix("AAAAAAIIAQ"), "\(body)")
    }
  }

  @Test("A page of an allowed origin may call, another may not")
  func cors() async throws {
    let preflight = try await send(
      "/t.S/Check",
      [
        "origin": "https://page.example", "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-own",
      ], method: "OPTIONS")
    #expect(preflight.status == 204)
    #expect(preflight.fields.first("access-control-allow-origin") == "https://page.example")
    #expect(preflight.fields.first("access-control-allow-headers") == "content-type,x-own")
    let refused = try await send(
      "/t.S/Check", ["origin": "https://evil.example"], method: "OPTIONS")
    #expect(refused.fields.first("access-control-allow-origin") == nil)
    let call = try await send(
      "/t.S/Check", ["content-type": "application/json", "origin": "https://page.example"],
      Array("{}".utf8))
    #expect(call.fields.first("access-control-allow-origin") == "https://page.example")
  }

  @Test("A compressed request is answered compressed where it pays, and a bomb is refused")
  func compression() async throws {
    let long = String(repeating: "a", count: 5000)
    let json = Array(#"{"service":"\#(long)"}"#.utf8)
    let response = try await send(
      "/t.S/Check", ["content-type": "application/json", "content-encoding": "gzip"],
      try ZlibCompression.gzip.compress(json))
    #expect(response.status == 200)
    let bomb = try ZlibCompression.gzip.compress([UInt8](repeating: 0x20, count: 64 << 20))
    let refused = try await send(
      "/t.S/Check", ["content-type": "application/json", "content-encoding": "gzip"], bomb)
    #expect(refused.status == 429)
    let unknown = try await send(
      "/t.S/Check", ["content-type": "application/json", "content-encoding": "br"], json)
    #expect(unknown.status == 501)
  }

  @Test("What is no RPC at all is refused by the book")
  func refusals() async throws {
    #expect(try await send("/t.S/Check", ["content-type": "text/plain"]).status == 415)
    #expect(
      try await send("/t.S/Check", ["content-type": "application/json"], method: "PUT").status
        == 405)
    #expect(try await send("/t.S/None", ["content-type": "application/json"]).status == 404)
    let malformed = try await send(
      "/t.S/Check", ["content-type": "application/json"], Array("{".utf8))
    #expect(malformed.status == 400)
  }

  @Test("What is no RPC gets an answer that a person can read, and HEAD none of it")
  func refusalTexts() async throws {
    let type = try await send("/t.S/Check", ["content-type": "text/plain"], [1, 2, 3])
    #expect(type.status == 415)
    #expect(type.fields.first("content-type") == "text/plain; charset=utf-8")
    #expect(String(decoding: type.body, as: UTF8.self).contains("application/grpc, "))
    let home = try await send("/", [:], method: "GET")
    #expect(home.status == 404)
    #expect(String(decoding: home.body, as: UTF8.self).contains("/package.Service/Method"))
    #expect(home.fields.first("content-length") == String(home.body.count))
    let method = try await send("/t.S/List", [:], method: "GET")
    #expect(method.status == 405 && !method.body.isEmpty)
    let head = try await send("/", [:], method: "HEAD")
    #expect(head.status == 405 && head.body.isEmpty)
  }
}
