/// When a machine had its turn in a stage: one line of a rotation's timeline.
public struct StageTimes: Sendable, Hashable {
  public var phase: RotationPhase
  /// Backward: the stage was undone on the machine.
  public var direction: RotationDirection
  /// When its turn began.
  public var begunAt: Instant
  /// When every check had passed; nil while that is not so. Where somebody undid the change and it was made again, the
  /// last time.
  public var verifiedAt: Instant?

  public init(
    phase: RotationPhase, direction: RotationDirection = .forward, begunAt: Instant,
    verifiedAt: Instant? = nil
  ) {
    self.phase = phase
    self.direction = direction
    self.begunAt = begunAt
    self.verifiedAt = verifiedAt
  }
}

extension MachineProgress {
  /// Writes down that the turn of the stage has begun, or that it is over.
  mutating func mark(_ phase: RotationPhase, _ direction: RotationDirection, at now: Instant) {
    let isThere = times.last.map { $0.phase == phase && $0.direction == direction } ?? false
    switch state {
    case .pending: return
    // A machine that was left out of an abort has had no turn.
    case .verified(let effort) where effort.checks.isEmpty && !isThere: return
    case .verified, .confirming:
      if !isThere { times.append(StageTimes(phase: phase, direction: direction, begunAt: now)) }
      let last = times.count - 1
      if times[last].verifiedAt == nil { times[last].verifiedAt = now }
    case .preparing, .applying, .waiting, .verifying, .refreshing, .persisting, .undone:
      if isThere {
        times[times.count - 1].verifiedAt = nil
      } else {
        times.append(StageTimes(phase: phase, direction: direction, begunAt: now))
      }
    }
  }
}

/// What the last look of a rotation has shown, which every machine and the cluster have passed. What it showed of each
/// machine stands in the machine's checks.
public struct ClosingLook: Sendable, Hashable {
  public var at: Instant
  /// What concerns the cluster as a whole.
  public var checks: [CheckRecord]

  public init(at: Instant, checks: [CheckRecord]) {
    self.at = at
    self.checks = checks
  }
}
