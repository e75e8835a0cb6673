import Crypto
import Orchestrator
import Rotation
import Synchronization

/// Opens sealed authorities for as long as it takes to sign, and keeps the short-lived certificates
/// made that way.
///
/// Keys of authorities are never kept in clear; certificates are kept in memory until half their life
/// is over.
final class Keyring: Sendable {
  /// What a certificate is for.
  enum Purpose: Hashable {
    case talos(roles: [String])
    case kubernetesAdmin
  }

  private struct Slot: Hashable {
    var authority: String
    var purpose: Purpose
  }

  private let sealer: Sealer
  private let lifetime: Int64
  private let now: @Sendable () -> Int64
  private let identities = Mutex<[Slot: Identity]>([:])
  /// What connections with those identities are made of.
  private let contexts = Mutex<[ContextSlot: TLSContext]>([:])

  private struct ContextSlot: Hashable {
    var leaf: Certificate
    var roots: [Certificate]
  }

  /// The most contexts that are kept; all are dropped when there would be more.
  private static let contextLimit = 256

  /// - Parameter lifetime: of the certificates the driver uses itself, in seconds.
  init(sealer: Sealer, lifetime: Int64, now: @escaping @Sendable () -> Int64) {
    self.sealer = sealer
    self.lifetime = lifetime
    self.now = now
  }

  /// Encrypts an authority's key, so that it opens only for `binding`.
  func seal(
    _ authority: Authority, for binding: AuthorityBinding
  ) throws(DriverError) -> SealedAuthority {
    let fingerprint = authority.certificate.fingerprint
    do {
      return SealedAuthority(
        certificatePEM: authority.certificate.pem, fingerprint: fingerprint,
        sealedKey: try sealer.seal(
          authority.key.secretPEM,
          context: binding.sealingContext(fingerprint: fingerprint)), binding: binding)
    } catch {
      throw DriverError(.internalError, "the authority's key cannot be encrypted: \(error.message)")
    }
  }

  func certificate(_ authority: SealedAuthority) throws(DriverError) -> Certificate {
    do throws(CryptoError) {
      guard
        let certificate = try SeenCertificates.shared.bundle(pem: authority.certificatePEM).first
      else { throw CryptoError(.malformed, "there is no CERTIFICATE block in the PEM text") }
      return certificate
    } catch {
      throw DriverError(.internalError, "a stored authority is no certificate: \(error.message)")
    }
  }

  /// Whether certificates can be issued from an authority now: its key is known, and it has not expired.
  func signs(_ authority: SealedAuthority) -> Bool {
    authority.hasKey && !hasExpired(authority)
  }

  /// Whether an authority is over by this host's clock, so that nothing can be issued from it and nobody lets a client of it
  /// in. One that cannot be read is not called over.
  func hasExpired(_ authority: SealedAuthority) -> Bool {
    (try? certificate(authority)).map { $0.notAfter <= now() } ?? false
  }

  /// The private key's PEM, for a configuration that has to hold it.
  func keyPEM(_ authority: SealedAuthority) throws(DriverError) -> SecretBytes {
    do {
      return try sealer.open(
        authority.sealedKey,
        context: authority.binding.sealingContext(fingerprint: authority.fingerprint))
    } catch {
      throw DriverError(
        .internalError,
        "the key of authority \(authority.fingerprint.prefix(12)) cannot be decrypted; is the "
          + "master key the one it was stored with? (\(error.message))")
    }
  }

  /// A client certificate for the driver's own use.
  func identity(
    _ purpose: Purpose, from authority: SealedAuthority
  ) throws(DriverError) -> Identity {
    let slot = Slot(authority: authority.fingerprint, purpose: purpose)
    let now = now()
    if let kept = identities.withLock({ $0[slot] }), Self.isFresh(kept.certificate, at: now) {
      return kept
    }
    let identity = try issue(purpose, from: authority, seconds: lifetime)
    identities.withLock { identities in
      // Clusters come and go; what is not valid goes with the next one made.
      identities = identities.filter {
        $0.value.certificate.notBefore <= now && $0.value.certificate.notAfter > now
      }
      identities[slot] = identity
    }
    return identity
  }

  /// The driver as a client that trusts `roots` alone; none: a probe that verifies nobody.
  func client(
    _ purpose: Purpose, from authority: SealedAuthority, trusting roots: [Certificate]
  ) throws(DriverError) -> TLSClient {
    let identity = try identity(purpose, from: authority)
    let slot = ContextSlot(leaf: identity.certificate, roots: roots)
    if let context = contexts.withLock({ $0[slot] }) {
      return TLSClient(identity: identity, roots: roots, context: context)
    }
    let context = try TLSClient.context(of: identity, trusting: roots)
    contexts.withLock { contexts in
      if contexts.count >= Self.contextLimit { contexts = [:] }
      contexts[slot] = context
    }
    return TLSClient(identity: identity, roots: roots, context: context)
  }

  /// Whether a certificate is valid, also after the clock was set back, and has half of its life ahead.
  private static func isFresh(_ certificate: Certificate, at now: Int64) -> Bool {
    let life = certificate.notAfter - certificate.notBefore - Authority.backdating
    return certificate.notBefore <= now && certificate.notAfter - now > life / 2
  }

  /// A client certificate for somebody else.
  func issue(
    _ purpose: Purpose, from sealed: SealedAuthority, seconds: Int64
  ) throws(DriverError) -> Identity {
    let keyPEM = try keyPEM(sealed)
    do throws(CryptoError) {
      let authority = try Authority(
        certificate: Certificate(pem: sealed.certificatePEM), key: PrivateKey(pem: keyPEM))
      return try authority.issue(Self.request(purpose, seconds), now: now())
    } catch {
      throw DriverError(
        error.code == .expired ? .refused : .internalError,
        "a certificate cannot be issued: \(error.message)")
    }
  }

  private static func request(_ purpose: Purpose, _ seconds: Int64) -> LeafRequest {
    switch purpose {
    case .talos(let roles):
      .talosClient(roles: roles, validity: seconds)
    case .kubernetesAdmin:
      .kubernetesAdmin(validity: seconds)
    }
  }
}
