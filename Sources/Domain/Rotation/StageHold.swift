/// A stage that does not begin yet, because somebody outside has to agree first: the hooks before a stage.
public struct StageHold: Sendable, Hashable {
  /// The stage that is held.
  public var phase: RotationPhase
  /// The hook that did not agree when they were last asked; empty while none has refused.
  public var hook: String
  /// What it said, or why it could not be asked; at most `answerLimit` bytes.
  public var answer: String
  /// How often they were asked, since when the answer is no, and when they are asked again.
  public var effort: Effort

  /// The longest answer that is kept, in UTF-8 bytes.
  public static let answerLimit = 4096
  /// The longest name of a hook, in UTF-8 bytes.
  public static let nameLimit = 128

  public init(
    phase: RotationPhase, hook: String = "", answer: String = "", effort: Effort = Effort()
  ) {
    self.phase = phase
    self.hook = hook
    self.answer = answer
    self.effort = effort
  }
}

/// What the hooks before a stage have said.
public enum StageAnswer: Sendable, Hashable {
  /// All of them agree; also where there is none.
  case go
  /// One does not, or could not be asked. The others after it were not asked.
  case wait(hook: String, said: String)
}

extension RotationMachine.State {
  /// The stage that waits for its hooks; nil where none does.
  public var hold: StageHold? {
    switch self {
    case .rolling(let stage) where stage.isHeld: stage.hold
    case .gating(let stage, let gate) where gate.step == .hooks: stage.hold
    case .assembling, .rolling, .gating, .succeeded, .failed, .aborted: nil
    }
  }
}

extension Stage {
  /// Whether the hooks keep its own turns from beginning, and not the next stage.
  var isHeld: Bool { hold?.phase == phase }
}

extension RotationMachine {
  /// PRE_ROTATE, with nobody in work: it begins when the hooks agree, where there are any.
  mutating func enterFirst(_ stage: Stage, at now: Instant) -> [Effect] {
    guard asksHooks else { return roll(stage, at: now) }
    var stage = stage
    stage.hold = StageHold(phase: stage.phase, effort: Effort(begunAt: now))
    state = .rolling(stage)
    return [.askHooks(stage.phase, after: .zero)]
  }

  /// The gate has been passed: the next stage begins when the hooks agree, where there are any. The way back is never held.
  ///
  /// The hooks are asked here, and not in the stage that is entered, so that whoever joins meanwhile is brought through the
  /// stage before, an abort undoes that one, and all is looked at once more after they have agreed.
  mutating func passHooks(_ stage: Stage, _ gate: Gate, at now: Instant) -> [Effect] {
    guard asksHooks, stage.direction == .forward, let next = stage.next else {
      return leave(stage, at: now)
    }
    // Nothing begins while the cluster is locked, and by the time that it does they may think otherwise.
    if haveHooksAgreed, locks.cluster == nil { return leave(stage, at: now) }
    haveHooksAgreed = false
    var (stage, gate) = (stage, gate)
    stage.hold = stage.hold ?? StageHold(phase: next, effort: Effort(begunAt: now))
    gate.step = .hooks
    state = .gating(stage, gate)
    return asking(next, after: .zero) + [.listMembers(after: rules.memberInterval)]
  }

  /// The hooks before a stage have answered.
  ///
  /// - Parameter phase: the stage that they were asked about: an answer that comes after an abort is about none.
  public mutating func hooksAnswered(
    _ phase: RotationPhase, _ answer: StageAnswer, at now: Instant
  ) -> [Effect] {
    guard var hold = state.hold, hold.phase == phase else { return [] }
    let begins = answer == .go && locks.cluster == nil
    let delay = hold.take(answer, at: now, backoff: rules.hookBackoff)
    if begins, let since = hold.effort.waitingSince {
      note(["the hooks before \(phase.name) agree; \(hold.hook) had held it since \(since)"])
      hold = StageHold(phase: phase, effort: Effort(attempts: hold.effort.attempts, begunAt: now))
    }
    switch state {
    case .rolling(var stage):
      stage.hold = begins ? nil : hold
      guard begins else {
        state = .rolling(stage)
        return asking(phase, after: delay)
      }
      return roll(stage, at: now)
    case .gating(var stage, var gate):
      stage.hold = hold
      // However long that took: what they have agreed to begins when all is found well at once.
      if begins { gate.step = .cluster }
      haveHooksAgreed = begins
      state = .gating(stage, gate)
      return begins ? [.verifyCluster(after: .zero)] : asking(phase, after: delay)
    case .assembling, .succeeded, .failed, .aborted:
      return []
    }
  }

  /// While the cluster is locked nobody is asked; who unlocks it has them asked at once.
  func asking(_ phase: RotationPhase, after delay: Duration) -> [Effect] {
    locks.cluster == nil ? [.askHooks(phase, after: delay)] : []
  }
}

extension StageHold {
  /// Answers how long to wait until they are asked again.
  fileprivate mutating func take(
    _ answer: StageAnswer, at now: Instant, backoff: Backoff
  ) -> Duration {
    effort.begun(at: now)
    guard case .wait(let hook, let said) = answer else { return .zero }
    self.hook = hook.bounded(to: Self.nameLimit)
    self.answer = said.bounded(to: Self.answerLimit)
    return effort.failed(
      "hook \(self.hook): \(said)", checks: [], at: now, backoff: backoff)
  }
}
