import Crypto
import Glibc
import HTTP2Codes
import RPC
import RPCTransport
import Testing

/// Why a call has no answer: the connection's end is its error's cause.
@Suite(.timeLimit(.minutes(1))) struct ConnectionEndTests {
  /// The error of a call to a server with that TLS context.
  private func failure(
    _ server: TLSContext, _ client: TLSContext, name: String? = nil
  ) async throws -> RPCError? {
    var failure: RPCError?
    try await withServer(Echo.router()) { _, rpcServer in
      let port = try await rpcServer.listen(host: "127.0.0.1", port: 0) { server }
      let channel = try SocketChannel(
        .tls(host: "127.0.0.1", port: port), tls: client, serverName: name)
      failure = await #expect(throws: RPCError.self) {
        try await RPCClient(channel).unary(
          Echo.unary, [1], options: CallOptions(timeout: .seconds(10)))
      }
    }
    return failure
  }

  @Test("A server's refusal of the client's certificate is an alert", arguments: [false, true])
  func refused(isTLS12: Bool) async throws {
    let tls = try TestTLS(minimum: isTLS12 ? .tls12 : .tls13)
    let stranger = try Authority.generate(.talos, now: TestTLS.now())
    let unknown = try await failure(
      tls.server, TestTLS.client(of: stranger, trusting: [tls.authority]))
    #expect(unknown?.code == .unavailable)
    #expect(unknown?.cause?.tlsFailure == .certificateRefused(alert: 48))
    let none = try await failure(tls.server, TestTLS.client(of: nil, trusting: [tls.authority]))
    // Only TLS 1.3 has an alert of its own for it.
    #expect(
      none?.cause?.tlsFailure == (isTLS12 ? .alert(40) : .certificateRefused(alert: 116)))
  }

  @Test("A server's certificate that the client does not accept says which fault it has")
  func distrusted() async throws {
    let tls = try TestTLS()
    let stranger = try Authority.generate(.talos, now: TestTLS.now())
    let foreign = try await failure(
      tls.server, TestTLS.client(of: tls.authority, trusting: [stranger]))
    #expect(foreign?.cause?.tlsFailure?.fault == .unknownIssuer)
    let elsewhere = try await failure(tls.server, tls.client, name: "127.0.0.9")
    #expect(elsewhere?.cause?.tlsFailure?.fault == .wrongName)
  }

  @Test(
    "Certificates that are out of their time are told apart from others",
    arguments: [(Int64(-7200), CertificateFault.expired), (7200, .notYetValid)])
  func outOfTime(shift: Int64, fault: CertificateFault) async throws {
    let now = TestTLS.now()
    let authority = try Authority.generate(.talos, now: now - 86400)
    func identity(_ usage: LeafRequest.Usage, now: Int64) throws -> Identity {
      try authority.issue(
        LeafRequest(
          organizations: ["os:admin"], ipAddresses: ["127.0.0.1"], usages: [usage], validity: 3600),
        now: now)
    }
    func context(_ role: TLSConfiguration.Role, _ identity: Identity) throws -> TLSContext {
      try TLSContext(
        TLSConfiguration(
          role: role, identity: identity, trustRoots: [authority.certificate], alpn: ["h2"]))
    }
    let fresh = try context(.client, identity(.client, now: now))
    let server = try context(.server, identity(.server, now: now + shift))
    let seen = try await failure(server, fresh)?.cause?.tlsFailure
    #expect(seen?.fault == fault && seen?.isAboutTime == true)
    let presented = try #require(seen?.presented)
    #expect(presented.notAfter == now + shift + 3600 && presented.notBefore <= now + shift)
    let stale = try context(.client, identity(.client, now: now + shift))
    let heard = try await failure(context(.server, identity(.server, now: now)), stale)
    #expect(heard?.cause?.tlsFailure == .certificateRefused(alert: 45))
    #expect(heard?.cause?.tlsFailure?.isAboutTime == true)
  }

  @Test("A status that uses the words of a refusal has no cause")
  func words() async throws {
    let words = "remote error: tls: unknown certificate authority"
    var router = ServiceRouter()
    router.handle(Echo.unary) { (_: [UInt8], _) in throw RPCError(.unavailable, words) }
    try await withServer(router) { path, _ in
      let channel = try SocketChannel(.unix(path: path))
      let error = await #expect(throws: RPCError.self) {
        try await RPCClient(channel).unary(Echo.unary, [])
      }
      #expect(error == RPCError(.unavailable, words))
      #expect(error?.cause == nil)
    }
  }

  @Test("An alert that ends the connection while a call waits is the call's cause")
  func alertInCall() async throws {
    let tls = try TestTLS()
    let server = try AlertingServer(tls.server)
    defer { server.stop() }
    let channel = try SocketChannel(.tls(host: "127.0.0.1", port: server.port), tls: tls.client)
    let error = await #expect(throws: RPCError.self) {
      try await RPCClient(channel).unary(
        Echo.unary, [1], options: CallOptions(timeout: .seconds(10)))
    }
    #expect(error?.code == .unavailable)
    // bad_record_mac: what the server got there was nothing the client had sent.
    #expect(error?.cause?.tlsFailure == .alert(20), "\(error.debugDescription)")
  }

  @Test("Where nobody listens, and where the name leads nowhere, there never was a connection")
  func nobody() async throws {
    func cause(_ endpoint: Endpoint, _ lookUp: [String]? = nil) async throws -> ConnectionEnd? {
      var configuration = ChannelConfiguration()
      if let lookUp { configuration.lookUp = { _ in lookUp } }
      let channel = try SocketChannel(endpoint, configuration: configuration)
      return await #expect(throws: RPCError.self) {
        try await RPCClient(channel).unary(Echo.unary, [])
      }?.cause
    }
    var port = 0
    try await withServer(Echo.router()) { _, server in
      port = try await server.listen(plaintext: "127.0.0.1", port: 0)
    }
    let closed = Endpoint.plaintext(host: "127.0.0.1", port: port)
    #expect(try await cause(closed) == .refused)
    let missing = try await cause(.unix(path: "/nonexistent/s.sock"))
    guard case .unreachable? = missing else {
      Issue.record("\(missing.debugDescription)")
      return
    }
    let none = try await cause(.plaintext(host: "host.example", port: port), [])
    #expect(none == .unresolved("the host has no address"))
    let both = try await cause(
      .plaintext(host: "host.example", port: port), ["127.0.0.1", "127.0.0.2"])
    #expect(both?.single == [.refused, .refused])
  }

  @Test("A connection that is cut without a word is told apart from one that ends by GOAWAY")
  func cutOrSaid() async throws {
    func cause(
      _ serve: @escaping @Sendable (RawConnection) -> Void
    ) async throws -> ConnectionEnd? {
      try await ScriptedServer().run { connection, _ in
        _ = connection.read(until: [0x02] + Array("te".utf8))
        serve(connection)
      } _: { client in
        await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, [1]) }?.cause
      }
    }
    let cut = try await cause { $0.endWriting() }
    guard case .cut? = cut else {
      Issue.record("\(cut.debugDescription)")
      return
    }
    let said = try await cause { connection in
      let words = Array("remote error: tls: bad certificate".utf8)
      connection.send(
        RawConnection.frame(7, flags: 0, stream: 0, [0, 0, 0, 1, 0, 0, 0, 2] + words))
    }
    #expect(
      said
        == .goAway(
          GoAway(errorCode: .internalError, reason: "remote error: tls: bad certificate")))
    #expect(said?.tlsFailure == nil)
    let broken = try await cause { connection in
      // DATA on stream 0 (RFC 9113 section 6.1).
      connection.send(RawConnection.frame(0, flags: 0, stream: 0, [1]))
    }
    guard case .protocolError? = broken else {
      Issue.record("\(broken.debugDescription)")
      return
    }
    let brokenAndDeaf = try await cause { connection in
      // The client's answer to PING cannot be written, before the client reads what breaks the rules.
      connection.endReading()
      connection.send(RawConnection.frame(6, flags: 0, stream: 0, [UInt8](repeating: 7, count: 8)))
      usleep(50_000)
      connection.send(RawConnection.frame(0, flags: 0, stream: 0, [1]))
    }
    guard case .protocolError? = brokenAndDeaf else {
      Issue.record("\(brokenAndDeaf.debugDescription)")
      return
    }
  }
}

/// A TLS server that speaks HTTP/2 up to its SETTINGS, waits for a request, and then fails in TLS.
private final class AlertingServer: Sendable {
  let port: Int
  private let descriptor: Int32

  init(_ context: TLSContext) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.descriptor = descriptor
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && listen(descriptor, 1) == 0
          && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard isBound else { throw RPCError(.internalError, "cannot listen") }
    port = Int(UInt16(bigEndian: address.sin_port))
    runOnThread {
      let accepted = accept(descriptor, nil, nil)
      guard accepted >= 0, let engine = try? TLSEngine(context) else { return }
      Self.serve(RawConnection(accepted: accepted), engine)
    }
  }

  func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  private static func serve(_ connection: RawConnection, _ engine: TLSEngine) {
    func flush() {
      var bytes: [UInt8] = []
      engine.drainCiphertext(into: &bytes)
      connection.send(bytes)
    }
    func receive() -> Bool {
      let bytes = connection.readOnce()
      bytes.withUnsafeBytes { engine.receive($0) }
      return !bytes.isEmpty
    }
    while engine.handshake() == .incomplete {
      flush()
      guard receive() else { return }
    }
    let settings = RawConnection.frame(4, flags: 0, stream: 0, [])
    settings.withUnsafeBytes { try? engine.write($0) }
    flush()
    var heard: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16384)
    // The request's path tells that its HEADERS have come, unless it is compressed: its length then does.
    while heard.count < RawConnection.preface.count + 100 {
      switch buffer.withUnsafeMutableBytes({ engine.read(into: $0) }) {
      case .bytes(let count): heard += buffer[..<count]
      case .wouldBlock: guard receive() else { return }
      case .closed, .failed: return
      }
    }
    let junk: [UInt8] = [23, 3, 3, 0, 32] + [UInt8](repeating: 7, count: 32)
    junk.withUnsafeBytes { engine.receive($0) }
    _ = buffer.withUnsafeMutableBytes { engine.read(into: $0) }
    flush()
    _ = connection.readToEnd()
  }
}
