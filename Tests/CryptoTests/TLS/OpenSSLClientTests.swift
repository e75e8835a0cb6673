import Crypto
import Testing

@Suite("TLS with the openssl program")
struct OpenSSLClientTests {
  private static let authority = Fixtures.talosOld

  @Test(
    "s_client connects with each version, and sees the names of the accepted authorities",
    arguments: ["-tls1_2", "-tls1_3"])
  func acceptedClient(version: String) throws {
    let command = try OpenSSLCommand()
    defer { command.remove() }
    try write(try Self.authority.issue(.talosClient(), now: now), to: command)
    let server = try LoopbackTLSServer(
      TLSContext(.server(of: Self.authority, trusting: [Self.authority, Fixtures.kubernetesOld])))
    defer { server.stop() }
    let result = try command.run(
      """
      (echo hello; sleep 0.5) | openssl s_client \(version) -connect 127.0.0.1:\(server.port) -alpn h2 \
      -cert chain.pem -key key.pem -CAfile ca.pem -verify_return_error -verify_ip 127.0.0.1
      """)
    #expect(result.output.contains("Verify return code: 0 (ok)"))
    #expect(result.output.contains("ALPN protocol: h2"))
    #expect(result.output.contains("O = talos"))
    #expect(result.output.contains("O = kubernetes"))
    #expect(result.output.contains("\nhello"))
    #expect(!result.output.contains("TLS session ticket:"))
    #expect(server.completedHandshakes == 1)
  }

  @Test("s_client with a certificate of another authority is refused with the right alert")
  func refusedClient() throws {
    let command = try OpenSSLCommand()
    defer { command.remove() }
    try write(try Fixtures.talosNew.issue(.talosClient(), now: now), to: command)
    let server = try LoopbackTLSServer(
      TLSContext(.server(of: Self.authority, trusting: [Self.authority])))
    let result = try command.run(
      """
      sleep 0.5 | openssl s_client -connect 127.0.0.1:\(server.port) -cert chain.pem -key key.pem
      """)
    #expect(result.output.contains("alert unknown ca"))
    server.stop()
    #expect(server.error?.code == .peerNotTrusted)
  }

  @Test("old versions are refused", arguments: ["-tls1", "-tls1_1"])
  func oldVersion(version: String) throws {
    let command = try OpenSSLCommand()
    defer { command.remove() }
    let server = try LoopbackTLSServer(
      TLSContext(.server(of: Fixtures.kubernetesOld, trusting: [], .none)))
    defer { server.stop() }
    let result = try command.run(
      """
      sleep 0.3 | openssl s_client \(version) -cipher ALL:@SECLEVEL=0 -connect 127.0.0.1:\(server.port)
      """)
    #expect(result.output.contains("alert protocol version"))
    #expect(server.completedHandshakes == 0)
  }

  private func write(_ identity: Identity, to command: OpenSSLCommand) throws {
    try command.write(identity.chainPEM, to: "chain.pem")
    // The program does not know Talos' own label.
    let key = identity.keyPEM.replacing("ED25519 PRIVATE KEY", with: "PRIVATE KEY")
    try command.write(key, to: "key.pem")
    try command.write(Self.authority.certificate.pem, to: "ca.pem")
  }
}
