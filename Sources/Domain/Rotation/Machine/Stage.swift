/// A stage, and how far each machine is in it.
public struct Stage: Sendable, Hashable {
  public var phase: RotationPhase
  /// Control planes first, each role by name; no name twice.
  public var machines: [MachineProgress]
  /// Asking for the members: what stands in its way.
  public var listing: Effort
  /// Whether the control planes were looked at once more after the last of them was verified. No
  /// worker begins before that.
  public var planesConfirmed: Bool
  /// Who has turned the rotation back; nil while it goes forward.
  public var reversal: Reversal?
  /// The wait after ROTATE; nil before it, and where there is none.
  public var soaking: Soaking?
  /// The last look of the rotation; nil until it was passed.
  public var closing: ClosingLook?
  /// Which machines answer, those too whose turn has not come; nil while nothing is waited for.
  public var reachability: Reachability?
  /// What keeps its own turns from beginning, or, at its gate, those of the next stage; nil where nobody is asked.
  public var hold: StageHold?

  public init(
    phase: RotationPhase, machines: [MachineProgress], listing: Effort = Effort(),
    planesConfirmed: Bool = false, reversal: Reversal? = nil, soaking: Soaking? = nil,
    closing: ClosingLook? = nil, reachability: Reachability? = nil, hold: StageHold? = nil
  ) {
    self.hold = hold
    self.reachability = reachability
    self.closing = closing
    self.soaking = soaking
    self.phase = phase
    self.machines = machines
    self.listing = listing
    self.planesConfirmed = planesConfirmed
    self.reversal = reversal
  }

  /// Whether the stage is carried out on the machines, or undone on them.
  public var direction: RotationDirection { reversal == nil ? .forward : .backward }

  /// The stage that follows; nil where this one is the last.
  var next: RotationPhase? { direction == .forward ? phase.next : phase.previous }

  /// Machines verified in this stage.
  public var done: Int { machines.count { $0.state.isDone } }

  /// Whether every machine is verified, and none is being looked at once more.
  public var isComplete: Bool { machines.allSatisfy { $0.state.turn == .done } }

  func index(of id: String) -> Int? { machines.firstIndex { $0.machine.id == id } }

  /// The positions of the control planes.
  var planes: [Int] { machines.indices.filter { machines[$0].machine.role == .controlPlane } }

  /// Has the control planes looked at once more, if no worker has begun since: nobody knows what has come to pass
  /// meanwhile.
  mutating func confirmAgain() {
    guard machines.allSatisfy({ $0.machine.role == .controlPlane || $0.state == .pending }) else {
      return
    }
    planesConfirmed = false
  }

  /// Whether a worker has been waited for so long that the control planes, which hand it its certificates and its trust, are
  /// to be looked at once more: somebody may have undone their change since the workers began.
  func isStuck(_ rules: RotationRules, at now: Instant) -> Bool {
    // A clock that was set back puts it off no longer.
    func isOver(_ since: Instant?, _ duration: Duration) -> Bool {
      guard let since else { return true }
      return since > now || since.duration(to: now) >= duration
    }
    let waits = machines.contains {
      guard $0.machine.role == .worker, case .verifying(let effort) = $0.state else { return false }
      return effort.waitingSince != nil && isOver(effort.waitingSince, rules.refreshAfter)
    }
    return waits
      && planes.allSatisfy { isOver(machines[$0].state.effort?.begunAt, rules.planeInterval) }
  }

  /// Whether the control planes have to be looked at once more, because all of them are verified and the
  /// workers, who get their certificates from them, are about to begin.
  var wantsConfirmation: Bool {
    !planesConfirmed && planes.allSatisfy { machines[$0].state.turn == .done }
      && machines.contains { $0.machine.role == .worker && $0.state.turn != .done }
  }
}

/// Which of a rotation's machines answer. Asked while something is waited for: what waits may have company.
public struct Reachability: Sendable, Hashable {
  public var at: Instant
  /// The names of those that do not answer, sorted.
  public var unreachable: [String]

  public init(at: Instant, unreachable: [String]) {
    self.at = at
    self.unreachable = unreachable
  }
}

/// Somebody has aborted a rotation that had touched machines: it goes back, stage by stage, to the old
/// authority.
public struct Reversal: Sendable, Hashable {
  /// Who asked for it.
  public var requester: String
  public var requestedAt: Instant
  /// The stage in which the rotation was.
  public var from: RotationPhase

  public init(requester: String, requestedAt: Instant, from: RotationPhase) {
    self.requester = requester
    self.requestedAt = requestedAt
    self.from = from
  }
}

/// The gate after a stage: all machines are verified, now the cluster as a whole is.
public struct Gate: Sendable, Hashable {
  public enum Step: String, Sendable, Hashable, CaseIterable {
    /// The cluster is asked until every check passes.
    case cluster
    /// All else is done, and what aggregated API servers are told is being written anew.
    case renewal
    /// All is verified, and the wait before POST_ROTATE lasts.
    case soak
    /// All is verified, and the hooks before the next stage have not agreed yet.
    case hooks
    /// The members are read once more: somebody may have joined, and must not be left behind.
    case members
  }

  public var step: Step
  public var effort: Effort

  public init(step: Step = .cluster, effort: Effort = Effort()) {
    self.step = step
    self.effort = effort
  }
}

/// What a look at the whole cluster has shown.
public struct ClusterReport: Sendable, Hashable {
  /// Every machine once more, by its name.
  public var machines: [String: [CheckResult]]
  /// What concerns the cluster as a whole.
  public var cluster: [CheckResult]
  /// What the check `coverage`, one of `cluster`, sums up.
  public var uncovered: [Finding] = []

  public init(machines: [String: [CheckResult]] = [:], cluster: [CheckResult]) {
    self.machines = machines
    self.cluster = cluster
  }

  /// How many open checks of machines are shown.
  static let shownChecks = 16

  /// All results as checks of the cluster: of the machines only what is open, each with the machine's
  /// name before what was seen, what is wrong first, then in the order of the names; of many the first, and how
  /// many more there are.
  func results(order: [String]) -> [CheckResult] {
    let open = order.flatMap { id in
      (machines[id] ?? []).filter { !$0.isSettled }.map {
        CheckResult(named: $0.name, $0.state, "\(id): \($0.detail.isEmpty ? $0.name : $0.detail)")
      }
    }
    guard !open.isEmpty || machines.isEmpty else {
      return [CheckResult(.machines, .passed, "\(machines.count) machines verified once more")]
        + cluster
    }
    let sorted = open.filter { $0.state == .failed } + open.filter { $0.state != .failed }
    var shown = Array(sorted.prefix(Self.shownChecks))
    if let next = sorted.dropFirst(Self.shownChecks).first {
      shown.append(
        CheckResult(
          .machines, next.state,
          "and \(sorted.count - Self.shownChecks) more open checks of machines, which come to light as these pass"
        ))
    }
    return shown + cluster
  }
}
