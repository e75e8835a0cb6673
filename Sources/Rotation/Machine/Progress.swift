/// What has been tried, and what came of it: the answer to "why is it waiting".
public struct Effort: Sendable, Hashable {
  /// Tries so far in this stage.
  public var attempts: Int
  /// Tries in a row that did not succeed. Sets the delay before the next one.
  public var failures: Int
  /// How often the change had to be made again, because it was gone.
  public var repetitions: Int
  /// What the last look showed.
  public var checks: [CheckRecord]
  /// Empty while nothing stands in the way.
  public var lastError: String
  /// Since when something stands in the way.
  public var waitingSince: Instant?
  public var nextAttemptAt: Instant?

  public init(
    attempts: Int = 0, failures: Int = 0, repetitions: Int = 0, checks: [CheckRecord] = [],
    lastError: String = "", waitingSince: Instant? = nil, nextAttemptAt: Instant? = nil
  ) {
    self.attempts = attempts
    self.failures = failures
    self.repetitions = repetitions
    self.checks = checks
    self.lastError = lastError
    self.waitingSince = waitingSince
    self.nextAttemptAt = nextAttemptAt
  }

  /// A try did not succeed. Answers how long to wait before the next.
  mutating func failed(
    _ error: String, checks: [CheckResult], at now: Instant, backoff: Backoff
  ) -> Duration {
    failures += 1
    self.checks = CheckRecord.merging(checks, into: self.checks, at: now)
    lastError = error.bounded(to: CheckResult.detailLimit)
    waitingSince = waitingSince ?? now
    let delay = backoff.delay(after: failures)
    nextAttemptAt = now.advanced(by: delay)
    return delay
  }

  /// What stood in the way does so no more.
  mutating func cleared() {
    failures = repetitions
    lastError = ""
    waitingSince = nil
    nextAttemptAt = nil
  }

  /// How long it still is to the next try, never longer than the rules allow: a wall clock that
  /// was set back must not put a try off for ever.
  func remaining(at now: Instant, backoff: Backoff) -> Duration {
    guard let nextAttemptAt else { return .zero }
    return min(max(now.duration(to: nextAttemptAt), .zero), backoff.longest)
  }
}

/// How far a machine is in the current stage.
public enum MachineState: Sendable, Hashable {
  /// Its turn has not come.
  case pending
  /// Its configuration is being changed. → `verifying`, `waiting`
  case applying(Effort)
  /// Changing it did not succeed, or somebody undid it; it is tried again. → `applying`
  case waiting(Effort)
  /// It took the configuration and is looked at until every check passes. → `verified`, `waiting`
  case verifying(Effort)
  /// Every check has passed.
  case verified(Effort)

  /// What was tried; nil before its turn.
  public var effort: Effort? {
    switch self {
    case .pending: nil
    case .applying(let effort), .waiting(let effort), .verifying(let effort),
      .verified(let effort):
      effort
    }
  }

  /// The state as the rollout policy sees it.
  public var turn: RolloutPolicy.Turn {
    switch self {
    case .pending: .pending
    case .applying, .waiting, .verifying: .inWork
    case .verified: .done
    }
  }
}

/// One machine in a stage.
public struct MachineProgress: Sendable, Hashable {
  public var machine: Machine
  public var state: MachineState
  /// Since when the members do not name it any more; nil while they do.
  public var missingSince: Instant?

  public init(machine: Machine, state: MachineState = .pending, missingSince: Instant? = nil) {
    self.machine = machine
    self.state = state
    self.missingSince = missingSince
  }
}

/// A stage, and how far each machine is in it.
public struct Stage: Sendable, Hashable {
  public var phase: RotationPhase
  /// Control planes first, each role by name; no name twice.
  public var machines: [MachineProgress]
  /// Asking for the members: what stands in its way.
  public var listing: Effort

  public init(phase: RotationPhase, machines: [MachineProgress], listing: Effort = Effort()) {
    self.phase = phase
    self.machines = machines
    self.listing = listing
  }

  /// Machines verified in this stage.
  public var done: Int { machines.count { $0.state.turn == .done } }

  /// Whether every machine is verified.
  public var isComplete: Bool { machines.allSatisfy { $0.state.turn == .done } }

  func index(of id: String) -> Int? { machines.firstIndex { $0.machine.id == id } }
}

/// The gate after a stage: all machines are verified, now the cluster as a whole is.
public struct Gate: Sendable, Hashable {
  public enum Step: String, Sendable, Hashable, CaseIterable {
    /// The cluster is asked until every check passes.
    case cluster
    /// The members are read once more: somebody may have joined, and must not be left behind.
    case members
  }

  public var step: Step
  public var effort: Effort

  public init(step: Step = .cluster, effort: Effort = Effort()) {
    self.step = step
    self.effort = effort
  }
}
