import Orchestrator
import Synchronization

/// A store as one incarnation of the process sees it: it fails now and then, before or after the
/// commit, and is silent once the process is dead.
final class FaultyStore: RotationStore {
  /// How the whole journal is read.
  struct Loading {
    /// What the reading takes.
    var time = Duration.zero
    /// What comes of the reading then.
    var failure: StoreError?
    /// The cluster whose record is not believed when it is read alone.
    var unreadable: String?
    /// What reading the history of any cluster comes to.
    var history: StoreError?
  }

  private let base: any RotationStore
  private let life: Incarnation
  private let clock: SimulatedExecutor
  private let failures: Mutex<(before: Int, after: Int, broken: Bool)>
  /// Whether commits are said to be made some seconds before they are, and the last of them.
  private let isLate: Bool
  private let loading: Loading
  private let lastLate = Mutex<(task: Task<Void, Never>, revision: Revision)?>(nil)

  /// - Parameters:
  ///   - failBefore: per mille of commits that fail and are not made.
  ///   - failAfter: per mille that are made, and fail nevertheless.
  init(
    _ base: any RotationStore, life: Incarnation, clock: SimulatedExecutor, failBefore: Int = 0,
    failAfter: Int = 0, isLate: Bool = false, loading: Loading = Loading()
  ) {
    self.loading = loading
    self.isLate = isLate
    self.base = base
    self.life = life
    self.clock = clock
    failures = Mutex((failBefore, failAfter, false))
  }

  /// From now on every commit fails, or none does but by chance.
  func setBroken(_ broken: Bool) { failures.withLock { $0.broken = broken } }

  func commit(_ changes: [StoreChange]) async throws(StoreError) -> Revision {
    let (before, after, broken) = failures.withLock { ($0.before, $0.after, $0.broken) }
    try? await clock.sleep(for: .milliseconds(1))
    guard life.step() else { throw StoreError(.unavailable, "dead") }
    if broken || clock.chance(before) { throw StoreError(.unavailable, "no space left on device") }
    if isLate { return try await commitLater(changes) }
    let revision = try await clock.elsewhere { () async throws(StoreError) in
      try await base.commit(changes)
    }
    guard life.step() else { throw StoreError(.unavailable, "dead") }
    if clock.chance(after) { throw StoreError(.unavailable, "input/output error") }
    return revision
  }

  /// Answers with the revision that the commit will have.
  private func commitLater(_ changes: [StoreChange]) async throws(StoreError) -> Revision {
    let before = lastLate.withLock { $0 }
    let newest: Revision
    if let before { newest = before.revision } else { newest = try await load().revision }
    let task = Task(executorPreference: clock) { [base, clock] in
      await before?.task.value
      try? await clock.sleep(for: .seconds(5))
      _ = try? await clock.elsewhere { () async throws(StoreError) in
        try await base.commit(changes)
      }
    }
    lastLate.withLock { $0 = (task, newest + 1) }
    return newest + 1
  }

  func load() async throws(StoreError) -> StoreContents {
    if loading.time > .zero { try? await clock.sleep(for: loading.time) }
    if let failure = loading.failure { throw failure }
    return try await clock.elsewhere { () async throws(StoreError) in try await base.load() }
  }

  private func expectReadable(_ names: [String]) throws(StoreError) {
    guard let name = loading.unreadable, names.contains(name) else { return }
    throw StoreError(.corrupt, "row '\(name)' of table clusters was not written by omnid")
  }

  func cluster(_ name: String) async throws(StoreError) -> ClusterRecord? {
    try expectReadable([name])
    return try await clock.elsewhere { () async throws(StoreError) in try await base.cluster(name) }
  }

  func clusters(after name: String?, limit: Int) async throws(StoreError) -> [ClusterRecord] {
    let clusters = try await clock.elsewhere { () async throws(StoreError) in
      try await base.clusters(after: name, limit: limit)
    }
    try expectReadable(clusters.map(\.name))
    return clusters
  }

  func rotation(_ id: String) async throws(StoreError) -> RotationRecord? {
    try await clock.elsewhere { () async throws(StoreError) in try await base.rotation(id) }
  }

  func rotations(
    cluster: String, before ordinal: UInt64?, limit: Int
  ) async throws(StoreError) -> [RotationRecord] {
    if let failure = loading.history { throw failure }
    return try await clock.elsewhere { () async throws(StoreError) in
      try await base.rotations(cluster: cluster, before: ordinal, limit: limit)
    }
  }

  func request(_ id: String, cluster: String) async throws(StoreError) -> RequestRecord? {
    try await clock.elsewhere { () async throws(StoreError) in
      try await base.request(id, cluster: cluster)
    }
  }

  func requestCount(cluster: String, ordinal: UInt64) async throws(StoreError) -> Int {
    try await clock.elsewhere { () async throws(StoreError) in
      try await base.requestCount(cluster: cluster, ordinal: ordinal)
    }
  }
}
