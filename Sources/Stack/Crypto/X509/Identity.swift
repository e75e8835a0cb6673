/// A certificate chain and the private key of its leaf.
public struct Identity: Sendable {
  /// Leaf first, then what leads towards the root; the root itself may be left out.
  public let certificates: [Certificate]
  public let key: PrivateKey

  /// - Throws: `.keyMismatch` when the key is not the leaf's, `.malformed` for an empty chain.
  public init(certificates: [Certificate], key: PrivateKey) throws(CryptoError) {
    guard let leaf = certificates.first else {
      throw CryptoError(.malformed, "an identity needs at least one certificate")
    }
    guard key.matches(leaf) else {
      throw CryptoError(.keyMismatch, "the private key does not belong to the certificate")
    }
    self.certificates = certificates
    self.key = key
  }

  /// Reads a PEM chain, leaf first, and a PEM key.
  public init(chainPEM: String, keyPEM: String) throws(CryptoError) {
    let certificates = try Certificate.bundle(pem: chainPEM)
    try self.init(certificates: certificates, key: try PrivateKey(pem: keyPEM))
  }

  /// The leaf.
  public var certificate: Certificate { certificates[0] }

  /// All certificates as PEM blocks, leaf first.
  public var chainPEM: String { certificates.map(\.pem).joined() }

  /// The key as Talos writes it; see `PrivateKey.pem`.
  public var keyPEM: String { key.pem }
}
