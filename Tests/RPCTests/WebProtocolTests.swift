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
    let head = try await send("/t.S/Check", [:], method: "HEAD")
    #expect(head.status == 405 && head.body.isEmpty)
  }

  // MARK: Encodings

  static let text = RPC.Method<[UInt8], [UInt8]>(
    service: "t.S", name: "Text", kind: .unary, idempotency: .noSideEffects, request: .bytes,
    response: .bytes)
  static let texts = RPC.Method<[UInt8], [UInt8]>(
    service: "t.S", name: "Texts", kind: .serverStreaming, request: .bytes, response: .bytes)

  /// Answers with what is worth compressing.
  static func compressible() -> HTTPClient {
    var router = ServiceRouter(compressions: .standard)
    let long = [UInt8](repeating: 7, count: 4000)
    router.handle(text) { (_: [UInt8], _) in long }
    router.handle(texts) { (_: [UInt8], writer: ResponseWriter<[UInt8]>, _) in
      try await writer.write(long)
    }
    return HTTPClient(InProcessChannel(router))
  }

  private func encoding(
    _ field: StaticString, _ path: String, _ fields: [(String, String)], body: [UInt8] = [],
    method: String = "POST"
  ) async throws -> String? {
    var all = HeaderFields()
    for (name, value) in fields { all.append(name, value) }
    let response = try await Self.compressible().send(
      HTTPRequest(method: method, path: path, fields: all, body: body), timeout: .seconds(5))
    #expect(response.status == 200)
    return response.fields.first(field)
  }

  @Test(
    "A unary answer is compressed as the client likes best, and not at all where it says so",
    arguments: [
      ("gzip", "gzip"), ("deflate, gzip", "deflate"), ("deflate;q=0.5, gzip;q=0.8", "gzip"),
      ("gzip;q=0", nil), ("deflate, gzip;q=0", "deflate"), ("br, gzip", "gzip"), ("br", nil),
      ("identity, gzip", "gzip"), ("identity, gzip;q=0.5", nil), ("", nil),
      ("gzip;q=1.0;x", "gzip"),
    ] as [(String, String?)])
  func preferred(_ accepted: String, _ chosen: String?) async throws {
    let fields = [("content-type", "application/proto"), ("accept-encoding", accepted)]
    #expect(try await encoding("content-encoding", "/t.S/Text", fields) == chosen)
  }

  @Test("What an HTTP client accepts is no word about a protocol's own encodings")
  func ownEncodings() async throws {
    let stream = [("content-type", "application/connect+proto")]
    let empty = [UInt8]().enveloped()
    let name: StaticString = "connect-content-encoding"
    let browsers = stream + [("accept-encoding", "gzip, deflate, br")]
    #expect(try await encoding(name, "/t.S/Texts", browsers, body: empty) == nil)
    let own = browsers + [("connect-accept-encoding", "gzip")]
    #expect(try await encoding(name, "/t.S/Texts", own, body: empty) == "gzip")
    let unary = [("content-type", "application/proto"), ("connect-accept-encoding", "gzip")]
    #expect(try await encoding("content-encoding", "/t.S/Text", unary) == nil)
    // gRPC and Connect's streams know nothing of content-encoding.
    let grpc = [("content-type", "application/grpc"), ("content-encoding", "br")]
    #expect(try await encoding("grpc-encoding", "/t.S/Text", grpc, body: empty) == nil)
    let streamed = stream + [("content-encoding", "br")]
    #expect(try await encoding(name, "/t.S/Texts", streamed, body: empty) == nil)
  }

  @Test("A gRPC client that compresses and says what it takes is not answered otherwise")
  func grpcAccepted() async throws {
    let compressed = try ZlibCompression.gzip.compress([1, 2, 3]).enveloped(flags: 1)
    let fields = [("content-type", "application/grpc"), ("grpc-encoding", "gzip")]
    for (accepted, chosen) in [
      ("identity", nil), ("identity, deflate", nil), ("identity,deflate,gzip", "gzip"),
    ] as [(String, String?)] {
      for order in [false, true] {
        let own = [("grpc-accept-encoding", accepted)]
        let all = order ? own + fields : fields + own
        #expect(
          try await encoding("grpc-encoding", "/t.S/Text", all, body: compressed) == chosen)
      }
    }
    #expect(try await encoding("grpc-encoding", "/t.S/Text", fields, body: compressed) == "gzip")
  }

  @Test("Caches are told on what a GET's answer depends")
  func vary() async throws {
    let path = "/t.S/Text?connect=v1&encoding=proto&message="
    #expect(try await encoding("vary", path, [], method: "GET") == "accept-encoding")
  }

  @Test("What other methods of HTTP are told is true of the method that they name")
  func allowed() async throws {
    for (path, status, allow) in [
      ("/t.S/Check", 405, "POST, GET"), ("/t.S/List", 405, "POST"), ("/t.S/None", 404, nil),
    ] as [(String, Int, String?)] {
      let response = try await send(path, [:], method: "PUT")
      #expect(response.status == status && response.fields.first("allow") == allow, "\(path)")
    }
  }

  @Test(
    "Flags that no protocol defines are refused, and so are a client's trailers",
    arguments: [UInt8(0x02), 0x04, 0x40, 0x80, 0x82, 0xff])
  func flags(_ flags: UInt8) async throws {
    let body = [UInt8]().enveloped(flags: flags)
    for type in ["application/grpc", "application/grpc-web", "application/connect+proto"] {
      let isStream = type.hasPrefix("application/connect")
      let response = try await send(
        isStream ? "/t.S/List" : "/t.S/Check", ["content-type": type], body)
      let text = String(decoding: response.body, as: UTF8.self)
      switch type {
      case "application/grpc": #expect(response.fields.first("grpc-status") == "13")
      case "application/grpc-web": #expect(text.contains("grpc-status: 13"), "\(text)")
      default: #expect(text.contains("invalid_argument"), "\(text)")
      }
    }
  }

  @Test("A plain HTTP client is not stopped while it sends what is refused")
  func refusedWhileSending() async throws {
    var router = ServiceRouter(compressions: .standard)
    router.limits.requestMessageBytes = 1000
    router.handle(Self.text) { (_: [UInt8], _) in [] }
    let json = ("content-type", "application/json")
    // As HPACK has them: by index, in Huffman's code, as they stand.
    let cases: [(String, [(String, String)], [UInt8])] = [
      ("/t.S/None", [json], [0x8d]), ("/t.S/Text", [json, ("connect-timeout-ms", "x")], [0x8c]),
      ("/t.S/Text", [json, ("content-encoding", "br")], [0x6c, 0x01]),
      ("/t.S/Text", [json], Array("429".utf8)),
    ]
    for (path, fields, status) in cases {
      try await withServer(router) { socket, _ in
        let connection = try RawConnection(socket)
        let head = RawConnection.fields(
          [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "x")] + fields)
        connection.send(
          HostileFrameTests.hello + RawConnection.frame(1, flags: 4, stream: 1, head))
        let piece = [UInt8](repeating: 0x20, count: 10_000)
        for _ in 0..<4 {
          connection.send(RawConnection.frame(0, flags: 0, stream: 1, piece))
          try await Task.sleep(for: .milliseconds(10))
        }
        connection.send(RawConnection.frame(0, flags: 1, stream: 1, [0x7d]))
        // END_STREAM of the answer, and no RST_STREAM before it.
        let answer = connection.frames { $0.type == 0 && $0.flags & 1 == 1 }
        #expect(!answer.contains { $0.type == 3 }, "\(path) \(status)")
        let heads = answer.filter { $0.type == 1 }.flatMap(\.payload)
        #expect(
          heads.indices.contains { heads[$0...].starts(with: status) }, "\(path) \(status)")
      }
    }
  }
}
