public import Orchestrator
internal import Rotation
internal import Synchronization

/// Writes refusals of calls into the audit log, those of one caller not faster than they can be read: whoever is
/// refused must not push what others did out of the log.
public final class RefusalTrail: Sendable {
  /// How many refusals of a caller are written at once, and how often one more.
  static let burst = 20
  static let pause = Duration.seconds(10)
  /// Callers with a budget of their own; all others share one.
  static let callerLimit = 256

  private struct Budget {
    var left = RefusalTrail.burst
    var refilled: Duration
    var omitted: UInt64 = 0
  }

  private let audit: AuditTrail
  private let clock: any OrchestratorClock
  private let budgets = Mutex<[String: Budget]>([:])

  public init(audit: AuditTrail, clock: any OrchestratorClock) {
    self.audit = audit
    self.clock = clock
  }

  /// Writes a refusal down, unless there were too many. A log that cannot be written keeps no refusal from being
  /// one.
  ///
  /// - Parameters:
  ///   - caller: as in `AuditEvent`.
  ///   - key: whose budget it is.
  public func note(
    caller: String, key: String, method: String, cluster: String = "", code: String,
    message: String
  ) async {
    guard let omitted = take(key) else { return }
    await write(
      caller: caller, method: method, cluster: cluster, code: code, message: message,
      omitted: omitted)
  }

  /// The same, for whoever cannot wait.
  public func noteLater(
    caller: String, key: String, method: String, code: String, message: String
  ) {
    guard let omitted = take(key) else { return }
    // Detached: what is written down outlives the call.
    Task.detached { [self] in
      await write(
        caller: caller, method: method, cluster: "", code: code, message: message,
        omitted: omitted)
    }
  }

  private func write(
    caller: String, method: String, cluster: String, code: String, message: String, omitted: UInt64
  ) async {
    let event = AuditEvent(caller: caller, method: method, cluster: cluster, request: "")
    guard let call = try? await audit.begin(event) else { return }
    let more = omitted == 0 ? "" : " (\(omitted) refusals before this one were left out)"
    await audit.end(call, code: code, message: message + more)
  }

  /// - Returns: nil when there were too many; else how many were left out since the last one.
  func take(_ key: String) -> UInt64? {
    let now = clock.uptime()
    return budgets.withLock { budgets in
      var key = key
      if budgets[key] == nil, budgets.count >= Self.callerLimit {
        // Whoever has been quiet has a whole budget anyway.
        budgets = budgets.filter { now - $0.value.refilled < Self.pause * Self.burst }
        if budgets.count >= Self.callerLimit { key = "" }
      }
      var budget = budgets[key] ?? Budget(refilled: now)
      let earned = Int(min((now - budget.refilled) / Self.pause, Double(Self.burst)))
      if earned > 0 {
        budget.left = min(Self.burst, budget.left + earned)
        budget.refilled = budget.left == Self.burst ? now : budget.refilled + Self.pause * earned
      }
      defer { budgets[key] = budget }
      guard budget.left > 0 else {
        budget.omitted += 1
        return nil
      }
      budget.left -= 1
      defer { budget.omitted = 0 }
      return budget.omitted
    }
  }
}
