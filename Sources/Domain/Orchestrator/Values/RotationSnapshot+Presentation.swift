public import Rotation

extension RotationSnapshot {
  @inline(never)
  public var state: RotationState {
    switch rotation?.state {
    case nil: .idle
    case .rolling(let stage) where !stage.held(by: locks).isEmpty: .paused
    case _ where hold.map { $0.effort.waitingSince != nil || locks.cluster != nil } == true: .paused
    case .gating(_, let gate) where gate.step == .soak: .paused
    case .rolling(let stage), .gating(let stage, _): stage.reversal == nil ? .running : .aborting
    case .assembling: .running
    case .succeeded: .succeeded
    case .failed: .failed
    case .aborted: .aborted
    }
  }

  /// The stage, while running; the last one reached, afterwards.
  @inline(never)
  public var phase: RotationPhase? {
    guard let rotation else { return nil }
    return rotation.state.stage?.phase ?? .preRotate
  }

  /// One line: `rotation phase PRE_ROTATE 1/5`.
  @inline(never)
  public var status: String {
    switch rotation?.state {
    case nil: "no rotation in progress"
    case .assembling: "rotation phase \(RotationPhase.preRotate.name) 0/0"
    case .rolling(let stage), .gating(let stage, _):
      (stage.reversal == nil ? "rotation phase " : "aborting, undoing phase ")
        + "\(stage.phase.name) \(stage.done)/\(stage.machines.count)"
    case .succeeded: "rotation succeeded"
    case .failed: "rotation failed"
    case .aborted(_, nil): "rotation cancelled"
    case .aborted: "rotation aborted"
    }
  }

  /// One line: what is being done, or who is waited for, why and since when.
  @inline(never)
  public var step: String {
    if let hold { return holdStep(hold) }
    return switch rotation?.state {
    case nil: ""
    case .assembling(let effort):
      effort.waitingSince == nil
        ? "reading the members of the cluster"
        : "waiting for the members of the cluster\(effort.explanation)"
    case .rolling(let stage): rollingStep(stage)
    case .gating(let stage, let gate) where gate.step == .soak:
      "paused: both CAs are accepted until "
        + (stage.soaking?.endsAt.map { "\($0), or until " } ?? "")
        + "omnictl cluster -n \(cluster) secret rotate continue; the way back is open until then"
    case .gating(let stage, let gate):
      gate.effort.waitingSince == nil
        ? "verifying the cluster after \(stage.reversal == nil ? "" : "undoing ")\(stage.phase.name)"
        : "waiting for the cluster"
          + Waiting.gateText(gate.effort.lastError, stage)
          .following(since: gate.effort.waitingSince)
    case .succeeded: "every machine accepts the new CA alone" + leftOut
    case .aborted(let requester, nil):
      "no machine was changed" + (requester.isEmpty ? "" : "; cancelled by \(requester)")
    case .aborted(let requester, _?):
      "every machine accepts the old CA alone" + leftOut
        + (requester.isEmpty ? "" : "; aborted by \(requester)")
    case .failed: "no machine was changed"
    }
  }

  /// Whom a person had left out.
  private var leftOut: String {
    guard let rotation, let stage else { return "" }
    let names = rotation.options.leftOut.beyond(stage.machines.map(\.machine))
    return names.isEmpty ? "" : "; left out, and not proved: \(names.abbreviated)"
  }

  /// The last error that stands in the way; empty when nothing does.
  @inline(never)
  public var error: String {
    guard outage.isEmpty else { return outage }
    switch rotation?.state {
    case nil, .succeeded, .aborted: return ""
    case .assembling(let effort): return effort.waitingSince == nil ? "" : effort.lastError
    case .rolling(let stage):
      return stage.waiting.first.map { "\($0.machine.id): \(Waiting.text($0, phase: stage.phase))" }
        ?? heldError ?? stage.listing.lastError
    case .gating(let stage, let gate):
      if let heldError { return heldError }
      return gate.effort.lastError.isEmpty
        ? stage.listing.lastError : Waiting.gateText(gate.effort.lastError, stage)
    case .failed(let reason): return reason
    }
  }

  /// Checks of the cluster as a whole, between two stages.
  @inline(never)
  public var clusterChecks: [CheckRecord] {
    guard case .gating(let stage, let gate)? = rotation?.state else { return [] }
    return gate.effort.checks.map { record in
      guard record.result.isNamed(.reachable), !record.result.isSettled else { return record }
      var record = record
      record.result.detail = Waiting.gateText(record.result.detail, stage)
      return record
    }
  }

  /// How many machines accept the old authority still: all, until they are verified in the last stage.
  @inline(never)
  public var oldAcceptedBy: Int {
    guard let stage, rotation != nil else { return 0 }
    if case .succeeded? = rotation?.state { return 0 }
    guard stage.phase == .postRotate, stage.reversal == nil else { return stage.machines.count }
    return stage.machines.count - stage.done
  }

  /// Which machines answer, while one is waited for.
  @inline(never)
  public var reachability: Reachability? { isIdle ? nil : stage?.reachability }

  func shown(_ progress: MachineProgress) -> MachineSnapshot {
    var machine = MachineSnapshot(progress, phase: phase ?? .preRotate)
    // While it runs every change of a machine would send them along again.
    if !isIdle { machine.times = [] }
    // A clock that was set back must not show a wait that begins in the future.
    if let latest = updatedAt {
      machine.waitingSince = machine.waitingSince.map { min($0, latest) }
      machine.stateSince = machine.stateSince.map { min($0, latest) }
    }
    machine.lock = locks.machines[machine.machine]
    if let lock = machine.lock, machine.state == .pending {
      machine.state = .waiting
      machine.lastError = lock.explanation(of: machine.machine, cluster: cluster)
      machine.waitingSince = lock.lockedAt
    }
    return machine
  }

  /// What the hooks before a stage have said, or why they are not asked.
  private func holdStep(_ hold: StageHold) -> String {
    guard let lock = locks.cluster else { return hold.explanation }
    return "paused: " + lock.explanation(cluster: cluster)
      + "; then the hooks before \(hold.phase.name) are asked"
  }

  /// What a hook has said, when that stands in the way.
  private var heldError: String? {
    hold.flatMap { $0.effort.waitingSince == nil ? nil : $0.answer }
  }

  /// Who is worked on; or, when everybody in work is waited for, for whom, why and since when.
  private func rollingStep(_ stage: Stage) -> String {
    let held = stage.held(by: locks)
    if !held.isEmpty { return "paused: " + locks.explanation(held, cluster: cluster) }
    let waiting = stage.waiting
    // What keeps the members from being read may be why a machine does not answer either.
    let listing =
      waiting.isEmpty || stage.listing.lastError.isEmpty ? "" : "; \(stage.listing.lastError)"
    let moving = stage.machines.filter {
      let state = MachineSnapshot.State($0.state)
      return state == .applying || state == .verifying
    }
    if moving.isEmpty, waiting.isEmpty {
      return "looking at the control planes once more before the workers begin"
    }
    guard moving.isEmpty, let first = waiting.first.map({ shown($0) }) else {
      let doing = stage.reversal == nil ? "rotating secret for" : "going back to the old CA on"
      return "\(doing) machines: [\(moving.map(\.machine.id).abbreviated)]" + listing
    }
    let others = waiting.count > 1 ? " and \(waiting.count - 1) more" : ""
    let since = first.waitingSince.map { " since \($0)" } ?? ""
    return "waiting for machine \(first.machine)\(others)\(since): \(first.lastError)" + listing
  }
}

extension StageHold {
  fileprivate var explanation: String {
    guard let since = effort.waitingSince else { return "asking the hooks before \(phase.name)" }
    let next = effort.nextAttemptAt.map { "; asked again at \($0)" } ?? "; being asked again"
    return "paused: hook \(hook) holds \(phase.name) since \(since): \(answer)" + next
  }
}

extension Lock {
  /// `by uid:0 since …: reason`.
  private var origin: String {
    let who = requester.isEmpty ? "" : " by \(requester)"
    return "\(who) since \(lockedAt)" + (reason.isEmpty ? "" : ": \(reason)")
  }

  fileprivate func explanation(of machine: String, cluster: String) -> String {
    "\(machine) is locked\(origin); unlock it: omnictl cluster -n \(cluster) machine unlock \(machine)"
  }

  func explanation(cluster: String) -> String {
    "cluster \(cluster) is locked\(origin); unlock it: omnictl cluster unlock \(cluster)"
  }
}

extension Locks {
  /// Why these machines' turns do not begin.
  fileprivate func explanation(_ held: [String], cluster name: String) -> String {
    if let lock = cluster { return lock.explanation(cluster: name) }
    guard let first = held.first, let lock = machines[first] else { return "" }
    let others = held.count > 1 ? " (and \(held.count - 1) more)" : ""
    return lock.explanation(of: first, cluster: name) + others
  }

  /// What keeps a rotation from being started; nil where nothing does.
  func obstacle(cluster name: String) -> String? {
    if let lock = cluster { return lock.explanation(cluster: name) }
    return machines.min { $0.key < $1.key }.map { machine, lock in
      lock.explanation(of: machine, cluster: name)
        + (machines.count > 1 ? " (and \(machines.count - 1) more)" : "")
    }
  }
}

extension Stage {
  /// The machines that something stands in the way of.
  fileprivate var waiting: [MachineProgress] {
    machines.filter {
      MachineSnapshot.State($0.state) == .waiting && $0.state.effort?.lastError.isEmpty == false
    }
  }
}

extension Effort {
  /// ` since …: reason`, for the end of a line.
  fileprivate var explanation: String { lastError.following(since: waitingSince) }
}

extension String {
  /// ` since …: reason`, for the end of a line.
  fileprivate func following(since: Instant?) -> String {
    (since.map { " since \($0)" } ?? "") + ": \(self)"
  }
}

extension [String] {
  /// The first two, then how many more: `a, b, 3 more`.
  var abbreviated: String {
    count <= 2
      ? joined(separator: ", ") : "\(self[0]), \(self[1]), \(count - 2) more"
  }
}

extension MachineSnapshot {
  init(_ progress: MachineProgress, phase: RotationPhase) {
    let effort = progress.state.effort
    machine = progress.machine.id
    address = progress.machine.address
    port = progress.machine.port
    role = progress.machine.role
    self.phase = phase
    checks = effort?.checks ?? []
    attempts = effort?.attempts ?? 0
    lastError = Waiting.text(progress, phase: phase)
    waitingSince = effort?.waitingSince
    nextAttemptAt = effort?.nextAttemptAt
    repetitions = effort?.repetitions ?? 0
    stateSince = effort?.begunAt
    times = progress.times
    state = State(progress.state)
  }
}

extension MachineSnapshot.State {
  fileprivate init(_ state: MachineState) {
    switch state {
    case .pending: self = .pending
    case .verified: self = .done
    case .waiting, .undone, .refreshing: self = .waiting
    // It stays done as long as nothing is seen to the contrary.
    case .confirming(let effort): self = effort.waitingSince == nil ? .done : .waiting
    case .preparing(let effort), .applying(let effort):
      self = effort.waitingSince == nil ? .applying : .waiting
    // The first looks after a change find a machine that is still acting on it: that is no waiting.
    case .persisting: self = .verifying
    case .verifying(let effort): self = effort.isStuck ? .waiting : .verifying
    }
  }
}

extension Effort {
  /// Whether it takes longer than a machine usually needs to act on its configuration.
  fileprivate var isStuck: Bool {
    failures > 5 || checks.contains { $0.result.state == .failed }
  }
}
