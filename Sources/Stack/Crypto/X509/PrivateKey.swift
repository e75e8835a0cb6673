internal import COpenSSL

/// A private key. Its text form is never part of a description or an error.
///
/// The library overwrites the key's memory when the last copy goes.
public struct PrivateKey: Sendable {
  /// Owns the `EVP_PKEY`, which is not changed after its making.
  let handle: SharedHandle

  /// The kind of key.
  public var algorithm: KeyAlgorithm { unsafe KeyAlgorithm(key: handle.pointer) }

  /// The labels that are read: PKCS#8, SEC1, PKCS#1, and Talos' own label for PKCS#8 with Ed25519.
  private static let labels: Set<String> = [
    "PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", "ED25519 PRIVATE KEY",
  ]

  /// Reads the first private key block of a PEM text; other blocks are skipped.
  ///
  /// - Throws: `.malformed` when there is none or it cannot be read; `.unsupported` for an
  ///   encrypted key.
  public init(pem: String) throws(CryptoError) {
    var block = try Self.block(of: PEM.blocks(of: pem))
    defer { cleanse(&block.contents) }
    try self.init(der: block.contents)
  }

  /// The first block that is a private key's.
  private static func block(of blocks: [PEM.Block]) throws(CryptoError) -> PEM.Block {
    guard let block = blocks.first(where: { labels.contains($0.label) }) else {
      if blocks.contains(where: { $0.label == "ENCRYPTED PRIVATE KEY" }) {
        throw CryptoError(.unsupported, "the private key is encrypted")
      }
      throw CryptoError(.malformed, "there is no private key block in the PEM text")
    }
    return block
  }

  /// As `init(pem:)` for text, and leaves no copy behind.
  public init(pem secret: SecretBytes) throws(CryptoError) {
    var text = secret.copy()
    defer { text.wipe() }
    var block = try Self.block(of: PEM.blocks(of: text))
    defer { cleanse(&block.contents) }
    try self.init(der: block.contents)
  }

  /// Reads a key in PKCS#8, SEC1 or PKCS#1 form.
  ///
  /// - Throws: `.malformed` when the bytes are not exactly one key.
  public init(der: [UInt8]) throws(CryptoError) {
    OpenSSL.begin()
    let (key, consumed) = unsafe decoded(der) { unsafe d2i_AutoPrivateKey(nil, $0, $1) }
    guard let key = unsafe key else {
      throw CryptoError(.malformed, "not a private key: \(OpenSSL.drainErrors())")
    }
    handle = try unsafe SharedHandle(owning: key) { unsafe EVP_PKEY_free($0) }
    guard consumed == der.count else {
      throw CryptoError(.malformed, "there are bytes behind the private key's end")
    }
    ERR_clear_error()
  }

  init(handle: SharedHandle) { self.handle = handle }

  /// A new random key.
  ///
  /// - Throws: `.unsupported` for `.other` and for RSA outside 2048 to 8192 bits.
  public static func generate(_ algorithm: KeyAlgorithm) throws(CryptoError) -> PrivateKey {
    OpenSSL.begin()
    let key: OpaquePointer?
    switch algorithm {
    case .ed25519: unsafe key = copenssl_generate_ed25519()
    case .ecdsaP256: unsafe key = copenssl_generate_ec("P-256")
    case .ecdsaP384: unsafe key = copenssl_generate_ec("P-384")
    case .ecdsaP521: unsafe key = copenssl_generate_ec("P-521")
    case .rsa(let bits):
      guard (2048...8192).contains(bits) else {
        throw CryptoError(.unsupported, "an RSA key must have 2048 to 8192 bits")
      }
      unsafe key = copenssl_generate_rsa(bits)
    case .other(let name): throw CryptoError(.unsupported, "keys of kind \(name) cannot be made")
    }
    return PrivateKey(handle: try unsafe SharedHandle(owning: key) { unsafe EVP_PKEY_free($0) })
  }

  /// The key as one PEM block that ends in a line break, under the label that Talos writes:
  /// `ED25519 PRIVATE KEY` (PKCS#8), `EC PRIVATE KEY` (SEC1), `RSA PRIVATE KEY` (PKCS#1), else
  /// `PRIVATE KEY` (PKCS#8).
  public var pem: String { text { String(decoding: $0, as: UTF8.self) } }

  /// The same text, in memory that is protected.
  public var secretPEM: SecretBytes { text { SecretBytes(copying: $0) } }

  /// What `read` makes of the PEM text, which is wiped afterwards.
  private func text<Value>(_ read: ([UInt8]) -> Value) -> Value {
    let label: String
    switch algorithm {
    case .ecdsaP256, .ecdsaP384, .ecdsaP521: label = "EC PRIVATE KEY"
    case .rsa: label = "RSA PRIVATE KEY"
    case .ed25519: label = "ED25519 PRIVATE KEY"
    case .other: label = "PRIVATE KEY"
    }
    var contents = label == "EC PRIVATE KEY" || label == "RSA PRIVATE KEY" ? traditional : pkcs8
    defer { cleanse(&contents) }
    var text = PEM.bytes(label: label, contents)
    defer { text.wipe() }
    return read(text)
  }

  /// The key in PKCS#8 form (RFC 5208), unencrypted.
  public var pkcs8: [UInt8] {
    OpenSSL.begin()
    guard let info = unsafe EVP_PKEY2PKCS8(handle.pointer) else { return [] }
    defer { unsafe PKCS8_PRIV_KEY_INFO_free(info) }
    return unsafe encoded { out in unsafe i2d_PKCS8_PRIV_KEY_INFO(info, out) }
  }

  private var traditional: [UInt8] {
    OpenSSL.begin()
    return unsafe encoded { out in unsafe i2d_PrivateKey(handle.pointer, out) }
  }

  /// Whether this is the private half of the key in `certificate`.
  public func matches(_ certificate: Certificate) -> Bool {
    let subject = certificate.handle
    let result = unsafe EVP_PKEY_eq(X509_get0_pubkey(subject.pointer), handle.pointer)
    OpenSSL.begin()
    return result == 1
  }
}

extension PrivateKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "private key (\(algorithm))" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Overwrites bytes that held key material, in a way the optimizer keeps.
func cleanse(_ bytes: inout [UInt8]) {
  unsafe bytes.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
}
