public import Rotation

/// Something that a cluster bears from a moment on, whatever else happens to it.
enum ClusterNote: Sendable {
  case mark(ClusterMark.Kind)
  /// A credential was made, and is about to be handed out.
  case credential(HeldCredential)
  /// The machines issue from another authority, because another tool has rotated.
  case authority(SealedAuthority)
}

/// A cluster that has been imported.
///
/// A driver that discovers one fills in what it found; the fields from `importedAt` on are the
/// orchestrator's.
public struct ClusterRecord: Sendable, Hashable {
  public var name: String
  /// The identifier of the Talos cluster (`cluster.id`), by which a second import of it is noticed. Empty
  /// in records of release 0.1.0, and where the configuration has none.
  public var clusterID: String
  /// Addresses of the Talos API as the talosconfig gives them.
  public var endpoints: [String]
  /// The URL of the Kubernetes API.
  public var kubernetesEndpoint: String
  /// The authority that issues now, per component. Changes when a rotation of the component succeeds, not before, and when
  /// another tool's rotation is taken over.
  public var authorities: [SecretComponent: SealedAuthority]
  /// What the record had where another tool has rotated since: replaced in `authorities`, so that the machines can be
  /// reached, and kept until a rotation that was taken over has proved that no machine accepts it any more.
  public var predecessors: [SecretComponent: SealedAuthority]
  /// The members when they were last asked for, control planes first, each role by name.
  public var machines: [Machine]
  /// Whether the machines were named by a person, because cluster discovery is off: they are the members then, with the
  /// Kubernetes nodes beside them.
  public var isListed: Bool
  /// The lowest Talos version among the members, as `v1.9.5`.
  public var talosVersion: String
  public var importedAt: Instant
  /// The rotation that is under way.
  public var activeRotation: String?
  /// How many rotations have been started; the ordinal of the newest.
  public var rotationCount: UInt64
  /// Who keeps it from being changed.
  public var locks: Locks
  /// What stays on record until it is dealt with; each kind once.
  public var marks: [ClusterMark]
  /// Retired authorities that have come back, as of the last look.
  public var returned: [ReturnedAuthority]
  /// Who goes on with what rotations have retired, as of the last count; at most one of each component.
  public var staleTrust: [StaleTrust]
  /// Which credentials omnid has handed out that have not ended.
  public var credentials: HeldCredentials
  public var revision: Revision

  public init(
    name: String, clusterID: String = "", endpoints: [String], kubernetesEndpoint: String,
    authorities: [SecretComponent: SealedAuthority],
    predecessors: [SecretComponent: SealedAuthority] = [:], machines: [Machine],
    isListed: Bool = false, talosVersion: String,
    importedAt: Instant = Instant(nanosecondsSince1970: 0), activeRotation: String? = nil,
    rotationCount: UInt64 = 0, locks: Locks = Locks(), marks: [ClusterMark] = [],
    returned: [ReturnedAuthority] = [], staleTrust: [StaleTrust] = [],
    credentials: HeldCredentials = HeldCredentials(), revision: Revision = 0
  ) {
    self.credentials = credentials
    self.predecessors = predecessors
    self.returned = returned
    self.staleTrust = staleTrust
    self.marks = marks
    self.locks = locks
    self.name = name
    self.clusterID = clusterID
    self.endpoints = endpoints
    self.kubernetesEndpoint = kubernetesEndpoint
    self.authorities = authorities
    self.machines = machines
    self.isListed = isListed
    self.talosVersion = talosVersion
    self.importedAt = importedAt
    self.activeRotation = activeRotation
    self.rotationCount = rotationCount
    self.revision = revision
  }
}

extension ClusterRecord {
  mutating func take(_ note: ClusterNote, at now: Instant) {
    switch note {
    case .mark(let kind): marks.add(kind, at: now, of: Set(authorities.keys))
    case .credential(let credential): credentials.add(credential, at: now)
    case .authority(let authority): follow(authority, at: now)
    }
  }

  /// Puts on record what the machines issue from, where another tool has rotated. What was on record is kept until a
  /// rotation that is taken over has proved that no machine accepts it any more; the key of the new one was elsewhere.
  mutating func follow(_ authority: SealedAuthority, at now: Instant) {
    let component = authority.binding.component
    guard let before = authorities[component] else {
      authorities[component] = authority
      return
    }
    guard before.fingerprint != authority.fingerprint else { return }
    let kept = predecessors[component]
    predecessors[component] = kept?.fingerprint == authority.fingerprint ? before : kept ?? before
    authorities[component] = authority
    marks.add(.importing, at: now, of: Set(authorities.keys))
  }
}
