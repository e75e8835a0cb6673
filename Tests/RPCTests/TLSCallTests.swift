import Crypto
import RPC
import RPCTransport
import Testing

@Suite struct TLSCallTests {
  /// Serves with TLS and calls once with the given client context.
  func call(_ server: TestTLS, _ client: TLSContext, name: String? = nil) async throws -> String {
    var answer = ""
    try await withServer(Echo.router()) { _, rpcServer in
      let port = try await rpcServer.listen(host: "127.0.0.1", port: 0) { server.server }
      let channel = try SocketChannel(
        .tls(host: "127.0.0.1", port: port), tls: client, serverName: name)
      let bytes = try await RPCClient(channel).unary(
        Echo.peer, [], options: CallOptions(timeout: .seconds(10)))
      answer = String(decoding: bytes, as: UTF8.self)
    }
    return answer
  }

  @Test("The handler sees the client's certificate", arguments: [AuthorityKind.talos, .kubernetes])
  func peer(kind: AuthorityKind) async throws {
    let tls = try TestTLS(kind)
    #expect(try await call(tls, tls.client) == "1 9999")
  }

  @Test("A certificate of a CA the server does not know is refused, and the client says why")
  func refused() async throws {
    let tls = try TestTLS()
    let stranger = try Authority.generate(.talos, now: TestTLS.now())
    let error = await #expect(throws: RPCError.self) {
      try await call(tls, try TestTLS.client(of: stranger, trusting: [tls.authority]))
    }
    #expect(error?.code == .unavailable)
    #expect(error?.message.contains("remote error: tls") == true, "\(error?.message ?? "")")
  }

  @Test("A client without a certificate is refused")
  func anonymous() async throws {
    let tls = try TestTLS()
    let error = await #expect(throws: RPCError.self) {
      try await call(tls, try TestTLS.client(of: nil, trusting: [tls.authority]))
    }
    #expect(error?.code == .unavailable)
  }

  @Test("A server of a CA the client does not trust is not talked to")
  func distrusted() async throws {
    let tls = try TestTLS()
    let stranger = try Authority.generate(.talos, now: TestTLS.now())
    let error = await #expect(throws: RPCError.self) {
      try await call(tls, try TestTLS.client(of: tls.authority, trusting: [stranger]))
    }
    #expect(error?.code == .unavailable)
    #expect(error?.message.contains("certificate verify failed") == true, "\(error?.message ?? "")")
  }

  @Test("A server whose certificate names another address is not talked to")
  func wrongName() async throws {
    let tls = try TestTLS()
    let error = await #expect(throws: RPCError.self) {
      try await call(tls, tls.client, name: "127.0.0.9")
    }
    #expect(error?.code == .unavailable)
  }

  @Test("A client that trusts an old and a new CA of one name reaches servers of both")
  func bothAuthorities() async throws {
    let old = try TestTLS()
    let new = try TestTLS()
    for server in [old, new] {
      let client = try TestTLS.client(
        of: server.authority, trusting: [old.authority, new.authority])
      #expect(try await call(server, client) == "1 9999")
    }
  }

  @Test("A new trust holds for connections made after it, and closing drops the others")
  func swappedTrust() async throws {
    let old = try TestTLS()
    let new = try TestTLS()
    let current = Current(old.server)
    try await withServer(Echo.router()) { _, server in
      let port = try await server.listen(host: "127.0.0.1", port: 0) { current.context }
      let endpoint = Endpoint.tls(host: "127.0.0.1", port: port)
      let before = RPCClient(try SocketChannel(endpoint, tls: old.client))
      _ = try await before.unary(Echo.unary, [1])
      current.context = new.server
      // The connection that stands goes on; a new one meets the new trust.
      _ = try await before.unary(Echo.unary, [1])
      _ = try await RPCClient(try SocketChannel(endpoint, tls: new.client)).unary(Echo.unary, [1])
      server.closeConnections()
      try await Task.sleep(for: .milliseconds(50))
      let error = await #expect(throws: RPCError.self) { try await before.unary(Echo.unary, [1]) }
      #expect(error?.code == .unavailable)
    }
  }
}
