import Crypto
import Testing

@Suite("TLS transfers")
struct TLSTransferTests {
  static let versions: [TLSConfiguration.Version] = [.tls12, .tls13]

  private func open(_ version: TLSConfiguration.Version = .tls13) throws -> TLSPair {
    let authority = Fixtures.talosOld
    let pair = try TLSPair(
      client: .client(of: authority, trusting: [authority], version),
      server: .server(of: authority, trusting: [authority]))
    pair.handshake()
    return pair
  }

  @Test(
    "large writes arrive whole in both directions, in whatever pieces they travel",
    arguments: versions)
  func largeWrites(version: TLSConfiguration.Version) throws {
    let pair = try open(version)
    let text = (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    for (sender, receiver) in [(pair.client, pair.server), (pair.server, pair.client)] {
      try sender.write(text)
      var ciphertext: [UInt8] = []
      sender.drainCiphertext(into: &ciphertext)
      #expect(!sender.pendingCiphertext)
      var received: [UInt8] = []
      var position = 0
      while position < ciphertext.count {
        let end = min(position + 9_973, ciphertext.count)
        receiver.receive(Array(ciphertext[position..<end]))
        received += receiver.readAll().bytes
        position = end
      }
      #expect(received == text)
    }
  }

  @Test("ciphertext lent to a sender is dropped only as far as it was sent")
  func partialSends() throws {
    let pair = try open()
    try pair.client.write([UInt8](repeating: 5, count: 1000))
    var sent: [UInt8] = []
    var rounds = 0
    while pair.client.pendingCiphertext {
      let before = pair.client.pendingCiphertextCount
      pair.client.drainCiphertext { bytes in
        let part = bytes.prefix(100)
        sent += part
        return part.count
      }
      #expect(pair.client.pendingCiphertextCount == max(0, before - 100))
      rounds += 1
    }
    #expect(rounds == (sent.count + 99) / 100)
    pair.server.receive(sent)
    #expect(pair.server.readAll().bytes == [UInt8](repeating: 5, count: 1000))
  }

  @Test("a handshake works when every byte comes alone", arguments: versions)
  func byteAtATime(version: TLSConfiguration.Version) throws {
    let authority = Fixtures.kubernetesOld
    let pair = try TLSPair(
      client: .client(of: authority, trusting: [authority], version),
      server: .server(of: authority, trusting: [authority]), serverName: "127.0.0.1")
    let results = pair.handshake(piece: 1)
    #expect(results.client == .complete)
    #expect(results.server == .complete)
  }

  @Test("closing is told to the peer, after all that was written", arguments: versions)
  func closing(version: TLSConfiguration.Version) throws {
    let pair = try open(version)
    try pair.server.write([1, 2, 3])
    pair.server.closeNotify()
    pair.server.closeNotify()
    #expect(throws: TLSError(.misuse, "tls: write after close")) { try pair.server.write([4]) }
    pair.deliver(from: pair.server, to: pair.client)
    pair.client.receiveEnd()
    let read = pair.client.readAll()
    #expect(read.bytes == [1, 2, 3])
    #expect(read.end == .closed)
    #expect(pair.client.readAll().end == .closed)
    // The client may still write.
    try pair.client.write([9])
    pair.deliver(from: pair.client, to: pair.server)
    #expect(pair.server.readAll().bytes == [9])
  }

  @Test(
    "bytes that end without a close notification are a truncation, at every stage",
    arguments: versions)
  func truncation(version: TLSConfiguration.Version) throws {
    let pair = try open(version)
    try pair.server.write([1, 2, 3])
    var ciphertext: [UInt8] = []
    pair.server.drainCiphertext(into: &ciphertext)
    pair.client.receive(Array(ciphertext.dropLast()))
    #expect(pair.client.readAll().end == .wouldBlock)
    pair.client.receiveEnd()
    guard case .failed(let error) = pair.client.readAll().end else {
      Issue.record("a cut connection was taken for a closed one")
      return
    }
    #expect(error.code == .truncated)

    let authority = Fixtures.talosOld
    let early = try TLSEngine(TLSContext(.server(of: authority, trusting: [authority])))
    early.receiveEnd()
    guard case .failed(let first) = early.handshake() else {
      Issue.record("a handshake without bytes went on")
      return
    }
    #expect(first.code == .truncated)
  }

  @Test("writing before the handshake is complete is a misuse, and empty writes send nothing")
  func misuse() throws {
    let authority = Fixtures.talosOld
    let client = try TLSEngine(TLSContext(.client(of: authority, trusting: [authority])))
    #expect(throws: TLSError(.misuse, "tls: write before the handshake is complete")) {
      try client.write([1])
    }
    client.closeNotify()
    #expect(!client.pendingCiphertext)
    let pair = try open()
    try pair.client.write([])
    #expect(!pair.client.pendingCiphertext)
  }
}
