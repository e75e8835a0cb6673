import Crypto
import Daemon
import RPC

/// Mutual TLS for callers from elsewhere: who has no certificate of the client CA is not let in.
enum RemoteAccess {
  /// - Throws: when a file cannot be read or does not hold what it should; the message names it.
  static func context(_ files: ServeOptions.TLSFiles) throws -> TLSContext {
    let certificates = try PrivateFiles.read(files.certificate)
    var key = try PrivateFiles.readSecret(files.key)
    let secret = SecretBytes(taking: &key)
    let clientCA = try PrivateFiles.read(files.clientCA)
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    let roots = try naming(files.clientCA) { () throws(CryptoError) in
      try Certificate.bundle(pem: text(clientCA))
    }
    guard !roots.isEmpty else {
      throw DaemonError("\(files.clientCA): there is no certificate in it")
    }
    let identity = try naming("\(files.certificate) with \(files.key)") {
      () throws(CryptoError) in
      try Identity(
        certificates: Certificate.bundle(pem: text(certificates)), key: PrivateKey(pem: secret))
    }
    return try TLSContext(
      TLSConfiguration(
        role: .server, identity: identity, trustRoots: roots, peerVerification: .required,
        alpn: ["h2", "http/1.1"]))
  }

  private static func naming<Value>(
    _ what: String, _ body: () throws(CryptoError) -> Value
  ) throws(DaemonError) -> Value {
    do throws(CryptoError) { return try body() } catch {
      throw DaemonError("\(what): \(error.message)")
    }
  }
}

/// Who calls, as it is recorded with what they do.
enum CallerIdentity {
  /// `uid:1000` on a Unix socket; `cn:NAME` with a client certificate, which the TLS layer has
  /// verified; its fingerprint when it bears no name. Nil: nobody known.
  @Sendable static func name(_ peer: Peer) -> String? {
    if let process = peer.process { return "uid:\(process.userID)" }
    guard let der = peer.certificates.first, let leaf = try? Certificate(der: der) else {
      return nil
    }
    guard let name = leaf.commonName, isPlain(name) else {
      return "sha256:\(leaf.fingerprint)"
    }
    return "cn:\(name)"
  }

  /// Whether a name can stand in records and logs without pretending to be something else.
  private static func isPlain(_ name: String) -> Bool {
    (1...200).contains(name.utf8.count)
      && name.unicodeScalars.allSatisfy { $0.isASCII && $0.value > 0x20 && $0.value < 0x7F }
  }
}
