import Crypto

/// A client and a server joined in memory.
final class TLSPair {
  let client: TLSEngine
  let server: TLSEngine

  init(
    client: TLSConfiguration, server: TLSConfiguration, serverName: String? = nil
  ) throws {
    self.client = try TLSEngine(TLSContext(client), serverName: serverName)
    self.server = try TLSEngine(TLSContext(server))
  }

  /// Carries the handshake to its end, or to where one side fails and the other has heard of it.
  /// The ciphertext is handed over in pieces of at most `piece` bytes.
  @discardableResult
  func handshake(
    piece: Int = .max
  ) -> (client: TLSEngine.HandshakeResult, server: TLSEngine.HandshakeResult) {
    var results = (client: client.handshake(), server: TLSEngine.HandshakeResult.incomplete)
    while client.pendingCiphertext || server.pendingCiphertext {
      deliver(from: client, to: server, piece: piece)
      results.server = server.handshake()
      deliver(from: server, to: client, piece: piece)
      results.client = client.handshake()
    }
    return results
  }

  func deliver(from sender: TLSEngine, to receiver: TLSEngine, piece: Int = .max) {
    var bytes: [UInt8] = []
    sender.drainCiphertext(into: &bytes)
    var position = 0
    while position < bytes.count {
      let end = min(bytes.count, piece == .max ? bytes.count : position + piece)
      receiver.receive(Array(bytes[position..<end]))
      if piece != .max { _ = receiver.handshake() }
      position = end
    }
  }
}

extension TLSEngine {
  func receive(_ bytes: [UInt8]) { bytes.withUnsafeBytes { receive($0) } }

  func write(_ bytes: [UInt8]) throws(TLSError) {
    let result = bytes.withUnsafeBytes { buffer -> Result<Void, TLSError> in
      do throws(TLSError) { return .success(try write(buffer)) } catch { return .failure(error) }
    }
    try result.get()
  }

  /// All plaintext there is, and why it ended.
  func readAll() -> (bytes: [UInt8], end: ReadResult) {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 20_000)
    while true {
      let result = buffer.withUnsafeMutableBytes { read(into: $0) }
      guard case .bytes(let count) = result else { return (all, result) }
      all += buffer[..<count]
    }
  }
}

extension TLSConfiguration {
  /// A server with a certificate of `authority` for 127.0.0.1 and `node.local`.
  static func server(
    of authority: Authority, trusting roots: [Authority],
    _ verification: PeerVerification = .required,
    alpn: [String] = ["h2"]
  ) throws -> TLSConfiguration {
    let leaf = LeafRequest.apidServer(
      dnsNames: ["node.local"], ipAddresses: ["127.0.0.1", "fd00::1"])
    return TLSConfiguration(
      role: .server, identity: try authority.issue(leaf, now: now),
      trustRoots: roots.map(\.certificate), peerVerification: verification, alpn: alpn)
  }

  /// A client with an administrator's certificate of `authority`, or with none.
  static func client(
    of authority: Authority?, trusting roots: [Authority], _ version: Version = .tls13,
    alpn: [String] = ["h2"]
  ) throws -> TLSConfiguration {
    TLSConfiguration(
      role: .client, identity: try authority?.issue(.talosClient(), now: now),
      trustRoots: roots.map(\.certificate), alpn: alpn, maximumVersion: version)
  }
}
