public import Rotation

/// A certificate authority whose private key is encrypted.
///
/// The key is never in clear outside the driver, which seals and opens it.
public struct SealedAuthority: Sendable, Hashable {
  public var certificatePEM: String
  /// Lower-case hexadecimal SHA-256 of the certificate's DER.
  public var fingerprint: String
  public var sealedKey: [UInt8]

  public init(certificatePEM: String, fingerprint: String, sealedKey: [UInt8]) {
    self.certificatePEM = certificatePEM
    self.fingerprint = fingerprint
    self.sealedKey = sealedKey
  }
}

extension SealedAuthority: CustomStringConvertible, CustomDebugStringConvertible {
  /// Names the authority; the key is not shown, not even sealed.
  public var description: String { "authority \(fingerprint)" }
  public var debugDescription: String { description }
}

/// A cluster that has been imported.
///
/// A driver that discovers one fills in what it found; the fields from `importedAt` on are the
/// orchestrator's.
public struct ClusterRecord: Sendable, Hashable {
  public var name: String
  /// Addresses of the Talos API as the talosconfig gives them.
  public var endpoints: [String]
  /// The URL of the Kubernetes API.
  public var kubernetesEndpoint: String
  /// The authority that issues now, per component. Changes when a rotation succeeds, not before.
  public var authorities: [SecretComponent: SealedAuthority]
  /// The members when they were last asked for, control planes first, each role by name.
  public var machines: [Machine]
  /// The lowest Talos version among the members, as `v1.9.5`.
  public var talosVersion: String
  public var importedAt: Instant
  /// The rotation that is under way.
  public var activeRotation: String?
  /// How many rotations have been started; the ordinal of the newest.
  public var rotationCount: UInt64
  public var revision: Revision

  public init(
    name: String, endpoints: [String], kubernetesEndpoint: String,
    authorities: [SecretComponent: SealedAuthority], machines: [Machine], talosVersion: String,
    importedAt: Instant = Instant(nanosecondsSince1970: 0), activeRotation: String? = nil,
    rotationCount: UInt64 = 0, revision: Revision = 0
  ) {
    self.name = name
    self.endpoints = endpoints
    self.kubernetesEndpoint = kubernetesEndpoint
    self.authorities = authorities
    self.machines = machines
    self.talosVersion = talosVersion
    self.importedAt = importedAt
    self.activeRotation = activeRotation
    self.rotationCount = rotationCount
    self.revision = revision
  }
}
