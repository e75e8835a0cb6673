import Crypto
import RPC
import RPCTransport
import Synchronization
import Testing

/// What is decided of a caller before and while a call runs.
@Suite(.timeLimit(.minutes(1))) struct AdmissionTests {
  private static let refusal = RPCError(.unauthenticated, "who are you?")

  private static func router(
    _ admission: @escaping @Sendable (Peer, HTTPRequestHead) -> RPCError?
  ) -> ServiceRouter {
    var router = Echo.router()
    router.admission = admission
    return router
  }

  @Test("A call that is not admitted ends before its request is there, whatever it is called with")
  func refused() async throws {
    for transport in [Transport.unix, .unixWeb, .unixConnect, .unixGzip, .inProcess] {
      try await transport.withClient(Self.router { _, _ in Self.refusal }) { client in
        let error = await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, [1]) }
        #expect(error?.code == .unauthenticated && error?.message == Self.refusal.message)
      }
    }
    try await withServer(Self.router { _, _ in Self.refusal }) { path, _ in
      let connection = try RawConnection(path)
      connection.send(
        HostileFrameTests.hello
          + RawConnection.frame(
            1, flags: 4, stream: 1,
            RawConnection.fields([
              (":method", "POST"), (":scheme", "http"), (":path", "/test.Echo/Unary"),
              ("content-type", "application/grpc"), ("te", "trailers"),
            ])))
      // No byte of the request has been sent, and its end has not come.
      let answer = try RawConnection.answer(
        connection.frames { $0.type == 1 && $0.flags & 1 != 0 })
      #expect(answer.fields["grpc-status"] == "16")
    }
  }

  @Test("Admission is asked with the peer and the head of every call, also of one like the last")
  func asked() async throws {
    let count = Atomic(0)
    let router = Self.router { peer, head in
      count.add(1, ordering: .relaxed)
      guard peer.process != nil, head.path == Echo.unary.path else { return Self.refusal }
      return head.fields.first("authorization") == "x" ? nil : Self.refusal
    }
    try await Transport.unix.withClient(router) { client in
      var options = CallOptions()
      for _ in 0..<3 {
        _ = await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, [1]) }
      }
      options.metadata.append("authorization", "x")
      for _ in 0..<3 { _ = try await client.unary(Echo.unary, [1], options: options) }
    }
    #expect(count.load(ordering: .relaxed) == 6)
  }

  /// What a handler has left.
  private final class Seen: Sendable {
    let call = Mutex<ServerCall?>(nil)
    let wasCancelled = Atomic(false)
  }

  @Test("A call is ended from outside while its handler waits, and the handler is cancelled")
  func ended() async throws {
    let seen = Seen()
    var router = ServiceRouter()
    router.handle(Echo.unary) { (request: [UInt8], call) in
      seen.call.withLock { $0 = call }
      do { try await Task.sleep(for: .seconds(60)) } catch {
        seen.wasCancelled.store(true, ordering: .relaxed)
        throw error
      }
      return request
    }
    try await Transport.unix.withClient(router) { client in
      let ended = Task {
        while true {
          if let call = seen.call.withLock({ $0 }) { return call.end(Self.refusal) }
          try await Task.sleep(for: .milliseconds(1))
        }
      }
      let error = await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, [1]) }
      try await ended.value
      #expect(error == Self.refusal)
      while !seen.wasCancelled.load(ordering: .relaxed) {
        try await Task.sleep(for: .milliseconds(1))
      }
      // Once it is over there is nothing to end.
      seen.call.withLock { $0?.end(RPCError(.internalError, "too late")) }
    }
  }

  @Test(
    "A TLS connection whose client could have shown a certificate and has not does not stay idle")
  func anonymousIdle() async throws {
    let tls = try TestTLS()
    let identity = try #require(tls.server.configuration.identity)
    let optional = try TLSContext(
      TLSConfiguration(
        role: .server, identity: identity, trustRoots: [tls.authority.certificate],
        peerVerification: .optional, alpn: ["h2"]))
    var configuration = ServerConfiguration()
    configuration.maxAnonymousIdle = .milliseconds(100)
    let server = try RPCServer(Echo.router(), configuration: configuration)
    let port = try await server.listen(host: "127.0.0.1", port: 0) { optional }
    let endpoint = Endpoint.tls(host: "127.0.0.1", port: port)
    let known = try SocketChannel(endpoint, tls: tls.client)
    let anonymous = try SocketChannel(
      endpoint, tls: TestTLS.client(of: nil, trusting: [tls.authority]))
    for channel in [known, anonymous] { _ = try await RPCClient(channel).unary(Echo.unary, [1]) }
    #expect(server.connectionCount == 2)
    let end = ContinuousClock.now + .seconds(20)
    while server.connectionCount > 1, ContinuousClock.now < end {
      try await Task.sleep(for: .milliseconds(5))
    }
    try await Task.sleep(for: .milliseconds(300))
    #expect(server.connectionCount == 1)
    // The next call of the other makes a connection anew.
    _ = try await RPCClient(anonymous).unary(Echo.unary, [1])
    await server.shutdown(grace: .zero)
  }

  @Test("The connections of some peers are drained, and those of others stay")
  func drained() async throws {
    try await withServer(Echo.router()) { path, server in
      let abstract = "omnid-test-\(UInt64.random(in: 0 ... .max))"
      try await server.listen(abstract: abstract)
      let channels = [
        try SocketChannel(.unix(path: path)), try SocketChannel(.abstract(name: abstract)),
      ]
      for channel in channels { _ = try await RPCClient(channel).unary(Echo.unary, [1]) }
      #expect(server.connectionCount == 2)
      server.drainConnections { $0.localAddress == "unix-abstract:\(abstract)" }
      let end = ContinuousClock.now + .seconds(20)
      while server.connectionCount > 1, ContinuousClock.now < end {
        try await Task.sleep(for: .milliseconds(5))
      }
      #expect(server.connectionCount == 1)
      for channel in channels { _ = try await RPCClient(channel).unary(Echo.unary, [1]) }
    }
  }
}
