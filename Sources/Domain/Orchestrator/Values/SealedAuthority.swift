public import Rotation

/// A certificate authority whose private key is encrypted.
///
/// The key is never in clear outside the driver, which seals and opens it.
public struct SealedAuthority: Sendable, Hashable {
  public var certificatePEM: String
  /// Lower-case hexadecimal SHA-256 of the certificate's DER.
  public var fingerprint: String
  /// Opens only for `binding` and `fingerprint`: see `AuthorityBinding.sealingContext`. Empty for an authority that
  /// machines accept and whose key is not known here (`hasKey`).
  public var sealedKey: [UInt8]
  /// What the key was sealed for.
  public var binding: AuthorityBinding

  public init(
    certificatePEM: String, fingerprint: String, sealedKey: [UInt8], binding: AuthorityBinding
  ) {
    self.certificatePEM = certificatePEM
    self.fingerprint = fingerprint
    self.sealedKey = sealedKey
    self.binding = binding
  }

  /// Whether certificates can be issued from it. False only for the old authority, or the one that is taken out again, of
  /// a rotation that was taken over from somebody else.
  public var hasKey: Bool { !sealedKey.isEmpty }
}

extension SealedAuthority: CustomStringConvertible, CustomDebugStringConvertible {
  /// Names the authority; the key is not shown, not even sealed.
  public var description: String { "authority \(fingerprint)" }
  public var debugDescription: String { description }
}

/// Whose an authority is: the place where its key may be used, and no other.
///
/// The binding is part of what the seal of the key authenticates, so that a key that was moved to another
/// cluster, another component or another rotation does not open there.
public struct AuthorityBinding: Sendable, Hashable {
  /// The cluster's name.
  public var cluster: String
  public var component: SecretComponent
  /// The identifier of the rotation that made the authority; empty for one that was imported.
  public var rotation: String

  public init(cluster: String, component: SecretComponent, rotation: String = "") {
    self.cluster = cluster
    self.component = component
    self.rotation = rotation
  }

  /// What the seal of the authority's key authenticates beside the key.
  ///
  /// Each field stands behind its length, so that no two bindings have the same context.
  ///
  /// - Parameter fingerprint: that of the authority's certificate.
  public func sealingContext(fingerprint: String) -> String {
    [cluster, component.rawValue, rotation, fingerprint]
      .reduce("omnid authority 2") { "\($0) \($1.utf8.count):\($1)" }
  }
}
