import RPC
import RPCTransport
import Testing

/// What a client may put into `:authority`.
@Suite struct AuthorityTests {
  static let odd: [String?] = [
    nil, "", "/run/omnid/omnid.sock", "%2Frun%2Fomnid%2Fomnid.sock", "a b", "[", "localhost",
    "//run/omnid/omnid.sock", "unix:/run/omnid/omnid.sock", "[::]:50051", "omnid",
  ]

  static func send(_ connection: RawConnection, _ authority: String?) -> [RawConnection.Frame] {
    var fields = [
      (":method", "POST"), (":scheme", "http"), (":path", "/test.Echo/Unary"),
      ("content-type", "application/grpc"), ("te", "trailers"),
    ]
    if let authority { fields.insert((":authority", authority), at: 3) }
    connection.send(
      HostileFrameTests.hello
        + RawConnection.frame(1, flags: 4, stream: 1, RawConnection.fields(fields))
        + RawConnection.frame(0, flags: 1, stream: 1, [0, 0, 0, 0, 1, 7]))
    return connection.frames { $0.type == 3 || $0.type == 1 && $0.flags & 1 != 0 }
  }

  @Test("On a Unix socket it names nothing, so anything will do", arguments: odd)
  func unix(authority: String?) async throws {
    try await withServer(Echo.router()) { path, _ in
      let answer = try RawConnection.answer(Self.send(try RawConnection(path), authority))
      #expect(answer.fields["grpc-status"] == "0")
      #expect(answer.body == [0, 0, 0, 0, 1, 7])
    }
  }

  @Test(
    "Over TCP the rules of HTTP/2 hold",
    arguments: [nil, "", "/run/omnid/omnid.sock", "a b"] as [String?])
  func tcp(authority: String?) async throws {
    try await withServer(Echo.router()) { _, server in
      let port = try await server.listen(plaintext: "127.0.0.1", port: 0)
      let reset = Self.send(try RawConnection(port: port), authority).last
      #expect(reset?.type == 3 && reset?.payload == [0, 0, 0, 1])
    }
  }

  @Test("On a Unix socket the other rules of HTTP/2 hold as they do over TCP")
  func otherRules() async throws {
    let start = [(":method", "POST"), (":scheme", "http"), (":path", "/test.Echo/Unary")]
    let bad: [[(String, String)]] = [
      start + [("connection", "close")], start + [("te", "gzip")], start + [("Upper", "x")],
      start + [(":path", "/x")], start + [("x", "y"), (":authority", "x")],
      Array(start.dropFirst()),
      start + [("content-length", "2")],
    ]
    try await withServer(Echo.router()) { path, server in
      let port = try await server.listen(plaintext: "127.0.0.1", port: 0)
      for connection in [try RawConnection(path), try RawConnection(port: port)] {
        connection.send(HostileFrameTests.hello)
        for (index, fields) in bad.enumerated() {
          let id = UInt32(2 * index + 1)
          connection.send(
            RawConnection.frame(
              1, flags: 4, stream: id,
              RawConnection.fields(fields + [("content-type", "application/grpc")]))
              + RawConnection.frame(0, flags: 1, stream: id, [0, 0, 0, 0, 1, 7]))
          let reset = connection.frames { $0.type == 3 }.last
          #expect(reset?.type == 3 && reset?.payload == [0, 0, 0, 1], "\(fields)")
        }
      }
    }
  }
}
