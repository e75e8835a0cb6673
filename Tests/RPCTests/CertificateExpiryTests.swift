import Crypto
import RPC
import RPCTransport
import Testing

@Suite struct CertificateExpiryTests {
  @Test("A connection ends with its client's certificate, also when a call is under way")
  func expiry() async throws {
    let reports = NewcomerTests.Reports()
    let tls = try TestTLS(.kubernetes)
    try await withServer(Echo.router(), report: reports.add) { _, server in
      let port = try await server.listen(host: "127.0.0.1", port: 0) { tls.server }
      let short = try TestTLS.client(
        of: tls.authority, trusting: [tls.authority], validity: 3)
      let client = RPCClient(
        try SocketChannel(.tls(host: "127.0.0.1", port: port), tls: short))
      let error = await #expect(throws: RPCError.self) {
        try await client.bidirectional(
          Echo.chat, options: CallOptions(timeout: .seconds(60))
        ) { writer, stream in
          var iterator = stream.makeAsyncIterator()
          try await writer.write([1])
          #expect(try await iterator.next() == [1, 1])
          while try await iterator.next() != nil {}
        }
      }
      #expect(error?.code == .unavailable)
      #expect(reports.of(.expired).count == 1)
      #expect(reports.of(.expired).first?.peer.hasPrefix("127.0.0.1:") == true)
      for _ in 0..<500 where server.connectionCount > 0 {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(server.connectionCount == 0)
    }
  }

  @Test("A new call on a connection whose certificate has expired is UNAUTHENTICATED")
  func newCall() async throws {
    let tls = try TestTLS(.kubernetes)
    try await withServer(Echo.router()) { _, server in
      let port = try await server.listen(host: "127.0.0.1", port: 0) { tls.server }
      let short = try TestTLS.client(
        of: tls.authority, trusting: [tls.authority], validity: 2)
      let connection = try RawTLSConnection(port: port, short)
      connection.send(HostileFrameTests.hello)
      #expect(connection.frames { $0.type == 7 }.last?.type == 7)
      connection.send(
        RawConnection.frame(1, flags: 4, stream: 1, HostileFrameTests.call("Unary"))
          + RawConnection.frame(0, flags: 1, stream: 1, [0, 0, 0, 0, 1, 7]))
      let answer = try RawConnection.answer(connection.frames { $0.type == 1 })
      #expect(answer.fields["grpc-status"] == "16")
      #expect(answer.fields["grpc-message"]?.contains("has expired") == true)
    }
  }

  @Test("A certificate that is valid for longer ends nothing")
  func valid() async throws {
    let reports = NewcomerTests.Reports()
    let tls = try TestTLS(.kubernetes)
    try await withServer(Echo.router(), report: reports.add) { _, server in
      let port = try await server.listen(host: "127.0.0.1", port: 0) { tls.server }
      let client = RPCClient(
        try SocketChannel(.tls(host: "127.0.0.1", port: port), tls: tls.client))
      #expect(try await client.unary(Echo.unary, [1]) == [1])
      #expect(reports.of(.expired).isEmpty)
    }
  }
}
