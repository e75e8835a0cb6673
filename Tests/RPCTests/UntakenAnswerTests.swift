import Crypto
import RPC
import RPCTransport
import Testing

/// Peers that ask and do not take the answers: what the server keeps for them, and for how long.
@Suite(.serialized, .timeLimit(.minutes(2))) struct UntakenAnswerTests {
  private static let pageBytes = 64 << 10

  /// Answers every path with the same page.
  private struct Pages: HTTPHandler {
    func respond(to request: HTTPRequest, peer: Peer) async -> HTTPResponse {
      HTTPResponse(status: 200, body: [UInt8](repeating: 7, count: pageBytes))
    }
  }

  private static func router() -> ServiceRouter {
    var router = Echo.router()
    router.handle(Echo.method("Large", .unary)) { (_: [UInt8], _) in
      [UInt8](repeating: 1, count: 100 << 10)
    }
    router.resources = Pages()
    return router
  }

  /// SETTINGS_INITIAL_WINDOW_SIZE.
  private static func window(_ bytes: UInt32) -> [UInt8] {
    RawConnection.frame(
      4, flags: 0, stream: 0,
      [0, 4] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: bytes >> $0) })
  }

  /// Credit for the connection, as much as there may be.
  private static let credit = RawConnection.frame(8, flags: 0, stream: 0, [0x7f, 0xff, 0, 0])

  private static func get(_ stream: UInt32, isWhole: Bool = true) -> [UInt8] {
    RawConnection.frame(
      1, flags: isWhole ? 5 : 4, stream: stream,
      RawConnection.fields([
        (":method", "GET"), (":scheme", "http"), (":path", "/page"), (":authority", "x"),
      ]))
  }

  private static func call(_ name: String, _ stream: UInt32) -> [UInt8] {
    RawConnection.frame(1, flags: 4, stream: stream, HostileFrameTests.call(name))
      + RawConnection.frame(0, flags: 1, stream: stream, [0, 0, 0, 0, 1, 7])
  }

  /// A peer that asks for `count` pages, and may be sent all of them.
  private static func asker(_ path: String, pages count: Int) throws -> RawConnection {
    let connection = try RawConnection(path)
    connection.send(
      RawConnection.preface + window(.max >> 1) + credit
        + (0..<count).flatMap { get(UInt32(2 * $0 + 1)) })
    return connection
  }

  private static func configuration(
    stall: Duration, drainStall: Duration = .milliseconds(200)
  ) -> ServerConfiguration {
    var configuration = ServerConfiguration()
    configuration.stallTimeout = stall
    configuration.drainStallTimeout = drainStall
    return configuration
  }

  private static func hasEnded(_ server: RPCServer) async throws -> Bool {
    for _ in 0..<1500 where server.connectionCount > 0 {
      try await Task.sleep(for: .milliseconds(10))
    }
    return server.connectionCount == 0
  }

  @Test("A peer that reads nothing of its answers is closed after a time")
  func stalled() async throws {
    let reports = NewcomerTests.Reports()
    try await withServer(
      Self.router(), configuration: Self.configuration(stall: .milliseconds(600)),
      report: reports.add
    ) { path, server in
      let connection = try Self.asker(path, pages: 40)
      for _ in 0..<500 where server.connectionCount == 0 {
        try await Task.sleep(for: .milliseconds(1))
      }
      #expect(server.connectionCount == 1)
      #expect(try await Self.hasEnded(server))
      #expect(
        reports.of(.stalled).map(\.reason) == ["the peer reads nothing of what is sent to it"])
      #expect(server.connectionTroubles == [.stalled: 1])
      withExtendedLifetime(connection) {}
    }
  }

  @Test("A drain ends the connection of a peer that reads nothing")
  func drained() async throws {
    try await withServer(
      Self.router(), configuration: Self.configuration(stall: .seconds(60))
    ) { path, server in
      let connection = try Self.asker(path, pages: 40)
      try await Task.sleep(for: .milliseconds(600))
      #expect(server.connectionCount == 1)
      server.drainConnections { _ in true }
      #expect(try await Self.hasEnded(server))
      withExtendedLifetime(connection) {}
    }
  }

  @Test("A peer that reads slowly gets everything, however long that takes")
  func slow() async throws {
    try await withServer(
      Self.router(), configuration: Self.configuration(stall: .milliseconds(600))
    ) { path, server in
      let connection = try RawConnection(path)
      connection.send(
        RawConnection.preface + Self.window(.max >> 1) + Self.credit
          + (0..<25).flatMap { Self.call("Large", UInt32(2 * $0 + 1)) })
      var read = 0
      for _ in 0..<200 where read < 25 * (100 << 10) {
        try await Task.sleep(for: .milliseconds(60))
        let piece = connection.readOnce().count
        if piece == 0 { break }
        read += piece
      }
      #expect(read >= 25 * (100 << 10))
      #expect(server.connectionCount == 1)
    }
  }

  @Test("A page for which its peer gives no credit is taken back, and the connection goes on")
  func page() async throws {
    let reports = NewcomerTests.Reports()
    try await withServer(
      Self.router(), configuration: Self.configuration(stall: .milliseconds(600)),
      report: reports.add
    ) { path, server in
      let connection = try RawConnection(path)
      connection.send(RawConnection.preface + Self.window(0) + Self.get(1))
      let frames = connection.frames { $0.type == 3 }
      // CANCEL
      #expect(frames.last?.type == 3 && frames.last?.payload == [0, 0, 0, 8])
      #expect(server.connectionCount == 1)
      #expect(
        reports.of(.answerUntaken).map(\.reason) == ["the client has not taken a page in time"])
      connection.send(
        RawConnection.frame(8, flags: 0, stream: 0, [0, 0, 0xff, 0xff]) + Self.window(65535)
          + Self.call("Unary", 3))
      let answer = try RawConnection.answer(connection.frames { $0.flags & 1 != 0 && $0.type < 2 })
      #expect(answer.fields["grpc-status"] == "0")
    }
  }

  @Test(
    "The answer of a call waits for its caller, and does not keep a drained connection for ever")
  func call() async throws {
    try await withServer(
      Self.router(), configuration: Self.configuration(stall: .milliseconds(600))
    ) { path, server in
      let connection = try RawConnection(path)
      connection.send(RawConnection.preface + Self.window(0) + Self.call("Unary", 1))
      try await Task.sleep(for: .milliseconds(1500))
      connection.send(RawConnection.frame(6, flags: 0, stream: 0, [1, 2, 3, 4, 5, 6, 7, 8]))
      let frames = connection.frames { $0.type == 6 }
      #expect(frames.last?.type == 6 && !frames.contains { $0.type == 3 })
      server.drainConnections { _ in true }
      #expect(try await Self.hasEnded(server))
    }
  }

  @Test("A GET that does not end is answered all the same after some seconds")
  func unended() async throws {
    try await withServer(Self.router()) { path, _ in
      let connection = try RawConnection(path)
      connection.send(HostileFrameTests.hello + Self.get(1, isWhole: false))
      try await Task.sleep(for: .milliseconds(5300))
      let frames = connection.frames { $0.type == 0 && $0.flags & 1 != 0 }
      #expect(frames.contains { $0.type == 1 })
      #expect(frames.last?.type == 0)
    }
  }

  // MARK: - Strangers

  /// Serves over TLS clients with and without a certificate.
  private static func listen(_ server: RPCServer) async throws -> (port: Int, stranger: TLSContext)
  {
    let authority = try Authority.generate(.kubernetes, now: TestTLS.now())
    let identity = try authority.issue(
      LeafRequest(
        organizations: ["server"], ipAddresses: ["127.0.0.1"], usages: [.server], validity: 3600),
      now: TestTLS.now())
    let tls = try TLSContext(
      TLSConfiguration(
        role: .server, identity: identity, trustRoots: [authority.certificate],
        peerVerification: .optional, alpn: ["h2"], minimumVersion: .tls12, maximumVersion: .tls13))
    let port = try await server.listen(host: "127.0.0.1", port: 0) { tls }
    return (port, try TestTLS.client(of: nil, trusting: [authority]))
  }

  @Test("A stranger's GET that does not end does not keep the stranger's connection")
  func strangersIdle() async throws {
    var configuration = ServerConfiguration()
    configuration.maxAnonymousIdle = .milliseconds(500)
    // The page is a byte longer than the credit that streams begin with.
    configuration.drainStallTimeout = .milliseconds(200)
    try await withServer(Self.router(), configuration: configuration) { _, server in
      let (port, stranger) = try await Self.listen(server)
      let connection = try RawTLSConnection(port: port, stranger)
      connection.send(HostileFrameTests.hello + Self.get(1, isWhole: false))
      #expect(connection.frames { $0.type == 7 }.last?.type == 7)
      #expect(try await Self.hasEnded(server))
    }
  }

  @Test("A stranger's call that was let in keeps the connection while it lasts")
  func strangersCall() async throws {
    var configuration = ServerConfiguration()
    configuration.maxAnonymousIdle = .milliseconds(300)
    try await withServer(Self.router(), configuration: configuration) { _, server in
      let (port, stranger) = try await Self.listen(server)
      let client = RPCClient(
        try SocketChannel(.tls(host: "127.0.0.1", port: port), tls: stranger))
      try await client.bidirectional(
        Echo.chat, options: CallOptions(timeout: .seconds(30))
      ) { writer, stream in
        var iterator = stream.makeAsyncIterator()
        try await writer.write([1])
        #expect(try await iterator.next() == [1, 1])
        try await Task.sleep(for: .milliseconds(900))
        // A connection that is drained takes no second call.
        #expect(try await client.unary(Echo.unary, [2]) == [2])
        #expect(server.connectionCount == 1)
        try await writer.finish()
      }
    }
  }

  @Test("What strangers leave untaken takes no room from others")
  func strangersRoom() async throws {
    var configuration = ServerConfiguration()
    configuration.waitingBytes = 4 << 20
    configuration.waitingBytesPerConnection = 2 << 20
    configuration.anonymousWaitingBytesPerConnection = 512 << 10
    try await withServer(Self.router(), configuration: configuration) { path, server in
      let (port, stranger) = try await Self.listen(server)
      var crowd: [RawTLSConnection] = []
      for _ in 0..<12 {
        let connection = try RawTLSConnection(port: port, stranger)
        connection.send(
          RawConnection.preface + Self.window(0) + (0..<30).flatMap { Self.get(UInt32(2 * $0 + 1)) }
        )
        // Each is answered or refused.
        var told = 0
        _ = connection.frames { frame in
          if frame.type == 1 || frame.type == 3 { told += 1 }
          return told == 30
        }
        #expect(told == 30)
        crowd.append(connection)
      }
      let known = try RawConnection(path)
      known.send(
        RawConnection.preface + Self.window(0) + Self.call("Large", 1) + Self.call("Large", 3))
      var heads = 0
      let frames = known.frames { frame in
        if frame.type == 1 { heads += 1 }
        return heads == 2 || frame.type == 3
      }
      #expect(heads == 2 && !frames.contains { $0.type == 3 })
      withExtendedLifetime(crowd) {}
    }
  }
}
