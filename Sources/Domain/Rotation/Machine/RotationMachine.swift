/// One rotation, from its first stage to its end: what has happened goes in, what is to be done
/// comes out.
///
///     assembling ──▶ rolling(PRE_ROTATE) ⇄ gating ──▶ rolling(ROTATE) ⇄ gating ──▶
///       │    │           │         │                  │        rolling(POST_ROTATE) ⇄ gating ──▶ succeeded
///       │    │           │         ▼ aborted          ▼ aborted
///       │    │ no machine│   undoing PRE_ROTATE ◀── undoing ROTATE, each rolling ⇄ gating
///       │    │  touched  │         │
///       │    └───────────┴─────────┴──▶ aborted
///       └──▶ failed
///
/// From the first machine of POST_ROTATE on there is no way back, because machines refuse the old authority.
/// It holds no clock and does no I/O. Each input is a method named for what happened; it changes
/// the state and returns the effects to carry out *after* the new state has been persisted. Every
/// effect is idempotent, since `resumed` orders the ones that are outstanding anew. An effect
/// replaces an earlier one of the same `Effect.Key`. An input that comes too late (for a machine
/// that has left, or is in another state by now) changes nothing and orders nothing.
///
/// Waiting is a state, with reason and time of the next try; it has no end, since only what is
/// outside can end it. A rotation fails only while no machine has been touched.
///
/// The files beside this one hold the inputs: of the members, of one machine, of the cluster, and of whoever aborts
/// the rotation.
public struct RotationMachine: Sendable, Hashable {
  public enum State: Sendable, Hashable {
    /// The members are asked for, for the first time. No machine has been touched.
    case assembling(Effort)
    /// The machines take their turns.
    case rolling(Stage)
    /// All machines of the stage are verified; the cluster as a whole is being.
    case gating(Stage, Gate)
    /// Every machine trusts the new authority and nothing else. The end.
    case succeeded(Stage)
    /// It cannot be carried out, and no machine was touched. The end.
    case failed(reason: String)
    /// Somebody has aborted it, and every machine trusts the old authority and nothing else. The end.
    ///
    /// The stage is the one that was undone last; nil where no machine was touched.
    case aborted(by: String, Stage?)
  }

  /// What is to be done next. A delay counts from the moment the effect is ordered.
  public enum Effect: Sendable, Hashable {
    /// Read the members, then `membersListed`, `membersUnavailable` or `membersRefused`.
    case listMembers(after: Duration)
    /// See what the machine shows before its change, then `machinePrepared` or `preparationFailed`.
    case prepare(String)
    /// Change the machine's configuration now, then `changeApplied` or `changeFailed`.
    case apply(String)
    /// Wait, then `attemptDue`. Nothing is done to the machine before that is persisted.
    case attempt(String, after: Duration)
    /// Look at the machine, then `machineChecked`.
    case verify(String, after: Duration)
    /// Make the machine ask for the trust of the stage, then `trustRefreshed` or `refreshFailed`.
    case refreshTrust(String)
    /// Make what the machine tries permanent, then `changePersisted` or `persistFailed`.
    case persist(String)
    /// Look at every machine and at the cluster, then `clusterChecked`.
    case verifyCluster(after: Duration)
    /// Have what aggregated API servers are told written anew, then `clusterRenewed`.
    case renewExtensionAuthentication
    /// Ask the hooks whether the stage may begin, then `hooksAnswered`.
    case askHooks(RotationPhase, after: Duration)
  }

  public internal(set) var state: State
  /// What else happened, newest last; the newest `noteLimit`.
  public internal(set) var notes: [String]
  let component: SecretComponent
  let rules: RotationRules
  /// Whether no machine is changed for now: somebody wants the rotation aborted, and what a change comes to that
  /// is on its way is waited for. Not persisted.
  public internal(set) var isHeld = false
  /// The control planes whose processes lead the cluster, as last seen; they go last, in this order. Only the order
  /// of the turns depends on it. Not persisted: it is learned anew with the members.
  public internal(set) var leaders: [String] = []
  /// Whose turn may not begin. Recorded with the cluster, not with the rotation.
  public internal(set) var locks: Locks
  /// The wait before POST_ROTATE.
  let soak: Soak?
  /// The time by a clock that is never set, as of the input that comes next; nil: nobody tells. Not persisted.
  public var uptime: Duration?
  /// How much was left of the wait, and when by that clock. Not persisted.
  var soakLeft: SoakLeft?
  /// Since when machines are missing from the members, by that clock. Not persisted: after a restart it is counted anew.
  var missing: [String: Duration] = [:]
  /// Whether hooks are asked before each stage on the way forward. Not persisted: a restart may change it.
  let asksHooks: Bool
  /// Whether the hooks before the next stage have agreed, and nothing was found since that puts it off. Not
  /// persisted: after a restart they are asked anew.
  var haveHooksAgreed = false

  /// The most notes that are kept.
  public static let noteLimit = 32

  /// A rotation that has not begun. The first input is `resumed`.
  public init(component: SecretComponent, notes: [String] = [], rules: RotationRules) {
    self.init(component: component, state: .assembling(Effort()), notes: notes, rules: rules)
  }

  /// A rotation as it was persisted. The first input is `resumed`.
  ///
  /// Of a change that was on its way when the process ended nobody knows what came of it, so it counts as sent,
  /// whatever comes of the next try.
  public init(
    component: SecretComponent, state: State, notes: [String], rules: RotationRules,
    locks: Locks = Locks(), soak: Soak? = nil, asksHooks: Bool = false
  ) {
    self.asksHooks = asksHooks
    self.locks = locks
    self.soak = soak
    self.component = component
    self.state = state.afterRestart
    self.notes = notes.suffix(Self.noteLimit)
    self.rules = rules
  }

  // MARK: - Beginning

  /// The process has just taken the rotation up, for the first time or again.
  public func resumed(at now: Instant) -> [Effect] {
    switch state {
    case .assembling:
      return [.listMembers(after: .zero)]
    case .rolling(let stage):
      // Asked anew also where nobody is configured any more: then nothing holds the stage.
      let asking = stage.isHeld ? asking(stage.phase, after: .zero) : []
      return [.listMembers(after: .zero)] + asking
        + stage.machines.compactMap { outstanding($0, at: now) }
    case .gating(_, let gate):
      switch gate.step {
      case .cluster:
        return [.verifyCluster(after: .zero), .listMembers(after: rules.memberInterval)]
      case .renewal:
        return [.renewExtensionAuthentication, .listMembers(after: rules.memberInterval)]
      case .members, .soak, .hooks: return [.listMembers(after: .zero)]
      }
    case .succeeded, .failed, .aborted:
      return []
    }
  }

  private func outstanding(_ progress: MachineProgress, at now: Instant) -> Effect? {
    let id = progress.machine.id
    switch progress.state {
    case .pending, .verified, .undone: return nil
    case .preparing: return .prepare(id)
    case .applying: return .apply(id)
    case .waiting(let effort):
      return .attempt(id, after: effort.remaining(at: now, backoff: rules.backoff))
    case .verifying, .confirming: return .verify(id, after: .zero)
    case .refreshing: return .refreshTrust(id)
    case .persisting: return .persist(id)
    }
  }

  /// Adds what whoever looks at the rotation has to know, a line each; of many the newest stay (`noteLimit`).
  public mutating func note(_ lines: [String]) {
    guard !lines.isEmpty else { return }
    notes = (notes + lines.map { $0.bounded(to: CheckResult.detailLimit) })
      .suffix(RotationMachine.noteLimit)
  }
}

extension RotationMachine.State {
  /// The state with every change that is on its way counted as one that was sent, and without a look that was made
  /// before: nobody knows how long ago that was.
  fileprivate var afterRestart: RotationMachine.State {
    if case .gating(let stage, var gate) = self, [.members, .hooks].contains(gate.step) {
      gate.step = .cluster
      return .gating(stage, gate)
    }
    guard case .rolling(var stage) = self else { return self }
    for index in stage.machines.indices {
      if case .applying = stage.machines[index].state { stage.machines[index].changeSent() }
    }
    stage.confirmAgain()
    return .rolling(stage)
  }

  /// Whether the rotation is over.
  public var isFinal: Bool {
    switch self {
    case .succeeded, .failed, .aborted: true
    case .assembling, .rolling, .gating: false
    }
  }

  /// The stage, with every machine in it; nil before the members are known, and where it is over
  /// before any machine was touched.
  public var stage: Stage? {
    switch self {
    case .rolling(let stage), .gating(let stage, _), .succeeded(let stage): stage
    case .aborted(_, let stage): stage
    case .assembling, .failed: nil
    }
  }
}

extension RotationMachine.Effect {
  /// What an effect is about. There is at most one outstanding per key: a newer one replaces it.
  public enum Key: Sendable, Hashable {
    case members
    case machine(String)
    case cluster
    case hooks
  }

  public var key: Key {
    switch self {
    case .listMembers: .members
    case .prepare(let id), .apply(let id), .attempt(let id, _), .verify(let id, _),
      .refreshTrust(let id), .persist(let id):
      .machine(id)
    case .verifyCluster, .renewExtensionAuthentication: .cluster
    case .askHooks: .hooks
    }
  }

  /// How long to wait before it is carried out.
  public var delay: Duration {
    switch self {
    case .prepare, .apply, .refreshTrust, .persist, .renewExtensionAuthentication: .zero
    case .listMembers(let delay), .attempt(_, let delay), .verify(_, let delay),
      .verifyCluster(let delay), .askHooks(_, let delay):
      delay
    }
  }
}
