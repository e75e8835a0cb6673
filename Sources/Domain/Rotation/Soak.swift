/// How long a rotation waits before POST_ROTATE, with both authorities accepted: time in which people see what still
/// lives by the old one, and in which the way back is open.
public enum Soak: Sendable, Hashable {
  case lasting(Duration)
  /// Until somebody says so.
  case untilContinued
}

/// The wait of one rotation.
public struct Soaking: Sendable, Hashable {
  /// When it ends by itself, by the wall clock; nil: when somebody says so.
  public var endsAt: Instant?
  /// It has ended.
  public var isOver: Bool

  public init(endsAt: Instant?, isOver: Bool = false) {
    self.endsAt = endsAt
    self.isOver = isOver
  }

  /// How long it still lasts; nil while only somebody can end it.
  func remaining(at now: Instant) -> Duration? {
    if isOver { return .zero }
    return endsAt.map { max(now.duration(to: $0), .zero) }
  }
}

extension RotationMachine {
  /// What came of the wish to go on.
  public enum Continuation: Sendable, Hashable {
    /// The wait is over; what is to be done next.
    case continued([Effect])
    /// Nothing waits for it.
    case notSoaking
  }

  /// Somebody wants the wait before POST_ROTATE to end.
  public mutating func continueRequested(by requester: String, at now: Instant) -> Continuation {
    guard case .gating(let stage, let gate) = state, gate.step == .soak else { return .notSoaking }
    note(["the wait before POST_ROTATE was ended" + (requester.isEmpty ? "" : " by \(requester)")])
    return .continued(soaked(stage, gate))
  }

  /// All is verified, and the members are known: the next stage begins, or the wait before it.
  mutating func passGate(_ stage: Stage, _ gate: Gate, at now: Instant) -> [Effect] {
    var (stage, gate) = (stage, gate)
    guard stage.phase == .rotate, stage.direction == .forward, let soak,
      stage.soaking?.isOver != true
    else { return leave(stage, at: now) }
    if stage.soaking == nil {
      let endsAt: Instant? =
        switch soak {
        case .lasting(let duration): now.advanced(by: duration)
        case .untilContinued: nil
        }
      stage.soaking = Soaking(endsAt: endsAt)
    }
    gate.step = .soak
    return stillSoaking(stage, gate, at: now)
  }

  /// The members were read while it waits: nobody has joined whom the stage has yet to reach.
  mutating func stillSoaking(_ stage: Stage, _ gate: Gate, at now: Instant) -> [Effect] {
    guard let remaining = stage.soaking?.remaining(at: now) else {
      state = .gating(stage, gate)
      return [.listMembers(after: rules.memberInterval)]
    }
    guard remaining > .zero else { return soaked(stage, gate) }
    state = .gating(stage, gate)
    return [.listMembers(after: min(remaining, rules.memberInterval))]
  }

  /// The wait is over. Much may have happened meanwhile, so all is looked at once more before POST_ROTATE.
  private mutating func soaked(_ stage: Stage, _ gate: Gate) -> [Effect] {
    var (stage, gate) = (stage, gate)
    stage.soaking?.isOver = true
    gate.step = .cluster
    state = .gating(stage, gate)
    return [.verifyCluster(after: .zero), .listMembers(after: rules.memberInterval)]
  }
}
