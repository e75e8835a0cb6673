import Orchestrator
import ProtoCodec
import Rotation
import Schema

extension RotationMachine.State {
  func journal(withMachines: Bool) -> Journal.RotationRecord.State {
    switch self {
    case .assembling(let effort):
      var assembling = Journal.Assembling()
      assembling.effort = effort.journal
      return .assembling(assembling)
    case .rolling(let stage):
      return .rolling(stage.journal(withMachines: withMachines))
    case .gating(let stage, let gate):
      var gating = Journal.Gating()
      gating.stage = stage.journal(withMachines: withMachines)
      gating.step =
        switch gate.step {
        case .cluster: .cluster
        case .renewal: .renewal
        case .soak: .soak
        case .members: .members
        }
      gating.effort = gate.effort.journal
      return .gating(gating)
    case .succeeded(let stage):
      return .succeeded(stage.journal(withMachines: withMachines))
    case .failed(let reason):
      var failed = Journal.Failed()
      failed.reason = reason
      return .failed(failed)
    case .aborted(let requester, let stage):
      var aborted = Journal.Aborted()
      aborted.requester = requester
      aborted.stage = stage?.journal(withMachines: withMachines)
      return .aborted(aborted)
    }
  }

  init(journal state: Journal.RotationRecord.State) throws(StoreError) {
    switch state {
    case .assembling(let assembling):
      self = .assembling(try Effort(journal: assembling.effort))
    case .rolling(let stage):
      self = .rolling(try Stage(journal: stage))
    case .gating(let gating):
      let step: Gate.Step
      switch gating.step {
      case .cluster: step = .cluster
      case .renewal: step = .renewal
      case .soak: step = .soak
      case .members: step = .members
      default: throw .unreadable("step \(gating.step.rawValue)")
      }
      self = .gating(
        try Stage(journal: gating.stage.required("stage")),
        Gate(step: step, effort: try Effort(journal: gating.effort)))
    case .succeeded(let stage):
      self = .succeeded(try Stage(journal: stage))
    case .failed(let failed):
      self = .failed(reason: failed.reason)
    case .aborted(let aborted):
      var stage: Stage?
      if let undone = aborted.stage { stage = try Stage(journal: undone) }
      self = .aborted(by: aborted.requester, stage)
    }
  }
}

extension RotationMachine.State {
  /// The state with the machines that stand in rows of their own.
  func with(_ machines: [MachineProgress]) throws(StoreError) -> Self {
    guard var stage, stage.machines.isEmpty else { throw .unreadable("machines without a stage") }
    stage.machines = machines
    switch self {
    case .rolling: return .rolling(stage)
    case .gating(_, let gate): return .gating(stage, gate)
    case .assembling, .succeeded, .failed, .aborted: throw .unreadable("machines of no stage")
    }
  }
}

extension Stage {
  fileprivate func journal(withMachines: Bool) -> Journal.Stage {
    var stage = Journal.Stage()
    stage.phase = phase.journal
    if withMachines { stage.machines = machines.map(\.journal) }
    stage.listing = listing.journal
    stage.planesConfirmed = planesConfirmed
    stage.reversal = reversal.map { reversal in
      var journal = Journal.Reversal()
      journal.requester = reversal.requester
      journal.requestedAt = Timestamp(reversal.requestedAt)
      journal.from = reversal.from.journal
      return journal
    }
    stage.soaking = soaking.map { soaking in
      var journal = Journal.Soaking()
      journal.endsAt = soaking.endsAt.map { Timestamp($0) }
      journal.over = soaking.isOver
      return journal
    }
    return stage
  }

  fileprivate init(journal stage: Journal.Stage) throws(StoreError) {
    var machines: [MachineProgress] = []
    for progress in stage.machines { machines.append(try MachineProgress(journal: progress)) }
    var reversal: Reversal?
    if let journal = stage.reversal {
      reversal = Reversal(
        requester: journal.requester,
        requestedAt: try journal.requestedAt.required("requested_at").instant,
        from: try Rotation.RotationPhase(journal: journal.from))
    }
    self.init(
      phase: try Rotation.RotationPhase(journal: stage.phase), machines: machines,
      listing: try Effort(journal: stage.listing), planesConfirmed: stage.planesConfirmed,
      reversal: reversal,
      soaking: stage.soaking.map { Soaking(endsAt: $0.endsAt?.instant, isOver: $0.over) })
  }
}

extension Rotation.RotationPhase {
  fileprivate var journal: Journal.Phase {
    switch self {
    case .preRotate: .preRotate
    case .rotate: .rotate
    case .postRotate: .postRotate
    }
  }

  fileprivate init(journal phase: Journal.Phase) throws(StoreError) {
    switch phase {
    case .preRotate: self = .preRotate
    case .rotate: self = .rotate
    case .postRotate: self = .postRotate
    default: throw .unreadable("phase \(phase.rawValue)")
    }
  }
}

extension MachineProgress {
  var journal: Journal.MachineProgress {
    var progress = Journal.MachineProgress()
    progress.machine = Journal.Machine(machine)
    progress.missingSince = missingSince.map { Timestamp($0) }
    progress.effort = state.effort?.journal
    progress.state =
      switch state {
      case .pending: .pending
      case .applying: .applying
      case .waiting: .waiting
      case .verifying: .verifying
      case .verified: .verified
      case .preparing: .preparing
      case .confirming: .confirming
      case .refreshing: .refreshing
      case .undone: .undone
      }
    progress.touched = touched
    progress.baseline = baseline?.journal ?? []
    return progress
  }

  init(journal progress: Journal.MachineProgress) throws(StoreError) {
    let effort = try Effort(journal: progress.effort)
    let state: MachineState
    switch progress.state {
    case .pending: state = .pending
    case .applying: state = .applying(effort)
    case .waiting: state = .waiting(effort)
    case .verifying: state = .verifying(effort)
    case .verified: state = .verified(effort)
    case .preparing: state = .preparing(effort)
    case .confirming: state = .confirming(effort)
    case .refreshing: state = .refreshing(effort)
    case .undone: state = .undone(effort)
    default: throw .unreadable("machine state \(progress.state.rawValue)")
    }
    self.init(
      machine: try progress.machine.required("machine").machine, state: state,
      missingSince: progress.missingSince?.instant, touched: progress.touched,
      baseline: Baseline(journal: progress.baseline))
  }
}

extension Baseline {
  /// The facts by name. A fact of its own says that there is a baseline, since it may be empty.
  fileprivate var journal: [Journal.Fact] {
    [Journal.Fact(Baseline.isTaken, "")]
      + facts.sorted { $0.key < $1.key }.map { Journal.Fact($0.key, $0.value) }
  }

  /// Nil where none was taken.
  fileprivate init?(journal facts: [Journal.Fact]) {
    guard !facts.isEmpty else { return nil }
    self.init(
      Dictionary(
        facts.filter { $0.name != Baseline.isTaken }.map { ($0.name, $0.value) },
        uniquingKeysWith: { first, _ in first }))
  }

  private static let isTaken = "taken"
}

extension Journal.Fact {
  fileprivate init(_ name: String, _ value: String) {
    self.init()
    self.name = name
    self.value = value
  }
}

extension Effort {
  /// Nil when nothing has been tried, which is what the absent message means.
  fileprivate var journal: Journal.Effort? {
    guard self != Effort() else { return nil }
    var effort = Journal.Effort()
    effort.attempts = Int32(clamping: attempts)
    effort.failures = Int32(clamping: failures)
    effort.repetitions = Int32(clamping: repetitions)
    effort.checks = checks.map(\.journal)
    effort.lastError = lastError
    effort.waitingSince = waitingSince.map { Timestamp($0) }
    effort.nextAttemptAt = nextAttemptAt.map { Timestamp($0) }
    effort.begunAt = begunAt.map { Timestamp($0) }
    return effort
  }

  fileprivate init(journal effort: Journal.Effort?) throws(StoreError) {
    guard let effort else {
      self.init()
      return
    }
    var checks: [CheckRecord] = []
    for check in effort.checks { checks.append(try CheckRecord(journal: check)) }
    self.init(
      attempts: Int(effort.attempts), failures: Int(effort.failures),
      repetitions: Int(effort.repetitions), checks: checks, lastError: effort.lastError,
      waitingSince: effort.waitingSince?.instant, nextAttemptAt: effort.nextAttemptAt?.instant,
      begunAt: effort.begunAt?.instant)
  }
}

extension CheckRecord {
  fileprivate var journal: Journal.Check {
    var check = Journal.Check()
    check.name = result.name
    check.detail = result.detail
    check.since = Timestamp(since)
    check.lastError = lastError
    check.state =
      switch result.state {
      case .passed: .passed
      case .failed: .failed
      case .waiting: .waiting
      case .notApplicable: .notApplicable
      }
    return check
  }

  fileprivate init(journal check: Journal.Check) throws(StoreError) {
    let state: CheckResult.State
    switch check.state {
    case .passed: state = .passed
    case .failed: state = .failed
    case .waiting: state = .waiting
    case .notApplicable: state = .notApplicable
    default: throw .unreadable("check state \(check.state.rawValue)")
    }
    self.init(
      result: CheckResult(named: check.name, state, check.detail),
      since: try check.since.required("since").instant, lastError: check.lastError)
  }
}
