internal import Crypto

/// Which of a cluster's two roots of trust.
public enum TrustComponent: String, Sendable, CaseIterable {
  case talos
  case kubernetes
}

/// A CA that belongs to somebody who has no business in the cluster: an intruder, or a second tool.
public struct ForeignCA: Sendable, Equatable {
  public let certificate: String
  public let key: String
  /// SHA-256 of the certificate's DER, in hexadecimal.
  public let fingerprint: String

  /// Makes a CA of ten years.
  ///
  /// - Parameter organization: the subject's `O`; nil for the subject of the cluster's own CA, which
  ///   says nothing.
  /// - Throws: `SimulatorError.setup` when no key can be made.
  public init(_ component: TrustComponent, organization: String? = nil) throws(SimulatorError) {
    do {
      let authority = try Authority.generate(
        organizations: [organization ?? component.rawValue],
        keyAlgorithm: component == .talos ? .ed25519 : .ecdsaP256, now: WallClock.seconds())
      certificate = authority.certificate.pem
      key = authority.key.pem
      fingerprint = authority.certificate.fingerprint
    } catch {
      throw .setup("cannot make a CA: \(error)")
    }
  }
}
