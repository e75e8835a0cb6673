import Rotation

/// A snapshot that is shared, not copied, among all who watch.
final class PublishedSnapshot: Sendable {
  let value: RotationSnapshot

  init(_ value: RotationSnapshot) { self.value = value }
}

/// One watch, inside the hub.
///
/// A reader that keeps up is given every revision. For one that does not, the queue grows to
/// `WatchHub.queueLimit` and is then thinned out to the newest snapshot of each cluster; so it holds
/// at most the limit, or one snapshot per cluster and as many again.
struct Subscriber {
  typealias Answer = Result<PublishedSnapshot?, OrchestratorError>

  /// Nil: all clusters.
  let cluster: String?
  let stopWhenIdle: Bool
  /// Ascending revisions.
  private var queue: ArraySlice<PublishedSnapshot> = []
  /// What is said when the queue is empty: nothing more, or an error.
  private var ending: Answer?
  private var reader: CheckedContinuation<Answer, Never>?
  private let queueLimit: Int

  init(cluster: String?, stopWhenIdle: Bool, queueLimit: Int) {
    self.cluster = cluster
    self.stopWhenIdle = stopWhenIdle
    self.queueLimit = queueLimit
  }

  /// Snapshots that wait for the reader.
  var backlog: Int { queue.count }

  mutating func enqueue(_ snapshot: PublishedSnapshot) {
    guard ending == nil else { return }
    queue.append(snapshot)
    if queue.count > queueLimit { thinOut() }
  }

  private mutating func thinOut() {
    var seen: Set<String> = []
    let newest = queue.reversed().filter { seen.insert($0.value.cluster).inserted }
    queue = ArraySlice(newest.reversed())
  }

  /// Nothing comes after what is queued.
  mutating func end(_ answer: Answer) {
    if ending == nil { ending = answer }
  }

  /// Nothing comes at all, not even what is queued.
  mutating func cancel() {
    queue = []
    ending = .success(nil)
  }

  /// What the reader is told now; nil when it has to wait.
  mutating func answer(anyRunning: Bool) -> Answer? {
    if let next = queue.popFirst() { return .success(next) }
    if let ending { return ending }
    if stopWhenIdle && !anyRunning {
      ending = .success(nil)
      return ending
    }
    return nil
  }

  mutating func wait(_ reader: CheckedContinuation<Answer, Never>) {
    self.reader = reader
  }

  /// The waiting reader with what it is told, once there is something to tell.
  mutating func wakeUp(
    anyRunning: Bool
  ) -> (reader: CheckedContinuation<Answer, Never>, answer: Answer)? {
    guard let reader, let answer = answer(anyRunning: anyRunning) else { return nil }
    self.reader = nil
    return (reader, answer)
  }
}
