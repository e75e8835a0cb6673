import Rotation

/// One watch within the process: how far its reader is.
///
/// A reader that keeps up is given every revision. One that does not is given what the log still has: at most so
/// many updates as it keeps, or the present state of each cluster.
struct Subscriber {
  typealias Answer = Result<RotationUpdate?, OrchestratorError>

  /// Nil: all clusters.
  let cluster: String?
  let stopWhenIdle: Bool
  private var seen: UInt64
  /// The position of the newest update when the watch began.
  private let start: UInt64
  /// What is said once everything up to a position has been read: nothing more, or an error.
  private var ending: (answer: Answer, after: UInt64)?
  private var reader: CheckedContinuation<Answer, Never>?

  init(cluster: String?, after position: UInt64, newest: UInt64, stopWhenIdle: Bool) {
    start = newest
    self.cluster = cluster
    self.stopWhenIdle = stopWhenIdle
    seen = position
  }

  /// Nothing comes after what is in the log now.
  mutating func end(_ answer: Answer, at position: UInt64) {
    if ending == nil { ending = (answer, position) }
  }

  /// Nothing comes at all, not even what is in the log.
  mutating func cancel() { ending = (.success(nil), 0) }

  /// What the reader is told now; nil when it has to wait.
  mutating func answer(_ log: UpdateLog, anyRunning: Bool) -> Answer? {
    if let next = log.next(after: seen, cluster: cluster, start: start),
      next.position <= ending?.after ?? .max
    {
      seen = next.position
      return .success(next)
    }
    if let ending { return ending.answer }
    guard stopWhenIdle, !anyRunning else { return nil }
    ending = (.success(nil), log.position)
    return .success(nil)
  }

  mutating func wait(_ reader: CheckedContinuation<Answer, Never>) {
    self.reader = reader
  }

  /// The waiting reader with what it is told, once there is something to tell.
  mutating func wakeUp(
    _ log: UpdateLog, anyRunning: Bool
  ) -> (reader: CheckedContinuation<Answer, Never>, answer: Answer)? {
    guard let reader, let answer = answer(log, anyRunning: anyRunning) else { return nil }
    self.reader = nil
    return (reader, answer)
  }
}
