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
        case .hooks: .hooks
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
      case .hooks: step = .hooks
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
    stage.closing = closing.map { closing in
      var journal = Journal.ClosingLook()
      journal.at = Timestamp(closing.at)
      journal.checks = closing.checks.map(\.journal)
      return journal
    }
    stage.reachability = reachability.map { seen in
      var journal = Journal.Reachability()
      journal.at = Timestamp(seen.at)
      journal.unreachable = seen.unreachable
      return journal
    }
    stage.hold = hold.map { hold in
      var journal = Journal.StageHold()
      journal.phase = hold.phase.journal
      journal.hook = hold.hook
      journal.answer = hold.answer
      journal.effort = hold.effort.journal
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
    var closing: ClosingLook?
    if let journal = stage.closing {
      var checks: [CheckRecord] = []
      for check in journal.checks { checks.append(try CheckRecord(journal: check)) }
      closing = ClosingLook(at: try journal.at.required("at").instant, checks: checks)
    }
    var reachability: Rotation.Reachability?
    if let journal = stage.reachability {
      reachability = Reachability(
        at: try journal.at.required("at").instant, unreachable: journal.unreachable)
    }
    var hold: Rotation.StageHold?
    if let journal = stage.hold {
      hold = StageHold(
        phase: try RotationPhase(journal: journal.phase), hook: journal.hook,
        answer: journal.answer, effort: try Effort(journal: journal.effort))
    }
    self.init(
      phase: try Rotation.RotationPhase(journal: stage.phase), machines: machines,
      listing: try Effort(journal: stage.listing), planesConfirmed: stage.planesConfirmed,
      reversal: reversal,
      soaking: stage.soaking.map { Soaking(endsAt: $0.endsAt?.instant, isOver: $0.over) },
      closing: closing, reachability: reachability, hold: hold)
  }
}

extension Rotation.RotationPhase {
  var journal: Journal.Phase {
    switch self {
    case .preRotate: .preRotate
    case .rotate: .rotate
    case .postRotate: .postRotate
    }
  }

  init(journal phase: Journal.Phase) throws(StoreError) {
    switch phase {
    case .preRotate: self = .preRotate
    case .rotate: self = .rotate
    case .postRotate: self = .postRotate
    default: throw .unreadable("phase \(phase.rawValue)")
    }
  }
}
