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

  /// How far the wall clock may be off before the end that is shown is put right.
  static let tolerance = Duration.seconds(5)
}

/// How much is left of a wait.
struct SoakLeft: Sendable, Hashable {
  var left: Duration
  /// By a clock that is never set.
  var at: Duration
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

  /// All is verified, and the members are known: the next stage begins, or one of the waits before it.
  mutating func passGate(_ stage: Stage, _ gate: Gate, at now: Instant) -> [Effect] {
    var (stage, gate) = (stage, gate)
    guard stage.phase == .rotate, stage.direction == .forward, let soak,
      stage.soaking?.isOver != true
    else { return passHooks(stage, gate, at: now) }
    if stage.soaking == nil {
      let endsAt: Instant? =
        switch soak {
        case .lasting(let duration): now.advanced(by: duration)
        case .untilContinued: nil
        }
      stage.soaking = Soaking(endsAt: endsAt)
      soakLeft = nil
    }
    gate.step = .soak
    return stillSoaking(stage, gate, at: now)
  }

  /// The members were read while it waits: nobody has joined whom the stage has yet to reach.
  mutating func stillSoaking(_ stage: Stage, _ gate: Gate, at now: Instant) -> [Effect] {
    var stage = stage
    guard let remaining = remainingSoak(&stage, at: now) else {
      state = .gating(stage, gate)
      return [.listMembers(after: rules.memberInterval)]
    }
    guard remaining > .zero else { return soaked(stage, gate) }
    state = .gating(stage, gate)
    return [.listMembers(after: min(remaining, rules.memberInterval))]
  }

  /// How long it still lasts; nil while only somebody can end it.
  ///
  /// While the process lives that is counted down by the clock that is never set; after a restart the wall clock says it, and
  /// never that it lasts longer than it was to last in all.
  private mutating func remainingSoak(_ stage: inout Stage, at now: Instant) -> Duration? {
    guard let soaking = stage.soaking else { return nil }
    guard !soaking.isOver else { return .zero }
    guard let endsAt = soaking.endsAt, case .lasting(let whole)? = soak else { return nil }
    let byWallClock = min(max(now.duration(to: endsAt), .zero), whole)
    guard let uptime else { return byWallClock }
    let left =
      if let soakLeft { max(soakLeft.left - (uptime - soakLeft.at), .zero) } else { byWallClock }
    soakLeft = SoakLeft(left: left, at: uptime)
    let shown = now.advanced(by: left)
    let error = shown.duration(to: endsAt)
    if error > Soaking.tolerance || error < .zero - Soaking.tolerance {
      stage.soaking?.endsAt = shown
    }
    return left
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
