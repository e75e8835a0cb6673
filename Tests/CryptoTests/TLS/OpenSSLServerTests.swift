import Crypto
import Foundation
import Testing

@Suite("TLS with the openssl program as server")
struct OpenSSLServerTests {
  private static let authority = Fixtures.kubernetesOld

  /// A running `openssl s_server` that sends back each line reversed.
  private final class Server {
    let command: OpenSSLCommand
    let port: UInt16
    private let process = Process()

    init(_ options: String) throws {
      command = try OpenSSLCommand()
      port = .random(in: 20_000..<32_000)
      let leaf = LeafRequest.apidServer(dnsNames: ["node.local"], ipAddresses: ["127.0.0.1"])
      let identity = try authority.issue(leaf, now: now)
      try command.write(identity.chainPEM, to: "chain.pem")
      try command.write(identity.keyPEM, to: "key.pem")
      try command.write(authority.certificate.pem, to: "ca.pem")
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = [
        "-c",
        """
        exec openssl s_server -rev -accept 127.0.0.1:\(port) -cert chain.pem -key key.pem \
        -CAfile ca.pem -Verify 3 -verify_return_error -alpn h2 \(options)
        """,
      ]
      process.currentDirectoryURL = command.folder
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
    }

    func stop() {
      // Children inherit a mask in which the polite signal may be blocked.
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      command.remove()
    }
  }

  @Test(
    "our client presents its certificate and talks, also after a retry or with session tickets",
    arguments: ["-tls1_2", "-tls1_3", "-tls1_3 -groups P-384", "-tls1_3 -num_tickets 4"])
  func conversation(options: String) throws {
    let server = try Server(options)
    defer { server.stop() }
    let client = try LoopbackTLSClient(
      .client(of: Self.authority, trusting: [Self.authority]), port: server.port,
      serverName: "127.0.0.1")
    for text in ["hello", "once more"] {
      #expect(try client.exchange(text + "\n") == String(text.reversed()) + "\n")
    }
    #expect(client.engine.negotiatedProtocol == "h2")
  }

  @Test("its refusal of our certificate is told as such", arguments: ["-tls1_2", "-tls1_3"])
  func refusal(options: String) throws {
    let server = try Server(options)
    defer { server.stop() }
    do {
      let client = try LoopbackTLSClient(
        .client(of: Fixtures.kubernetesNew, trusting: [Self.authority]), port: server.port)
      _ = try client.exchange("hello\n")
      Issue.record("another authority's client was served")
    } catch let error as TLSError {
      #expect(error.message == "remote error: tls: unknown certificate authority")
      #expect(error.isCertificateRefusal)
    }
  }
}

/// A blocking client on loopback.
private final class LoopbackTLSClient {
  let engine: TLSEngine
  private let connection: Int32

  /// Connects, waiting up to five seconds for the server to come up.
  init(_ configuration: TLSConfiguration, port: UInt16, serverName: String? = nil) throws {
    engine = try TLSEngine(TLSContext(configuration), serverName: serverName)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    for _ in 0..<100 {
      let attempt = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      // A server that says nothing for this long fails the test instead of hanging it.
      var patience = timeval(tv_sec: 10, tv_usec: 0)
      let size = socklen_t(MemoryLayout<timeval>.size)
      setsockopt(attempt, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
      let isConnected = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
          connect(attempt, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
      }
      if isConnected {
        connection = attempt
        return
      }
      close(attempt)
      usleep(50_000)
    }
    throw POSIXError(.ECONNREFUSED)
  }

  deinit { close(connection) }

  /// Sends a line and reads one back.
  func exchange(_ line: String) throws -> String {
    var isSent = false
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while answer.last != UInt8(ascii: "\n") {
      if case .complete = engine.handshake(), !isSent {
        isSent = true
        try engine.write(Array(line.utf8))
      }
      engine.drainCiphertext { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      let read = engine.readAll()
      answer += read.bytes
      if case .failed(let error) = read.end { throw error }
      guard answer.last != UInt8(ascii: "\n") else { break }
      let count = recv(connection, &buffer, buffer.count, 0)
      if count > 0 { engine.receive(Array(buffer[..<count])) } else { engine.receiveEnd() }
    }
    return String(decoding: answer, as: UTF8.self)
  }
}
