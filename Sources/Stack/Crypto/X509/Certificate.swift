internal import COpenSSL
internal import Encodings

/// An X.509 certificate (RFC 5280). Equality and hash go by its DER bytes.
///
/// It is parsed once, when it is made, and what it says is read then.
public struct Certificate: Sendable, Hashable {
  /// What the certificate says, shared between copies.
  private final class Contents: Sendable {
    let facts: CertificateFacts
    let handle: SharedHandle

    init(_ facts: CertificateFacts, _ handle: SharedHandle) {
      self.facts = facts
      self.handle = handle
    }
  }

  /// More than any certificate in use has.
  static let maximumSize = 64 << 10

  /// The certificate's DER encoding.
  public let der: [UInt8]
  private let contents: Contents

  /// Reads one DER certificate.
  ///
  /// - Throws: `.malformed` when the bytes are not exactly one certificate.
  public init(der: [UInt8]) throws(CryptoError) {
    let handle = try Self.parse(der)
    self.der = der
    self.contents = unsafe Contents(try CertificateFacts(reading: unsafe handle.pointer), handle)
  }

  /// The parsed `X509`, which is only read: OpenSSL keeps what it derives from its extensions, and that was
  /// done when the facts were read.
  var handle: SharedHandle { contents.handle }

  /// Reads the first CERTIFICATE block of a PEM text.
  ///
  /// - Throws: `.malformed` when there is none or it cannot be read.
  public init(pem: String) throws(CryptoError) {
    guard let block = try PEM.blocks(of: pem).first(where: Self.isCertificate) else {
      throw CryptoError(.malformed, "there is no CERTIFICATE block in the PEM text")
    }
    try self.init(der: block.contents)
  }

  /// All CERTIFICATE blocks of a PEM text, in order; blocks of other kinds (keys) are skipped.
  ///
  /// - Throws: `.malformed` when a block cannot be read. A text without blocks gives an empty list.
  public static func bundle(pem: String) throws(CryptoError) -> [Certificate] {
    var certificates: [Certificate] = []
    for block in try PEM.blocks(of: pem) where isCertificate(block) {
      certificates.append(try Certificate(der: block.contents))
    }
    return certificates
  }

  /// The certificate as one PEM block that ends in a line break.
  public var pem: String { PEM.text(label: "CERTIFICATE", der) }

  /// Lower-case hexadecimal SHA-256 of the DER bytes.
  public var fingerprint: String { Hexadecimal.encode(SHA256.digest(der)) }

  /// Base64 SHA-256 of the SubjectPublicKeyInfo, as Talos prints it.
  public var publicKeyFingerprint: String {
    Base64.encode(SHA256.digest(contents.facts.publicKeyInfo))
  }

  /// The subject's organizations (O); for a Talos client these are its roles.
  public var subjectOrganizations: [String] { contents.facts.subjectOrganizations }
  /// The subject's first common name (CN).
  public var commonName: String? { contents.facts.commonName }
  /// The subject's attributes for a reader, such as `O=talos`.
  public var subject: String { contents.facts.subject }
  /// The issuer's attributes for a reader.
  public var issuer: String { contents.facts.issuer }
  /// Start of validity, Unix seconds.
  public var notBefore: Int64 { contents.facts.notBefore }
  /// End of validity, Unix seconds.
  public var notAfter: Int64 { contents.facts.notAfter }
  /// Whether BasicConstraints says CA:TRUE.
  public var isCA: Bool { contents.facts.isCA }
  /// The SubjectKeyIdentifier, if present.
  public var subjectKeyID: [UInt8]? { contents.facts.subjectKeyID }
  /// The keyIdentifier of the AuthorityKeyIdentifier, if present.
  public var authorityKeyID: [UInt8]? { contents.facts.authorityKeyID }
  /// The serial number in lower-case hexadecimal, without leading zeros.
  public var serialHex: String { contents.facts.serialHex }
  /// The DNS names of SubjectAltName.
  public var dnsNames: [String] { contents.facts.dnsNames }
  /// The IP addresses of SubjectAltName in text form.
  public var ipAddresses: [String] { contents.facts.ipAddresses }
  /// The kind of the certificate's key.
  public var keyAlgorithm: KeyAlgorithm { contents.facts.keyAlgorithm }
  /// Whether `now` (Unix seconds) lies within the validity, both ends included.
  public func isValid(at now: Int64) -> Bool { notBefore <= now && now <= notAfter }

  /// Whether `issuer`'s key made this certificate's signature. Names, times and uses are not looked
  /// at.
  public func isSigned(by issuer: Certificate) -> Bool {
    let key = unsafe X509_get0_pubkey(issuer.handle.pointer)
    let result = unsafe X509_verify(handle.pointer, key)
    OpenSSL.begin()
    return result == 1
  }

  public static func == (left: Certificate, right: Certificate) -> Bool { left.der == right.der }
  public func hash(into hasher: inout Hasher) { hasher.combine(der) }

  private static func isCertificate(_ block: PEM.Block) -> Bool { block.label == "CERTIFICATE" }

  private static func parse(_ der: [UInt8]) throws(CryptoError) -> SharedHandle {
    OpenSSL.begin()
    guard der.count <= maximumSize else {
      throw CryptoError(.limitExceeded, "the certificate is larger than 64 KiB")
    }
    let (parsed, consumed) = unsafe decoded(der) { unsafe d2i_X509(nil, $0, $1) }
    guard let parsed = unsafe parsed else {
      throw CryptoError(.malformed, "not a certificate: \(OpenSSL.drainErrors())")
    }
    let handle = try unsafe SharedHandle(owning: parsed) { unsafe X509_free($0) }
    guard consumed == der.count else {
      throw CryptoError(.malformed, "there are bytes behind the certificate's end")
    }
    return handle
  }
}

extension Certificate: CustomStringConvertible, CustomReflectable {
  public var description: String { "certificate \(subject) \(fingerprint.prefix(16))" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
