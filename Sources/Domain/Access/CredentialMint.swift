public import Rotation

/// Makes what callers from elsewhere are known by.
public protocol CredentialMint: Sendable {
  /// Whether client certificates are made here. If not, those of another CA let clients in.
  var signsCertificates: Bool { get }

  /// Signs the key of a certificate request (PKCS#10, PEM). What the request asks for beside that counts for nothing.
  ///
  /// - Throws: `.invalidArgument` when the request cannot be read, was not signed by its own key, or has a key that
  ///   is too weak; `.internalError`.
  func sign(
    _ request: String, name: String, role: Role, validity: Duration, now: Instant
  ) throws(AccessError) -> SignedCertificate

  /// A new token: random, 32 bytes.
  func makeToken() -> MintedToken

  /// SHA-256 of a token as its holder shows it; nil for what cannot be one.
  func hash(ofToken token: String) -> [UInt8]?
}

public struct SignedCertificate: Sendable, Hashable {
  public var pem: String
  /// Lower-case hexadecimal.
  public var serial: String
  public var expiresAt: Instant

  public init(pem: String, serial: String, expiresAt: Instant) {
    self.pem = pem
    self.serial = serial
    self.expiresAt = expiresAt
  }
}

/// A token before it is forgotten.
public struct MintedToken: Sendable {
  /// What its holder shows.
  public var text: String
  /// By which it is known afterwards; says nothing of the token.
  public var id: String
  public var hash: [UInt8]

  public init(text: String, id: String, hash: [UInt8]) {
    self.text = text
    self.id = id
    self.hash = hash
  }
}
