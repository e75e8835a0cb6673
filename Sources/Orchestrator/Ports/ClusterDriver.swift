public import Rotation

/// What the orchestrator needs from whoever talks to machines.
///
/// Every call returns within a bounded time of its own (the driver has deadlines for what it asks
/// of a machine) and ends early when its task is cancelled. Calls for different clusters, and for
/// different workers of one cluster, are made at the same time.
public protocol ClusterDriver: Sendable {
  /// Looks at a cluster that is only known by a talosconfig: its members, versions and both
  /// current authorities, their keys sealed for the cluster of that name.
  ///
  /// - Parameter context: the talosconfig's context to use; nil means its current one.
  /// - Throws: `.invalidInput` for a talosconfig that cannot be used, `.unsupportedVersion` for
  ///   Talos before 1.7, `.unreachable`, `.refused`, `.unauthenticated`, `.permissionDenied`.
  func discover(
    name: String, talosconfig: String, context: String?
  ) async throws(DriverError) -> ClusterRecord

  /// Makes a new authority, its key sealed for `binding`. Touches no machine.
  func makeAuthority(_ binding: AuthorityBinding) async throws(DriverError) -> SealedAuthority

  /// The members as the cluster knows them now. Host names are unique. One that has been down for
  /// long may be missing: whether it has left for good is what `hasLeft` answers.
  func members(_ access: ClusterAccess) async throws(DriverError) -> [Machine]

  /// Whether a machine that `members` does not name has been removed from the cluster for good, by
  /// evidence of its own: its Kubernetes node is gone too, say. In doubt, false: a machine that is
  /// waited for in vain is seen and can be removed; one that is forgotten comes back and is locked
  /// out. Without an implementation nobody ever leaves.
  func hasLeft(_ machine: Machine, access: ClusterAccess) async -> Bool

  /// Brings the machine's configuration to what the stage asks for (`change.bundle(for:)`).
  ///
  /// Idempotent: it is called again after a restart, and whenever it is not known whether the last
  /// call had its effect. Returning means that the machine took the configuration, not that it
  /// already acts on it.
  func apply(
    _ change: TrustChange, to machine: Machine, access: ClusterAccess
  ) async throws(DriverError) -> ApplyOutcome

  /// Asks everything that has to hold for this machine in this stage. Failing to reach it is an
  /// answer too (`reachable`, failed). The machine counts as verified when every result is passed
  /// or not applicable, and there is at least one.
  func verify(
    _ change: TrustChange, machine: Machine, access: ClusterAccess
  ) async -> [CheckResult]

  /// Asks everything that has to hold for the whole cluster before the next stage begins, or
  /// before the rotation counts as done after the last.
  func verifyCluster(_ change: TrustChange, access: ClusterAccess) async -> [CheckResult]

  /// A fresh, short-lived talosconfig.
  func talosconfig(
    _ access: ClusterAccess, roles: [String], ttl: Duration
  ) async throws(DriverError) -> String

  /// A fresh, short-lived administrator's kubeconfig.
  func kubeconfig(_ access: ClusterAccess, ttl: Duration) async throws(DriverError) -> String

  /// When the authority ends that credentials of the component are issued from now: none lives longer. Nil
  /// when it is not known, as without an implementation.
  func issuerExpiry(_ component: SecretComponent, access: ClusterAccess) -> Instant?
}

extension ClusterDriver {
  public func hasLeft(_ machine: Machine, access: ClusterAccess) async -> Bool { false }

  public func issuerExpiry(_ component: SecretComponent, access: ClusterAccess) -> Instant? { nil }
}

/// What `apply` found.
public enum ApplyOutcome: Sendable, Hashable {
  /// The configuration differed and was changed.
  case changed
  /// The machine held it already; nothing was sent.
  case unchanged
}

/// The change a rotation makes to every machine in one stage.
public struct TrustChange: Sendable, Hashable {
  public var component: SecretComponent
  public var phase: RotationPhase
  public var direction: RotationDirection
  public var old: SealedAuthority
  public var new: SealedAuthority

  public init(
    component: SecretComponent, phase: RotationPhase, direction: RotationDirection = .forward,
    old: SealedAuthority, new: SealedAuthority
  ) {
    self.component = component
    self.phase = phase
    self.direction = direction
    self.old = old
    self.new = new
  }

  /// What a machine of `role` holds once the change is made.
  public func bundle(for role: MachineRole) -> TrustBundle {
    TrustPlan.bundle(component, phase, role, direction)
  }

  /// The authority that `generation` stands for.
  public func authority(_ generation: AuthorityGeneration) -> SealedAuthority {
    generation == .old ? old : new
  }
}

/// What the driver needs to reach a cluster: its record, and the rotation that is under way.
///
/// While one is under way, machines before and after the change stand side by side: the driver
/// presents what both accept and trusts both authorities.
public struct ClusterAccess: Sendable, Hashable {
  public var cluster: ClusterRecord
  public var rotation: TrustChange?

  public init(cluster: ClusterRecord, rotation: TrustChange? = nil) {
    self.cluster = cluster
    self.rotation = rotation
  }
}

/// Why a driver could not do what it was asked.
public struct DriverError: Error, Sendable, Hashable {
  public enum Code: String, Sendable, Hashable, CaseIterable {
    /// No answer: the machine is down, or the network is.
    case unreachable
    /// The machine answered and said no, for now (busy, another change in progress).
    case refused
    /// The machine does not accept our certificate.
    case unauthenticated
    /// It accepts the certificate, but not for this.
    case permissionDenied
    /// The machine's configuration cannot be edited, or it rejects the edited one.
    case invalidConfig
    /// Talos before 1.7.
    case unsupportedVersion
    /// Somebody else changed the configuration at the same time.
    case conflict
    /// What the caller gave cannot be used.
    case invalidInput
    /// The driver itself is at fault.
    case internalError
  }

  public var code: Code
  /// What happened and what to do about it; holds no key material.
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}
