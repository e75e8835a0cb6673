public import Rotation

/// How a rotation stands, as people and services see it.
public enum RotationState: String, Sendable, Hashable, CaseIterable {
  /// The cluster has never been rotated.
  case idle
  case running
  /// In progress, and no machine is in work: locks keep the next ones from being changed.
  case paused
  /// On the way back to the old authority.
  case aborting
  case succeeded
  case failed
  /// Ended by somebody: no machine was touched, or every machine is as it was.
  case aborted
}

/// The state of a cluster's rotation at one revision: of the one that runs, or of the last.
///
/// A view of the record: what it shows is worked out when it is asked for, so that a snapshot costs nothing by itself,
/// however many machines there are.
public struct RotationSnapshot: Sendable, Hashable {
  public let cluster: String
  public let revision: Revision
  /// Nil when the cluster has never been rotated.
  let rotation: RotationRecord?
  /// Who keeps the cluster and its machines from being changed; empty in a history.
  public let locks: Locks
  /// Retired authorities that have come back into machines' configurations; empty in a history.
  public let returned: [ReturnedAuthority]
  /// Who goes on with what rotations have retired, as of the last count; empty in a history.
  public let staleTrust: [StaleTrust]
  /// Credentials that omnid has issued from the authority that goes: from the new one where the rotation goes, or went,
  /// back. Empty in a history. One that has ended meanwhile may be among them.
  public let retiringCredentials: HeldCredentials
  /// Why the journal cannot be written; empty when it can.
  var outage = ""

  // No getter is inlined: of many in one function the compiler (6.3.1) makes code that it then refuses itself, in
  // release builds.

  /// A cluster as it stands, with its newest rotation.
  init(cluster: ClusterRecord, rotation: RotationRecord?) {
    self.cluster = cluster.name
    self.rotation = rotation
    locks = cluster.locks
    returned = cluster.returned
    staleTrust = cluster.staleTrust
    retiringCredentials =
      rotation.map { cluster.credentials.of($0.retiring.fingerprint) } ?? HeldCredentials()
    revision = max(cluster.revision, rotation?.revision ?? 0)
  }

  /// A rotation as it stands, or as it ended.
  init(rotation: RotationRecord) {
    cluster = rotation.cluster
    self.rotation = rotation
    locks = Locks()
    returned = []
    staleTrust = []
    retiringCredentials = HeldCredentials()
    revision = rotation.revision
  }

  /// Empty when the cluster has never been rotated; then everything below `state` is empty too.
  @inline(never) public var rotationID: String { rotation?.id ?? "" }
  @inline(never) public var component: SecretComponent? { rotation?.component }
  /// What else is worth knowing: machines that joined or left. The newest 32.
  @inline(never) public var notes: [String] { rotation?.notes ?? [] }
  @inline(never) public var startedAt: Instant? { rotation?.startedAt }
  @inline(never) public var updatedAt: Instant? { rotation?.updatedAt }
  @inline(never) public var finishedAt: Instant? { rotation?.finishedAt }
  @inline(never) public var oldFingerprint: String { rotation?.old.fingerprint ?? "" }
  @inline(never) public var newFingerprint: String { rotation?.new.fingerprint ?? "" }
  @inline(never) public var reason: String { rotation?.reason ?? "" }
  @inline(never) public var cause: RotationCause? { rotation?.cause }
  /// Whether somebody else had begun it, and it was taken over.
  @inline(never) public var isAdopted: Bool { rotation?.isAdopted ?? false }
  @inline(never) public var requester: String { rotation?.requester ?? "" }
  /// The call that has said last what the rotation has to do, as the server's log has the call.
  @inline(never) public var call: String { rotation?.call ?? "" }
  /// For how long it has been carried out, or was, by the monotonic clock.
  @inline(never) public var elapsed: Duration { rotation?.elapsed ?? .zero }
  /// When it is over: what a person should do next.
  @inline(never) public var nextSteps: [String] { rotation.map { NextSteps.lines($0) } ?? [] }

  /// Machines verified in the current stage.
  @inline(never) public var machinesDone: Int { stage?.done ?? 0 }
  @inline(never) public var machinesTotal: Int { stage?.machines.count ?? 0 }
  /// Control planes first, each role by name.
  @inline(never) public var machines: [MachineSnapshot] { stage?.machines.map { shown($0) } ?? [] }

  /// The machines of those names, in the order of `machines`.
  public func machines(_ names: Set<String>) -> [MachineSnapshot] {
    stage?.machines.filter { names.contains($0.machine.id) }.map { shown($0) } ?? []
  }

  /// Whether nothing is under way.
  @inline(never) public var isIdle: Bool { rotation?.state.isFinal ?? true }
  /// When the wait before POST_ROTATE ends by itself; nil while there is none, and where somebody has to end it.
  @inline(never) public var soakEndsAt: Instant? {
    guard case .gating(let stage, let gate)? = rotation?.state, gate.step == .soak else {
      return nil
    }
    return stage.soaking?.endsAt
  }
  /// The stage that waits for its hooks; nil where none does. While the cluster is locked they are not asked.
  @inline(never) public var hold: StageHold? {
    guard var hold = rotation?.state.hold else { return nil }
    if locks.cluster != nil { hold.effort.nextAttemptAt = nil }
    return hold
  }
  /// Since when every machine refuses the authority that went; nil while the rotation is under way.
  @inline(never) public var refusedEverywhereAt: Instant? { isIdle ? stage?.closing?.at : nil }
  /// Whether it goes, or went, back to the old authority.
  @inline(never) public var isGoingBack: Bool { stage?.reversal != nil }

  var stage: Stage? { rotation?.state.stage }
}

/// One machine in a `RotationSnapshot`.
public struct MachineSnapshot: Sendable, Hashable {
  public enum State: String, Sendable, Hashable, CaseIterable {
    /// Its turn has not come.
    case pending
    /// Its configuration is being changed.
    case applying
    /// The change is made; it is being looked at.
    case verifying
    /// Something stands in the way: see `checks`, `lastError`, `waitingSince`, `nextAttemptAt`.
    case waiting
    /// Verified in this stage.
    case done
  }

  public var machine: String
  public var address: String
  /// Of the Talos API.
  public var port: Int
  public var role: MachineRole
  public var phase: RotationPhase
  public var state: State
  /// What was seen when it was last looked at.
  public var checks: [CheckRecord]
  /// How often it was changed or looked at in this stage.
  public var attempts: Int
  /// How often the change had to be made again, because somebody else had undone it.
  public var repetitions: Int
  /// Empty when nothing stands in the way.
  public var lastError: String
  /// Since when it is waited for; nil when it is not.
  public var waitingSince: Instant?
  public var nextAttemptAt: Instant?
  /// Since when `state` is what it is; nil before its turn.
  public var stateSince: Instant?
  /// Who keeps it from being changed.
  public var lock: Lock?
  /// When it had its turn in each stage, the earliest first. Empty while the rotation is under way.
  public var times: [StageTimes] = []
}

/// The answer to a request to rotate.
public struct RotationTicket: Sendable, Hashable {
  /// The rotation that was started or attached to; on a dry run, how the cluster stands.
  public var status: RotationSnapshot
  /// Whether the rotation was under way already. On a dry run: whether it would attach.
  public var attached: Bool
  /// What the whole rotation does, one step after the other.
  public var plan: [PlannedStep]
  /// What a person should know: on a dry run beforehand, else of what was asked for and does not come with the rotation.
  public var notes: [String]
  /// When the same request was answered before; nil: it was not.
  public var answeredAt: Instant?

  public init(
    status: RotationSnapshot, attached: Bool, plan: [PlannedStep], notes: [String] = []
  ) {
    self.notes = notes
    self.status = status
    self.attached = attached
    self.plan = plan
  }
}

/// One step of a plan: machines of one role in one stage.
public struct PlannedStep: Sendable, Hashable {
  public var phase: RotationPhase
  public var role: MachineRole
  /// In the order in which they take their turn; never empty.
  public var machines: [String]
  /// How many are in work at once at most.
  public var parallel: Int
  /// What each holds after the step.
  public var bundle: TrustBundle

  public init(
    phase: RotationPhase, role: MachineRole, machines: [String], parallel: Int, bundle: TrustBundle
  ) {
    self.phase = phase
    self.role = role
    self.machines = machines
    self.parallel = parallel
    self.bundle = bundle
  }
}

/// A page of a cluster's history, the newest rotation first.
public struct RotationPage: Sendable, Hashable {
  public var rotations: [RotationSnapshot]
  /// Opaque; empty on the last page.
  public var nextPageToken: String

  public init(rotations: [RotationSnapshot], nextPageToken: String) {
    self.rotations = rotations
    self.nextPageToken = nextPageToken
  }
}
