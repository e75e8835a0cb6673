public import Access
public import Crypto
import Encodings
import Orchestrator
public import Rotation

/// The CA that signs omnid's own certificate and those of its clients, and the maker of tokens.
///
/// The private key is opened for each signature and wiped afterwards.
public struct APIAuthority: CredentialMint {
  /// How long the server's own certificate is valid: 90 days.
  public static let serverValidity = Duration.seconds(90 * 24 * 3600)
  private static let tokenPrefix = "omni_"
  private static let tokenBytes = 32

  public let certificate: Certificate
  public let signsCertificates: Bool
  private let sealed: SealedAPIAuthority
  private let sealer: Sealer

  /// A new CA: ECDSA P-256, because clients built on BoringSSL do not speak Ed25519; valid for ten years.
  public static func make(_ sealer: Sealer, now: Instant) throws(CryptoError) -> SealedAPIAuthority
  {
    let authority = try Authority.generate(
      organizations: ["omnid"], keyAlgorithm: .ecdsaP256, now: now.secondsSince1970)
    let certificate = authority.certificate
    return SealedAPIAuthority(
      certificatePEM: certificate.pem,
      sealedKey: try sealer.seal(authority.key.secretPEM, context: context(certificate)))
  }

  /// - Parameter signsCertificates: whether clients are let in by this CA's certificates.
  /// - Throws: when it was changed, or sealed under another master key.
  public init(
    _ sealed: SealedAPIAuthority, sealer: Sealer, signsCertificates: Bool
  ) throws(CryptoError) {
    self.sealed = sealed
    self.sealer = sealer
    self.signsCertificates = signsCertificates
    certificate = try Certificate(pem: sealed.certificatePEM)
    _ = try opened()
  }

  private static func context(_ certificate: Certificate) -> String {
    SealedAPIAuthority.sealingContext(fingerprint: certificate.fingerprint)
  }

  private func opened() throws(CryptoError) -> Authority {
    let key = try sealer.open(sealed.sealedKey, context: Self.context(certificate))
    return try Authority(certificate: certificate, key: PrivateKey(pem: key))
  }

  /// A new certificate for the server itself.
  ///
  /// - Parameters:
  ///   - dnsNames: what clients call it.
  ///   - ipAddresses: in text form.
  public func serverIdentity(
    dnsNames: [String], ipAddresses: [String], now: Instant
  ) throws(CryptoError) -> Identity {
    try opened().issue(
      LeafRequest(
        commonName: "omnid", dnsNames: dnsNames, ipAddresses: ipAddresses, usages: [.server],
        validity: Self.serverValidity.components.seconds),
      now: now.secondsSince1970)
  }

  // MARK: - CredentialMint

  public func sign(
    _ request: String, name: String, role: Role, validity: Duration, now: Instant
  ) throws(AccessError) -> SignedCertificate {
    let parsed: CertificateRequest
    do throws(CryptoError) { parsed = try CertificateRequest(pem: request) } catch {
      throw Self.refused(error.message)
    }
    switch parsed.keyAlgorithm {
    case .ed25519, .ecdsaP256, .ecdsaP384, .ecdsaP521: break
    case .rsa(let bits) where bits >= 2048: break
    default:
      throw Self.refused(
        "its key is \(parsed.keyAlgorithm): use ECDSA P-256, Ed25519, or RSA of 2048 bits or more")
    }
    do throws(CryptoError) {
      let certificate = try opened().sign(
        parsed,
        as: LeafRequest(
          organizations: [role.organization], commonName: name, usages: [.client],
          validity: validity.components.seconds, backdating: 300),
        now: now.secondsSince1970)
      return SignedCertificate(
        pem: certificate.pem, serial: certificate.serialHex,
        expiresAt: Instant(secondsSince1970: certificate.notAfter))
    } catch {
      throw AccessError(.internalError, "the certificate cannot be signed: \(error.message)")
    }
  }

  private static func refused(_ problem: String) -> AccessError {
    AccessError(
      .invalidArgument, "certificate_request cannot be signed: \(problem)",
      violations: [.init("certificate_request", "cannot be signed: \(problem)")])
  }

  public func makeToken() -> MintedToken {
    let text =
      Self.tokenPrefix + Base64.encode(Random.bytes(Self.tokenBytes), alphabet: .url, padded: false)
    return MintedToken(
      text: text, id: "t-" + Hexadecimal.encode(Random.bytes(8)),
      hash: SHA256.digest(Array(text.utf8)))
  }

  public func hash(ofToken token: String) -> [UInt8]? {
    guard token.hasPrefix(Self.tokenPrefix), token.utf8.count <= 128 else { return nil }
    return SHA256.digest(Array(token.utf8))
  }
}
