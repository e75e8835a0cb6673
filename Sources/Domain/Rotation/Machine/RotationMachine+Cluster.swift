extension RotationMachine {
  /// Every machine and the cluster as a whole have been looked at.
  public mutating func clusterChecked(_ report: ClusterReport, at now: Instant) -> [Effect] {
    guard case .gating(var stage, var gate) = state, gate.step == .cluster else { return [] }
    gate.effort.attempts += 1
    let report = report.sparing(stage)
    let results = report.results(order: stage.machines.map(\.machine.id))
    guard let obstacle = Obstacle(results) else {
      gate.effort.cleared(at: now)
      gate.effort.checks = CheckRecord.merging(results, into: gate.effort.checks, at: now)
      gate.step = .members
      if stage.next == nil { stage.close(report, at: now) }
      state = .gating(stage, gate)
      return [.listMembers(after: .zero)]
    }
    haveHooksAgreed = false
    var isUndone = false
    for index in stage.machines.indices {
      let seen = report.machines[stage.machines[index].machine.id] ?? []
      guard let lost = Obstacle(seen), !seen.isEmpty, lost.isLostChange else { continue }
      undo(&stage, index, lost.description, seen, at: now)
      isUndone = true
    }
    // Whoever undid a change may have undone it on several machines: they take their turns as always.
    if isUndone { return roll(stage, at: now) + [.listMembers(after: rules.memberInterval)] }
    // What aggregated API servers are told goes last: before, it would be written from what is yet to go.
    let isLast = results.allSatisfy { $0.isSettled || $0.isNamed(.extensionAuthentication) }
    // All else has come: how long that took puts off nothing.
    if isLast, !gate.effort.awaitsRenewalAlone { gate.effort.failures = 0 }
    let delay = gate.effort.failed(
      obstacle.description, checks: results, isLook: !isLast, at: now, backoff: rules.backoff)
    gate.step = isLast ? .renewal : .cluster
    state = .gating(stage, gate)
    return isLast ? [.renewExtensionAuthentication] : [.verifyCluster(after: delay)]
  }

  /// What aggregated API servers are told has been written anew, or could not be.
  ///
  /// - Parameter error: why it could not be; nil if it was.
  public mutating func clusterRenewed(_ error: String?, at now: Instant) -> [Effect] {
    guard case .gating(let stage, var gate) = state, gate.step == .renewal else { return [] }
    if let error {
      let check = CheckResult(.extensionAuthentication, .waiting, error)
      _ = gate.effort.failed(error, checks: [check], at: now, backoff: rules.backoff)
    }
    gate.step = .cluster
    state = .gating(stage, gate)
    return [.verifyCluster(after: gate.effort.remaining(at: now, backoff: rules.backoff))]
  }

  // MARK: - Moving on

  /// Lets every machine begin whose turn it is; opens the gate when all are verified.
  ///
  /// - Parameter seen: a machine that has been looked at this very moment.
  mutating func roll(_ stage: Stage, seen: String? = nil, at now: Instant) -> [Effect] {
    var stage = stage
    guard !stage.isHeld else {
      state = .rolling(stage)
      return []
    }
    for index in stage.machines.indices {
      stage.machines[index].mark(stage.phase, stage.direction, at: now)
    }
    guard !stage.isComplete else {
      state = .gating(stage, Gate())
      return [.verifyCluster(after: .zero)]
    }
    if stage.isStuck(rules, at: now) { stage.planesConfirmed = false }
    if stage.wantsConfirmation {
      let again = confirmation(&stage, seen, at: now)
      guard again.isEmpty else {
        state = .rolling(stage)
        return again
      }
      stage.planesConfirmed = true
    }
    var effects: [Effect] = []
    guard !isHeld else {
      state = .rolling(stage)
      return []
    }
    let turns = stage.machines.map { ($0.machine, $0.state.turn) }
    for machine in rules.rollout.next(turns, locks: locks, leaders: leaders) {
      guard let index = stage.index(of: machine.id) else { continue }
      effects.append(beginTurn(&stage.machines[index], at: now))
      stage.machines[index].mark(stage.phase, stage.direction, at: now)
    }
    state = .rolling(stage)
    return effects
  }

  private func beginTurn(_ progress: inout MachineProgress, at now: Instant) -> Effect {
    guard case .undone(let effort) = progress.state else {
      return Self.begin(&progress, Effort(), component, at: now)
    }
    progress.state = .waiting(effort)
    return .attempt(
      progress.machine.id, after: effort.remaining(at: now, backoff: rules.backoff))
  }

  /// Has the control planes looked at once more, but for one that has been seen this very moment. Empty where there
  /// is no other.
  private func confirmation(_ stage: inout Stage, _ seen: String?, at now: Instant) -> [Effect] {
    var effects: [Effect] = []
    for index in stage.planes where stage.machines[index].machine.id != seen {
      guard case .verified(var effort) = stage.machines[index].state else { continue }
      effort.begunAt = now
      stage.machines[index].state = .confirming(effort)
      effects.append(.verify(stage.machines[index].machine.id, after: .zero))
    }
    return effects
  }

  /// The stage is finished: the next one begins with the members that have just been read.
  mutating func leave(_ stage: Stage, at now: Instant) -> [Effect] {
    guard let next = stage.next else {
      state =
        stage.reversal.map { .aborted(by: $0.requester, stage) } ?? .succeeded(stage)
      return []
    }
    haveHooksAgreed = false
    return roll(
      Stage(
        phase: next, machines: stage.machines.map(\.forNextStage), reversal: stage.reversal),
      at: now) + [.listMembers(after: rules.memberInterval)]
  }
}

extension Stage {
  /// Keeps what the last look of the rotation has shown: that is its proof.
  fileprivate mutating func close(_ report: ClusterReport, at now: Instant) {
    closing = ClosingLook(
      at: now, checks: CheckRecord.merging(report.cluster, into: [], at: now))
    for index in machines.indices {
      guard let results = report.machines[machines[index].machine.id],
        case .verified(var effort) = machines[index].state
      else { continue }
      effort.checks = CheckRecord.merging(results, into: effort.checks, at: now)
      machines[index].state = .verified(effort)
    }
  }
}

extension Effort {
  /// Whether the last look, too, found nothing open but what aggregated API servers are told.
  fileprivate var awaitsRenewalAlone: Bool {
    let open = checks.filter { !$0.result.isSettled }
    return !open.isEmpty && open.allSatisfy { $0.result.isNamed(.extensionAuthentication) }
  }
}
