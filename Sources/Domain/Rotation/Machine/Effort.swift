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
  /// Since when something stands in the way. A further try does not begin it anew: only success does.
  public var waitingSince: Instant?
  public var nextAttemptAt: Instant?
  /// Since when the machine is in its present state.
  public var begunAt: Instant?

  public init(
    attempts: Int = 0, failures: Int = 0, repetitions: Int = 0, checks: [CheckRecord] = [],
    lastError: String = "", waitingSince: Instant? = nil, nextAttemptAt: Instant? = nil,
    begunAt: Instant? = nil
  ) {
    self.attempts = attempts
    self.failures = failures
    self.repetitions = repetitions
    self.checks = checks
    self.lastError = lastError
    self.waitingSince = waitingSince
    self.nextAttemptAt = nextAttemptAt
    self.begunAt = begunAt
  }

  /// A try begins.
  mutating func begun(at now: Instant) {
    attempts += 1
    nextAttemptAt = nil
    begunAt = now
  }

  /// A try did not succeed. Answers how long to wait before the next.
  ///
  /// - Parameter isLook: whether it was a look, which is repeated soon where nothing is wrong and all that is open
  ///   is expected to come by itself.
  mutating func failed(
    _ error: String, checks: [CheckResult], isLook: Bool = false, at now: Instant,
    backoff: Backoff
  ) -> Duration {
    failures += 1
    self.checks = CheckRecord.merging(checks, into: self.checks, at: now)
    lastError = error.bounded(to: CheckResult.detailLimit)
    let since = min(waitingSince ?? now, now)
    waitingSince = since
    let isComing = checks.allSatisfy { $0.isSettled || $0.state == .waiting }
    let delay =
      isLook && isComing
      ? backoff.delay(after: failures, waited: since.duration(to: now))
      : backoff.delay(after: failures)
    nextAttemptAt = now.advanced(by: delay)
    return delay
  }

  /// The machine took the change: what is looked at now may fail for reasons of its own.
  mutating func changeTaken(at now: Instant) {
    failures = repetitions
    nextAttemptAt = nil
    begunAt = now
  }

  /// What stood in the way does so no more.
  mutating func cleared(at now: Instant) {
    failures = repetitions
    lastError = ""
    waitingSince = nil
    nextAttemptAt = nil
    begunAt = now
  }

  /// Somebody else has undone the change, as is seen now. Answers how long to wait before it is made again, so
  /// that two writers who undo each other's work do not do so as fast as they can.
  mutating func undone(
    _ what: String, checks: [CheckResult], wasDone: Bool, in phase: RotationPhase,
    at now: Instant, backoff: Backoff
  ) -> Duration {
    repetitions += 1
    let when = wasDone ? "after it was done" : "while it was being verified"
    let text =
      "its configuration was changed by somebody else \(when) (seen at \(now) in \(phase.name)); \(what); "
      + "applied again, \(Ordinal.text(repetitions + 1)) time"
    failures = max(failures, repetitions - 1)
    return failed(text, checks: checks, at: now, backoff: backoff)
  }

  /// How long it still is to the next try, never longer than the rules allow: a wall clock that
  /// was set back must not put a try off for ever.
  func remaining(at now: Instant, backoff: Backoff) -> Duration {
    guard let nextAttemptAt else { return .zero }
    return min(max(now.duration(to: nextAttemptAt), .zero), backoff.longest)
  }
}

/// `1st`, `2nd`, `3rd`, `4th`, … `11th`, … `21st`.
enum Ordinal {
  static func text(_ number: Int) -> String {
    let isTeen = (11...13).contains(number % 100)
    switch number % 10 {
    case 1 where !isTeen: return "\(number)st"
    case 2 where !isTeen: return "\(number)nd"
    case 3 where !isTeen: return "\(number)rd"
    default: return "\(number)th"
    }
  }
}
