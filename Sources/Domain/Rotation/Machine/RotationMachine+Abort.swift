extension RotationMachine {
  /// What came of the wish to abort a rotation.
  public enum Abort: Sendable, Hashable {
    /// It is over: no machine was touched.
    case aborted
    /// It goes back; what is to be done next. Nothing where it was going back already.
    case reversed([Effect])
    /// These machines refuse the old authority already, or may, so there is no way back.
    case retired([String])
    /// It was over.
    case over
  }

  /// Somebody wants the rotation aborted. Must wait while `isChangeInFlight`.
  public mutating func abortRequested(by requester: String, at now: Instant) -> Abort {
    let requester = requester.bounded(to: 256)
    switch state {
    case .succeeded, .failed, .aborted:
      return .over
    case .assembling:
      state = .aborted(by: requester, nil)
      return .aborted
    case .rolling(let stage), .gating(let stage, _):
      guard stage.reversal == nil else { return .reversed([]) }
      if stage.phase == .preRotate, !stage.machines.contains(where: \.mayHoldChange) {
        state = .aborted(by: requester, nil)
        return .aborted
      }
      // The stage to undo: of POST_ROTATE nothing may have begun.
      var undone = stage.phase
      if undone == .postRotate {
        guard !stage.hasBegun else {
          let names = stage.machines.filter { $0.state != .pending || !$0.isUnsent }
          return .retired(names.map(\.machine.id))
        }
        undone = .rotate
      }
      return .reversed(
        reverse(
          stage, undoing: undone,
          Reversal(requester: requester, requestedAt: now, from: stage.phase), at: now))
    }
  }

  /// Goes back: every machine takes its turn once more, also one that this stage has not reached, because what a
  /// machine holds is known only when it was looked at. A control plane that is in work comes first: it may be
  /// restarting, and no other one is changed before it is there again. So it is although it is locked, because what
  /// is in work is finished.
  private mutating func reverse(
    _ stage: Stage, undoing phase: RotationPhase, _ reversal: Reversal, at now: Instant
  ) -> [Effect] {
    let who = reversal.requester.isEmpty ? "" : " by \(reversal.requester)"
    note(["aborted\(who) in \(reversal.from.name): every machine goes back to the old CA"])
    isHeld = false
    haveHooksAgreed = false
    var back = Stage(
      phase: phase, machines: stage.machines.map(\.forNextStage), reversal: reversal)
    if reversal.from == .preRotate {
      // No configuration went to these, and one that is gone for good must not keep the rest from going back.
      for index in back.machines.indices where !stage.machines[index].mayHoldChange {
        back.machines[index].state = .verified(Effort(begunAt: now))
      }
    }
    var effects: [Effect] = []
    let isRolling = if case .rolling = state { true } else { false }
    for (index, before) in stage.machines.enumerated()
    where isRolling && before.isUnverifiedPlane && back.machines[index].state == .pending {
      effects.append(Self.begin(&back.machines[index], Effort(), component, at: now))
    }
    return effects + roll(back, at: now) + [.listMembers(after: rules.memberInterval)]
  }

  /// Whether a change is on its way to a machine that the wish to abort must not overtake: it could arrive after
  /// the change that takes it back. Never where there is no way back, so that a refusal comes at once.
  public var isChangeInFlight: Bool {
    guard case .rolling(let stage) = state, stage.reversal == nil, stage.phase != .postRotate else {
      return false
    }
    return stage.machines.contains { progress in
      switch progress.state {
      case .applying, .refreshing, .persisting: true
      case .pending, .preparing, .waiting, .verifying, .verified, .confirming, .undone: false
      }
    }
  }

  /// Changes no machine until `abortRequested`.
  public mutating func hold() { isHeld = true }
}

extension ClusterReport {
  /// The report without the machines that no configuration was sent to and that do not answer: what they hold is
  /// what they held before the rotation, and no machine ever issued from the new authority.
  func sparing(_ stage: Stage) -> ClusterReport {
    guard stage.reversal?.from == .preRotate else { return self }
    var report = self
    var spared: Set<String> = []
    for progress in stage.machines where !progress.mayHoldChange {
      let isSilent =
        machines[progress.machine.id]?.contains {
          $0.isNamed(.reachable) && $0.state == .failed
        } ?? true
      guard isSilent else { continue }
      report.machines[progress.machine.id] = nil
      spared.insert(progress.machine.id)
    }
    report.spare(spared)
    return report
  }

  /// Takes out of `coverage` what is about these machines alone.
  private mutating func spare(_ names: Set<String>) {
    let rest = uncovered.filter { !names.contains(where: $0.concerns) }
    guard rest.count < uncovered.count else { return }
    uncovered = rest
    guard let index = cluster.firstIndex(where: { $0.isNamed(.coverage) && $0.state == .failed })
    else { return }
    if let check = CheckResult.coverage(rest) {
      cluster[index] = check
    } else {
      cluster.remove(at: index)
    }
  }
}

extension Stage {
  /// Whether the stage may have changed a machine.
  fileprivate var hasBegun: Bool {
    machines.contains { progress in
      switch progress.state {
      case .pending, .preparing, .waiting: !progress.isUnsent
      case .applying, .verifying, .refreshing, .persisting, .verified, .confirming, .undone: true
      }
    }
  }
}

extension MachineProgress {
  /// Whether it is a control plane that was begun in its stage and not verified since.
  fileprivate var isUnverifiedPlane: Bool {
    guard machine.role == .controlPlane else { return false }
    return switch state {
    case .preparing, .applying, .waiting, .verifying, .refreshing, .persisting: true
    case .pending, .verified, .confirming, .undone: false
    }
  }

  /// The machine as it enters another stage.
  var forNextStage: MachineProgress {
    MachineProgress(
      machine: machine, missingSince: missingSince, absence: absence, touched: touched,
      isUnsent: true,
      times: times)
  }
}
