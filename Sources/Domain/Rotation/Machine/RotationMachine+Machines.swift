extension RotationMachine {
  /// What the machine shows before its change has been seen.
  public mutating func machinePrepared(
    _ id: String, _ baseline: Baseline, at now: Instant
  ) -> [Effect] {
    let isHeld = isHeld
    return withMachine(id, at: now) { progress, _ in
      guard case .preparing(var effort) = progress.state else { return nil }
      effort.begunAt = now
      progress.baseline = baseline
      guard !isHeld else {
        progress.state = .waiting(effort)
        return [.attempt(id, after: Self.holdTime)]
      }
      progress.state = .applying(effort)
      return [.apply(id)]
    }
  }

  /// What the machine shows before its change could not be seen, so it is not changed.
  public mutating func preparationFailed(
    on id: String, _ error: String, check: CheckResult, at now: Instant
  ) -> [Effect] {
    withMachine(id, at: now) { progress, rules in
      guard case .preparing(var effort) = progress.state else { return nil }
      let delay = effort.failed(error, checks: [check], at: now, backoff: rules.backoff)
      progress.state = .waiting(effort)
      return [.attempt(id, after: delay)]
    }
  }

  /// The machine took the configuration, or held it already.
  public mutating func changeApplied(to id: String, at now: Instant) -> [Effect] {
    withMachine(id, at: now) { progress, _ in
      guard case .applying(var effort) = progress.state else { return nil }
      effort.changeTaken(at: now)
      progress.changeSent()
      progress.state = .verifying(effort)
      return [.verify(id, after: .zero)]
    }
  }

  /// The machine could not be changed, or it is not known whether it was.
  ///
  /// - Parameter sent: whether the configuration went out, so that the machine may hold it.
  public mutating func changeFailed(
    on id: String, _ error: String, sent: Bool, check: CheckResult, at now: Instant
  ) -> [Effect] {
    withMachine(id, at: now) { progress, rules in
      guard case .applying(var effort) = progress.state else { return nil }
      if sent { progress.changeSent() }
      let delay = effort.failed(error, checks: [check], at: now, backoff: rules.backoff)
      progress.state = .waiting(effort)
      return [.attempt(id, after: delay)]
    }
  }

  /// The delay before the next try is over.
  public mutating func attemptDue(_ id: String, at now: Instant) -> [Effect] {
    let (component, isHeld, isLocked) = (component, isHeld, locks.hold(id))
    return withMachine(id, at: now) { progress, _ in
      guard case .waiting(let effort) = progress.state else { return nil }
      // No configuration has gone out to it, so there is nothing to finish.
      if isLocked, !progress.touched {
        progress.state = .pending
        return []
      }
      guard !isHeld else { return [.attempt(id, after: Self.holdTime)] }
      return [Self.begin(&progress, effort, component, at: now)]
    }
  }

  /// The machine has been looked at.
  public mutating func machineChecked(
    _ id: String, _ results: [CheckResult], at now: Instant
  ) -> [Effect] {
    guard case .rolling(let stage) = state, let index = stage.index(of: id) else { return [] }
    switch stage.machines[index].state {
    case .verifying: return verified(id, results, in: stage.phase, at: now)
    case .confirming: return confirmed(id, results, at: now)
    case .pending, .preparing, .applying, .waiting, .refreshing, .persisting, .verified, .undone:
      return []
    }
  }

  private mutating func verified(
    _ id: String, _ results: [CheckResult], in phase: RotationPhase, at now: Instant
  ) -> [Effect] {
    var lost = ""
    let isHeld = isHeld
    let effects = withMachine(id, at: now) { progress, rules in
      guard case .verifying(var effort) = progress.state else { return nil }
      effort.attempts += 1
      guard let obstacle = Obstacle(results) else {
        effort.cleared(at: now)
        effort.checks = CheckRecord.merging(results, into: effort.checks, at: now)
        progress.state = .verified(effort)
        return []
      }
      guard obstacle.isLostChange else {
        let delay = effort.failed(
          obstacle.description, checks: results, isLook: true, at: now, backoff: rules.backoff)
        // A wall clock that was set back must not put a refresh off for ever.
        effort.begunAt = min(effort.begunAt ?? now, now)
        if !isHeld, Self.wantsRefresh(results, effort, rules, at: now) {
          progress.state = .refreshing(effort)
          return [.refreshTrust(id)]
        }
        if !isHeld, Self.wantsPersisting(results) {
          progress.state = .persisting(effort)
          return [.persist(id)]
        }
        progress.state = .verifying(effort)
        return [.verify(id, after: delay)]
      }
      let delay = effort.undone(
        obstacle.description, checks: results, wasDone: false, in: phase, at: now,
        backoff: rules.backoff)
      lost = "\(id): \(effort.lastError)"
      progress.baseline = nil
      progress.state = .waiting(effort)
      return [.attempt(id, after: delay)]
    }
    note(lost.isEmpty ? [] : [lost])
    return effects
  }

  /// Whether a machine has to be made to ask for its trust: at once where nothing else brings it, else when
  /// it has had its time.
  private static func wantsRefresh(
    _ results: [CheckResult], _ effort: Effort, _ rules: RotationRules, at now: Instant
  ) -> Bool {
    guard let stale = results.first(where: { $0.isNamed(.trustRefresh) && !$0.isSettled }) else {
      return false
    }
    return stale.state == .failed
      || (effort.begunAt ?? now).duration(to: now) >= rules.refreshAfter
  }

  /// The machine was made to ask for the trust of the stage.
  public mutating func trustRefreshed(_ id: String, at now: Instant) -> [Effect] {
    withMachine(id, at: now) { progress, _ in
      guard case .refreshing(var effort) = progress.state else { return nil }
      // It has its time once more.
      effort.begunAt = now
      progress.state = .verifying(effort)
      return [.verify(id, after: .zero)]
    }
  }

  /// The machine could not be made to ask. It is looked at again, and the look says what comes next.
  public mutating func refreshFailed(
    on id: String, _ error: String, check: CheckResult, at now: Instant
  ) -> [Effect] {
    withMachine(id, at: now) { progress, rules in
      guard case .refreshing(var effort) = progress.state else { return nil }
      let delay = effort.failed(error, checks: [check], at: now, backoff: rules.backoff)
      progress.state = .verifying(effort)
      return [.verify(id, after: delay)]
    }
  }

  /// A control plane was looked at once more before the workers begin.
  private mutating func confirmed(
    _ id: String, _ results: [CheckResult], at now: Instant
  ) -> [Effect] {
    guard case .rolling(var stage) = state, let index = stage.index(of: id),
      case .confirming(var effort) = stage.machines[index].state
    else { return [] }
    effort.attempts += 1
    guard let obstacle = Obstacle(results) else {
      effort.cleared(at: now)
      effort.checks = CheckRecord.merging(results, into: effort.checks, at: now)
      stage.machines[index].state = .verified(effort)
      stage.planesConfirmed = stage.planes.allSatisfy { stage.machines[$0].state.turn == .done }
      return roll(stage, at: now)
    }
    guard obstacle.isLostChange else {
      let delay = effort.failed(
        obstacle.description, checks: results, isLook: true, at: now, backoff: rules.backoff)
      stage.machines[index].state = .confirming(effort)
      state = .rolling(stage)
      return [.verify(id, after: delay)]
    }
    undo(&stage, index, obstacle.description, results, at: now)
    return roll(stage, at: now)
  }

  /// A machine that was verified does not hold its change any more: its turn comes again.
  mutating func undo(
    _ stage: inout Stage, _ index: Int, _ what: String, _ results: [CheckResult], at now: Instant
  ) {
    var effort = stage.machines[index].state.effort ?? Effort()
    _ = effort.undone(
      what, checks: results, wasDone: true, in: stage.phase, at: now, backoff: rules.backoff)
    stage.machines[index].state = .undone(effort)
    stage.machines[index].baseline = nil
    if stage.machines[index].machine.role == .controlPlane { stage.planesConfirmed = false }
    note(["\(stage.machines[index].machine.id): \(effort.lastError)"])
  }

  /// Changes the state of one machine in work, and lets the next ones begin when it is verified.
  mutating func withMachine(
    _ id: String, at now: Instant,
    _ transition: (inout MachineProgress, RotationRules) -> [Effect]?
  ) -> [Effect] {
    guard case .rolling(var stage) = state, let index = stage.index(of: id),
      let effects = transition(&stage.machines[index], rules)
    else { return [] }
    return effects + roll(stage, seen: id, at: now)
  }

  /// When it is looked whether changes are held no more.
  private static let holdTime = Duration.milliseconds(100)

  /// Begins to change a machine, or first to see what it shows before it is changed: that is needed where
  /// the change makes processes restart one after the other, which are control planes' pods.
  static func begin(
    _ progress: inout MachineProgress, _ effort: Effort, _ component: SecretComponent,
    at now: Instant
  ) -> Effect {
    var effort = effort
    effort.begun(at: now)
    let restarts = component == .kubernetesCA && progress.machine.role == .controlPlane
    if restarts, progress.baseline == nil {
      progress.state = .preparing(effort)
      return .prepare(progress.machine.id)
    }
    progress.state = .applying(effort)
    return .apply(progress.machine.id)
  }
}
