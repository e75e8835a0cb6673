import Crypto
import TestSupport
import Testing

@Suite("TLS with hostile peers")
struct TLSHostilePeerTests {
  private static let authority = Fixtures.kubernetesOld

  private func makeServer() throws -> TLSEngine {
    try TLSEngine(TLSContext(.server(of: Self.authority, trusting: [Self.authority])))
  }

  private func failure(of engine: TLSEngine) -> TLSError? {
    if case .failed(let error) = engine.handshake() { return error }
    return nil
  }

  @Test("what is not TLS is refused at once, with an alert or nothing to send, and stays refused")
  func notTLS() throws {
    let inputs: [[UInt8]] = [
      Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8),
      Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8), [UInt8](repeating: 0, count: 64),
      [UInt8](repeating: 0xff, count: 64),
      [0x80, 0x2e, 1, 3, 1] + [UInt8](repeating: 0, count: 64),
      [22, 3, 1, 0xff, 0xff] + [UInt8](repeating: 1, count: 64),
      [23, 3, 3, 0, 4, 1, 2, 3, 4], [21, 3, 3, 0, 2, 2, 40],
    ]
    for input in inputs {
      let server = try makeServer()
      server.receive(input)
      let error = try #require(failure(of: server), "\(input.prefix(8))")
      #expect(error.code == .protocolViolation || error.code == .remoteAlert)
      #expect(failure(of: server) == error)
      server.receive(input)
      #expect(server.readAll().end == .failed(error))
      #expect(throws: error) { try server.write([1]) }
    }
  }

  @Test("a handshake with any one byte changed ends in completion or in an error, on both sides")
  func flippedBytes() throws {
    let seed = RandomSeed()
    var generator = seed.generator
    let client = try TLSContext(.client(of: Self.authority, trusting: [Self.authority]))
    let server = try TLSContext(.server(of: Self.authority, trusting: [Self.authority]))
    var failures = 0
    for flight in 0..<3 {
      for step in 0..<60 {
        let sides = (client: try TLSEngine(client), server: try TLSEngine(server))
        var senders = [sides.client, sides.server, sides.client]
        var receivers = [sides.server, sides.client, sides.server]
        for index in 0..<3 {
          let (sender, receiver) = (senders.removeFirst(), receivers.removeFirst())
          _ = sender.handshake()
          var bytes: [UInt8] = []
          sender.drainCiphertext(into: &bytes)
          if index == flight, !bytes.isEmpty {
            bytes[step * bytes.count / 60] ^= UInt8.random(in: 1...255, using: &generator)
          }
          receiver.receive(bytes)
          _ = receiver.handshake()
        }
        for error in [failure(of: sides.server), failure(of: sides.client)].compactMap({ $0 }) {
          failures += 1
          #expect(error.code != .internalFailure, "\(error); \(seed)")
        }
      }
    }
    #expect(failures > 100)
  }

  @Test("a record changed on the way is refused, and nothing of it is read")
  func changedRecord() throws {
    for offset in [0, 1, 3, 4, 5, 20, 30] {
      let pair = try TLSPair(
        client: .client(of: Self.authority, trusting: [Self.authority]),
        server: .server(of: Self.authority, trusting: [Self.authority]))
      pair.handshake()
      try pair.client.write(Array("a secret of some length".utf8))
      var bytes: [UInt8] = []
      pair.client.drainCiphertext(into: &bytes)
      bytes[offset] ^= 0x21
      pair.server.receive(bytes)
      pair.server.receiveEnd()
      let read = pair.server.readAll()
      #expect(read.bytes.isEmpty)
      guard case .failed = read.end else {
        Issue.record("the change at \(offset) was not noticed")
        continue
      }
    }
  }

  @Test("an endless or outsized handshake hits a limit")
  func endlessHandshake() throws {
    // A client hello that claims 16 MiB and comes in full records.
    let server = try makeServer()
    server.receive([22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff] + [UInt8](repeating: 0, count: 16_380))
    #expect(failure(of: server)?.code == .limitExceeded)

    // Bytes that are never looked at.
    let flooded = try makeServer()
    for _ in 0..<64 { flooded.receive([UInt8](repeating: 0, count: 4096)) }
    #expect(failure(of: flooded)?.code == .limitExceeded)
  }

  @Test("a chain of more certificates than a handshake may carry is refused")
  func hugeChain() throws {
    let identity = try Self.authority.issue(.talosClient(), now: now)
    var chain = identity.certificates
    for _ in 0..<200 { chain.append(Self.authority.certificate) }
    var client = try TLSConfiguration.client(of: nil, trusting: [Self.authority])
    client.identity = try Identity(certificates: chain, key: identity.key)
    let pair = try TLSPair(
      client: client, server: .server(of: Self.authority, trusting: [Self.authority]))
    guard case .failed(let error) = pair.handshake().server else {
      Issue.record("a huge chain was taken")
      return
    }
    #expect(error.code == .limitExceeded)
  }

  @Test("a client that offers renegotiation gets none")
  func renegotiation() throws {
    let command = try OpenSSLCommand()
    defer { command.remove() }
    let server = try LoopbackTLSServer(
      TLSContext(.server(of: Self.authority, trusting: [], .none, alpn: [])))
    // The capital letter asks for a renegotiation.
    let result = try command.run(
      "(sleep 0.3; echo R; sleep 0.3) | openssl s_client -tls1_2 -connect 127.0.0.1:\(server.port)")
    #expect(result.output.contains("RENEGOTIATING"))
    #expect(result.output.contains("no renegotiation"))
    server.stop()
    #expect(server.completedHandshakes == 1)
  }
}
