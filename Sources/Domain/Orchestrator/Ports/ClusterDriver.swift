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
  /// Every machine is known by the identity that it shows itself, whatever discovery says of it, and
  /// every control plane has shown that it holds the keys of the authorities it issues from.
  ///
  /// - Throws: `.invalidInput` for a talosconfig that cannot be used, `.unsupportedVersion` for
  ///   Talos before 1.7, `.unreachable`, `.refused`, `.conflict`, `.invalidConfig`, `.unauthenticated`,
  ///   `.permissionDenied`.
  func discover(_ request: DiscoveryRequest) async throws(DriverError) -> DiscoveredCluster

  /// Reads from the machines of a cluster how far somebody else has come with a rotation. Changes nothing.
  ///
  /// Machines that let in clients of different authorities are all read: with the talosconfig, with what the record has,
  /// and with authorities whose keys other machines hold. What cannot be told apart is in the answer
  /// (`SurveyedCluster.unclear`), and keeps nothing else from being told.
  ///
  /// - Throws: as `discover`, and `.conflict` where a machine is not what it calls itself; `.refused` without an
  ///   implementation.
  func survey(_ request: SurveyRequest) async throws(DriverError) -> SurveyedCluster

  /// Makes a new authority, its key sealed for `binding`. Touches no machine.
  ///
  /// - Parameter earliestClock: what the slowest of the machines' clocks shows; the certificate is valid
  ///   from before then on. Nil: not known.
  func makeAuthority(
    _ binding: AuthorityBinding, earliestClock: Instant?
  ) async throws(DriverError) -> SealedAuthority

  /// The members as the cluster knows them now. Host names are unique. One that has been down for
  /// long may be missing: whether it has left for good is what `departure` answers.
  func members(_ access: ClusterAccess) async throws(DriverError) -> [Machine]

  /// Whether a machine that `members` does not name has been removed from the cluster for good, by
  /// evidence of its own: its Kubernetes node is gone too, say. In doubt it has not: a machine that is
  /// waited for in vain is seen and can be removed; one that is forgotten comes back and is locked
  /// out. Without an implementation nobody ever leaves.
  func departure(of machine: Machine, access: ClusterAccess) async -> Departure

  /// The control planes whose processes lead the cluster just now and would be waited for if they were changed, the
  /// one that is better changed later at the end. A hint for the order of the turns, given with every list of
  /// members: one that is out of date, or empty, costs time and nothing else. Without an implementation there is
  /// none.
  func leaders(_ access: ClusterAccess) async -> [String]

  /// Which of the machines do not answer now. Without an implementation all answer.
  func unreachable(_ machines: [Machine], access: ClusterAccess) async -> Set<String>

  /// Asks every machine whether a rotation can reach its end: what a start does before anything is
  /// recorded, and a dry run alike. Changes nothing.
  ///
  /// - Throws: what keeps it from being found out at all; what machines show is in the answer.
  func preflight(
    _ component: SecretComponent, options: RotationOptions, access: ClusterAccess
  ) async throws(DriverError) -> Preflight

  /// What a machine shows before its change, for `verify` to compare with. Changes nothing.
  func prepare(
    _ change: TrustChange, machine: Machine, access: ClusterAccess
  ) async throws(DriverError) -> Baseline

  /// Brings the machine's configuration to what the stage asks for (`change.bundle(for:)`).
  ///
  /// Idempotent: it is called again after a restart, and whenever it is not known whether the last
  /// call had its effect. Returning means that the machine took the configuration, not that it
  /// already acts on it. A private key is written only where the configuration holds the private key
  /// of the authority that it issues from already.
  ///
  /// - Throws: `DriverError.sent` says whether the configuration went out.
  func apply(
    _ change: TrustChange, to machine: Machine, access: ClusterAccess
  ) async throws(DriverError) -> ApplyOutcome

  /// Asks everything that has to hold for this machine in this stage. Failing to reach it is an
  /// answer too (`reachable`, failed). The machine counts as verified when every result is passed
  /// or not applicable, and there is at least one.
  ///
  /// It only looks. While nothing is wrong and something is merely not there yet, it may go on looking for a
  /// few seconds before it answers, so that the answer comes as soon as all is there.
  ///
  /// - Parameter baseline: what `prepare` saw before the change of this stage; nil where nothing had to
  ///   be seen.
  func verify(
    _ change: TrustChange, machine: Machine, baseline: Baseline?, access: ClusterAccess
  ) async -> [CheckResult]

  /// Waits before `verify` is called again: for `limit`, or until the machine shows that something has changed of what
  /// the answer before waits for, which is a hint and proves nothing. Changes nothing. Without an implementation it sleeps by
  /// the clock.
  ///
  /// - Throws: `CancellationError` as soon as the task is cancelled.
  func awaitChange(
    _ change: TrustChange, of machine: Machine, access: ClusterAccess, atMost limit: Duration,
    by clock: any OrchestratorClock
  ) async throws(CancellationError)

  /// Makes the change permanent that a machine tries (`RotationOptions.tryTimeout`). Idempotent.
  ///
  /// - Throws: `.conflict` where the trial is over, or something else is tried with it; `.refused` without an
  ///   implementation.
  func persist(
    _ change: TrustChange, on machine: Machine, access: ClusterAccess
  ) async throws(DriverError)

  /// Makes a machine that goes on with the trust of the stage before ask for the new one. Changes nothing
  /// of what the machine is to trust. Idempotent as far as a person is concerned: to ask once too often does
  /// no harm.
  func refreshTrust(
    _ change: TrustChange, of machine: Machine, access: ClusterAccess
  ) async throws(DriverError)

  /// Has what aggregated API servers are told of clients written anew. Idempotent. Returns when it has
  /// been.
  func renewExtensionAuthentication(
    _ change: TrustChange, access: ClusterAccess
  ) async throws(DriverError)

  /// Asks everything that has to hold for the whole cluster before the next stage begins, or
  /// before the rotation counts as done after the last; every machine once more, and more strictly
  /// than on its turn. It only looks.
  ///
  /// - Parameter baselines: by machine, as for `verify`.
  func verifyCluster(
    _ change: TrustChange, baselines: [String: Baseline], access: ClusterAccess
  ) async -> ClusterReport

  /// Whether the machines still issue from the authorities of the record.
  func standing(_ access: ClusterAccess) async -> ClusterStanding

  /// Which of the retired authorities stand in the machines' configurations. Changes nothing.
  ///
  /// - Returns: by machine; one that could not be asked is missing. Without an implementation all are.
  func sightings(
    of retired: RetiredAuthorities, access: ClusterAccess
  ) async -> [String: Set<RetiredSighting>]

  /// Who goes on with what a rotation has retired. Changes nothing.
  ///
  /// - Throws: what keeps it from being found out; `.refused` without an implementation.
  func staleTrust(
    _ stale: StaleTrust, access: ClusterAccess
  ) async throws(DriverError) -> StaleTrustCount

  /// What a person wants to know of an authority. Nil for what is no certificate.
  func describe(_ authority: SealedAuthority) -> AuthorityDescription?

  /// A fresh, short-lived talosconfig.
  func talosconfig(
    _ access: ClusterAccess, roles: [String], ttl: Duration
  ) async throws(DriverError) -> ClientConfiguration

  /// A fresh, short-lived administrator's kubeconfig.
  func kubeconfig(
    _ access: ClusterAccess, ttl: Duration
  ) async throws(DriverError) -> ClientConfiguration

  /// The cluster's present secrets in the form of `talosctl gen secrets`, read from a control plane. Holds private keys.
  ///
  /// - Throws: `.unreachable`, `.conflict` where the control plane issues from another authority than the record has,
  ///   `.invalidConfig`; `.refused` without an implementation.
  func secretsBundle(_ access: ClusterAccess) async throws(DriverError) -> String

  /// The authority with its private key, for a person who has to have it. Holds a private key.
  ///
  /// - Throws: `.internalError` where the key does not open; `.refused` without an implementation.
  func opened(_ authority: SealedAuthority) async throws(DriverError) -> OpenedAuthority

  /// What a client certificate says of itself.
  ///
  /// - Parameter certificate: PEM; the first certificate counts.
  /// - Throws: `.invalidInput` for what is none.
  func read(certificate: String) throws(DriverError) -> ClientCertificate

  /// Which of the authorities has signed a client certificate; nil: none of them.
  func issuer(of certificate: String, among authorities: [SealedAuthority]) -> SealedAuthority?

  /// Which machines let in clients of an authority now, by what they use. Changes nothing.
  func acceptance(
    of authority: SealedAuthority, access: ClusterAccess
  ) async -> [MachineAcceptance]

  /// Which machines let in whoever has a certificate now, by any authority that they list and that has signed it, on
  /// record or not. Changes nothing.
  ///
  /// - Parameter certificate: PEM; the first certificate counts.
  func acceptance(
    ofClient certificate: String, access: ClusterAccess
  ) async -> [MachineAcceptance]

  /// When the authority ends that credentials of the component are issued from now: none lives longer. Nil
  /// when it is not known, as without an implementation.
  func issuerExpiry(_ component: SecretComponent, access: ClusterAccess) -> Instant?
}

/// An authority's certificate, as far as people look at it.
public struct AuthorityDescription: Sendable, Hashable {
  /// As in `O=talos`.
  public var subject: String
  public var notBefore: Instant
  public var notAfter: Instant

  public init(subject: String, notBefore: Instant, notAfter: Instant) {
    self.subject = subject
    self.notBefore = notBefore
    self.notAfter = notAfter
  }
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
  /// What the rotation is allowed beyond the usual.
  public var options: RotationOptions

  public init(
    component: SecretComponent, phase: RotationPhase, direction: RotationDirection = .forward,
    old: SealedAuthority, new: SealedAuthority, options: RotationOptions = RotationOptions()
  ) {
    self.options = options
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

  /// Whether machines accept one of the two authorities no longer once the change is made.
  public var dropsAuthority: Bool {
    bundle(for: .controlPlane).accepted.count < AuthorityGeneration.allCases.count
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
  /// What earlier rotations have retired, where machines are looked for that somebody may have given it again; empty
  /// elsewhere.
  public var retired = RetiredAuthorities()

  public init(cluster: ClusterRecord, rotation: TrustChange? = nil) {
    self.cluster = cluster
    self.rotation = rotation
  }
}
