import Rotation

extension RotationSnapshot {
  /// A cluster as it stands, with its newest rotation; or, for the history, with an earlier one.
  init(cluster: ClusterRecord, rotation: RotationRecord?) {
    self.init(idle: cluster.name, revision: cluster.revision)
    guard let rotation else { return }
    self.init(rotation: rotation)
    revision = max(cluster.revision, rotation.revision)
  }

  private init(idle cluster: String, revision: Revision) {
    self.init(
      cluster: cluster, rotationID: "", component: nil, state: .idle, phase: nil,
      status: "no rotation in progress", step: "", error: "", revision: revision,
      machinesDone: 0, machinesTotal: 0, machines: [], clusterChecks: [], notes: [],
      startedAt: nil, updatedAt: nil, finishedAt: nil, oldFingerprint: "", newFingerprint: "",
      reason: "", requester: "", elapsed: .zero, nextSteps: [])
  }

  /// A rotation as it stands, or as it ended.
  init(rotation: RotationRecord) {
    self.init(idle: rotation.cluster, revision: rotation.revision)
    rotationID = rotation.id
    component = rotation.component
    startedAt = rotation.startedAt
    updatedAt = rotation.updatedAt
    finishedAt = rotation.finishedAt
    oldFingerprint = rotation.old.fingerprint
    newFingerprint = rotation.new.fingerprint
    reason = rotation.reason
    requester = rotation.requester
    notes = rotation.notes
    elapsed = rotation.elapsed
    nextSteps = NextSteps.lines(rotation)
    if let stage = rotation.state.stage { show(stage) }
    show(rotation.state)
  }

  private mutating func show(_ stage: Stage) {
    phase = stage.phase
    machinesDone = stage.done
    machinesTotal = stage.machines.count
    machines = stage.machines.map { progress in
      var machine = MachineSnapshot(progress, phase: stage.phase)
      // A clock that was set back must not show a wait that begins in the future.
      if let latest = updatedAt {
        machine.waitingSince = machine.waitingSince.map { min($0, latest) }
        machine.stateSince = machine.stateSince.map { min($0, latest) }
      }
      return machine
    }
  }

  private mutating func show(_ rotationState: RotationMachine.State) {
    switch rotationState {
    case .assembling(let effort):
      state = .running
      phase = .preRotate
      status = "rotation phase \(RotationPhase.preRotate.name) 0/0"
      step = "reading the members of the cluster"
      if effort.waitingSince != nil {
        error = effort.lastError
        step = "waiting for the members of the cluster\(effort.explanation)"
      }
    case .rolling(let stage):
      state = .running
      status = progress(stage)
      let waiting = machines.filter { $0.state == .waiting && !$0.lastError.isEmpty }
      error = waiting.first.map { "\($0.machine): \($0.lastError)" } ?? stage.listing.lastError
      step = rollingStep(waiting)
      // What keeps the members from being read may be why the machine does not answer either.
      if !waiting.isEmpty, !stage.listing.lastError.isEmpty {
        step += "; " + stage.listing.lastError
      }
    case .gating(let stage, let gate):
      state = .running
      status = progress(stage)
      clusterChecks = gate.effort.checks
      error = gate.effort.lastError.isEmpty ? stage.listing.lastError : gate.effort.lastError
      step = "verifying the cluster after \(stage.phase.name)"
      if gate.effort.waitingSince != nil {
        step = "waiting for the cluster\(gate.effort.explanation)"
      }
    case .succeeded:
      state = .succeeded
      status = "rotation succeeded"
      step = "every machine accepts the new CA alone"
    case .aborted(let requester):
      state = .aborted
      phase = .preRotate
      status = "rotation cancelled"
      step = "no machine was changed"
      if !requester.isEmpty { step += "; cancelled by \(requester)" }
    case .failed(let reason):
      state = .failed
      phase = .preRotate
      status = "rotation failed"
      step = "no machine was changed"
      error = reason
    }
  }

  private func progress(_ stage: Stage) -> String {
    "rotation phase \(stage.phase.name) \(stage.done)/\(stage.machines.count)"
  }

  /// Who is worked on; or, when everybody in work is waited for, for whom, why and since when.
  private func rollingStep(_ waiting: [MachineSnapshot]) -> String {
    let moving = machines.filter { $0.state == .applying || $0.state == .verifying }
    if moving.isEmpty, waiting.isEmpty {
      return "looking at the control planes once more before the workers begin"
    }
    guard moving.isEmpty, let first = waiting.first else {
      return "rotating secret for machines: [\(moving.map(\.machine).abbreviated)]"
    }
    let others = waiting.count > 1 ? " and \(waiting.count - 1) more" : ""
    let since = first.waitingSince.map { " since \($0)" } ?? ""
    return "waiting for machine \(first.machine)\(others)\(since): \(first.lastError)"
  }
}

extension Effort {
  /// ` since …: reason`, for the end of a line.
  fileprivate var explanation: String {
    (waitingSince.map { " since \($0)" } ?? "") + ": \(lastError)"
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
    role = progress.machine.role
    self.phase = phase
    checks = effort?.checks ?? []
    attempts = effort?.attempts ?? 0
    lastError = Waiting.text(progress, phase: phase)
    waitingSince = effort?.waitingSince
    nextAttemptAt = effort?.nextAttemptAt
    repetitions = effort?.repetitions ?? 0
    stateSince = effort?.begunAt
    switch progress.state {
    case .pending: state = .pending
    case .verified: state = .done
    case .waiting, .undone: state = .waiting
    // It stays done as long as nothing is seen to the contrary.
    case .confirming: state = effort?.waitingSince == nil ? .done : .waiting
    case .preparing, .applying: state = effort?.waitingSince == nil ? .applying : .waiting
    // The first looks after a change find a machine that is still acting on it: that is no waiting.
    case .verifying: state = effort.map(\.isStuck) ?? false ? .waiting : .verifying
    case .refreshing: state = .waiting
    }
  }
}

extension Effort {
  /// Whether it takes longer than a machine usually needs to act on its configuration.
  fileprivate var isStuck: Bool {
    failures > 5 || checks.contains { $0.result.state == .failed }
  }
}
