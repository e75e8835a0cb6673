public import Orchestrator
public import Rotation
internal import Synchronization

/// A store that measures how long another one takes.
public final class TimedStore: RotationStore {
  /// What is asked of a store.
  public enum Operation: String, Sendable, CaseIterable {
    case commit
    case read
  }

  private struct Times {
    var counts = [Int](repeating: 0, count: TimedStore.bounds.count + 1)
    var sum = Duration.zero
    var failures: [StoreError.Code: Int] = [:]
  }

  static let bounds: [Duration] = [
    .microseconds(100), .microseconds(250), .microseconds(500), .milliseconds(1),
    .microseconds(2500), .milliseconds(5), .milliseconds(10), .milliseconds(25), .milliseconds(50),
    .milliseconds(100), .milliseconds(250), .milliseconds(500), .seconds(1), .seconds(5),
    .seconds(15),
  ]

  /// What is known of whether the store can be used.
  private struct Condition {
    var hasFailedToWrite = false
    var obstacle: StoreError?
    var askedAt: ContinuousClock.Instant?
  }

  private let inner: any RotationStore
  private let times = Mutex<[Operation: Times]>([:])
  private let condition = Mutex(Condition())

  public init(_ inner: any RotationStore) { self.inner = inner }

  public func load() async throws(StoreError) -> StoreContents {
    try await timing(.read) { () async throws(StoreError) in try await inner.load() }
  }

  public func commit(_ changes: [StoreChange]) async throws(StoreError) -> Revision {
    do throws(StoreError) {
      let revision = try await timing(.commit) { () async throws(StoreError) in
        try await inner.commit(changes)
      }
      wrote(nil)
      return revision
    } catch {
      wrote(error)
      throw error
    }
  }

  /// Something has been written to the store, or could not be.
  fileprivate func wrote(_ failure: StoreError?) {
    condition.withLock {
      switch failure?.code {
      case nil: $0.hasFailedToWrite = false
      case .unavailable:
        $0.hasFailedToWrite = true
        $0.askedAt = nil
      default: break
      }
    }
  }

  /// Why the store cannot be read, or written to; nil while it can. The store is asked once a second at most, and written
  /// to only if the last write has failed.
  public func obstacle() async -> StoreError? {
    let asks = condition.withLock { condition -> (mustAsk: Bool, mustWrite: Bool) in
      if let last = condition.askedAt, last.duration(to: .now) < .seconds(1) {
        return (false, false)
      }
      condition.askedAt = .now
      return (true, condition.hasFailedToWrite)
    }
    if asks.mustAsk {
      var obstacle: StoreError?
      do throws(StoreError) {
        _ = try await cluster("")
        if asks.mustWrite { _ = try await commit([]) }
      } catch { obstacle = error }
      condition.withLock {
        $0.obstacle = obstacle
        $0.askedAt = .now
      }
    }
    return condition.withLock { $0.obstacle }
  }

  public func cluster(_ name: String) async throws(StoreError) -> ClusterRecord? {
    try await timing(.read) { () async throws(StoreError) in try await inner.cluster(name) }
  }

  public func clusters(
    after name: String?, limit: Int
  ) async throws(StoreError) -> [ClusterRecord] {
    try await timing(.read) { () async throws(StoreError) in
      try await inner.clusters(after: name, limit: limit)
    }
  }

  public func rotation(_ id: String) async throws(StoreError) -> RotationRecord? {
    try await timing(.read) { () async throws(StoreError) in try await inner.rotation(id) }
  }

  public func rotations(
    cluster: String, before ordinal: UInt64?, limit: Int
  ) async throws(StoreError) -> [RotationRecord] {
    try await timing(.read) { () async throws(StoreError) in
      try await inner.rotations(cluster: cluster, before: ordinal, limit: limit)
    }
  }

  public func request(
    _ id: String, cluster: String
  ) async throws(StoreError) -> RequestRecord? {
    try await timing(.read) { () async throws(StoreError) in
      try await inner.request(id, cluster: cluster)
    }
  }

  public func requestCount(
    cluster: String, ordinal: UInt64
  ) async throws(StoreError) -> Int {
    try await timing(.read) { () async throws(StoreError) in
      try await inner.requestCount(cluster: cluster, ordinal: ordinal)
    }
  }

  private func timing<Answer>(
    _ operation: Operation, _ ask: () async throws(StoreError) -> Answer
  ) async throws(StoreError) -> Answer {
    let begun = ContinuousClock.now
    do throws(StoreError) {
      let answer = try await ask()
      note(operation, begun.duration(to: .now), nil)
      return answer
    } catch {
      note(operation, begun.duration(to: .now), error.code)
      throw error
    }
  }

  private func note(_ operation: Operation, _ time: Duration, _ failure: StoreError.Code?) {
    times.withLock { times in
      let bucket = Self.bounds.firstIndex { time <= $0 } ?? Self.bounds.count
      times[operation, default: Times()].counts[bucket] += 1
      times[operation, default: Times()].sum += time
      if let failure { times[operation, default: Times()].failures[failure, default: 0] += 1 }
    }
  }

  // MARK: - Metrics

  public var families: [MetricFamily] {
    let times = times.withLock { $0 }
    return [
      MetricFamily(
        "omnid_store_duration_seconds", .histogram,
        "How long the store took to answer, the wait for its thread among it",
        Operation.allCases.map { operation in
          let seen = times[operation] ?? Times()
          return MetricFamily.Sample(
            ["operation": operation.rawValue],
            .histogram(
              bounds: Self.bounds.map(\.inSeconds), counts: seen.counts, sum: seen.sum.inSeconds))
        }),
      MetricFamily(
        "omnid_store_failures", .counter, "What the store could not do, by the reason",
        Operation.allCases.flatMap { operation in
          StoreError.Code.allCases.map { code in
            MetricFamily.Sample(
              [
                "operation": operation.rawValue,
                "reason": code == .inUse ? "in_use" : code.rawValue,
              ],
              .integer(times[operation]?.failures[code] ?? 0))
          }
        }),
    ]
  }
}

/// The audit log of a store: what it cannot write says that the store cannot be used. It is written to before every call
/// that changes something.
public struct WatchedAuditLog: AuditLog {
  private let inner: any AuditLog
  private let store: TimedStore

  /// - Parameter store: whose log it is.
  public init(_ inner: any AuditLog, of store: TimedStore) {
    self.inner = inner
    self.store = store
  }

  public func append(
    _ event: AuditEvent, at now: Instant
  ) async throws(StoreError) -> AuditEntry {
    do throws(StoreError) {
      let entry = try await inner.append(event, at: now)
      store.wrote(nil)
      return entry
    } catch {
      store.wrote(error)
      throw error
    }
  }

  public func entries(after index: UInt64, limit: Int) async throws(StoreError) -> [AuditEntry] {
    try await inner.entries(after: index, limit: limit)
  }
}
