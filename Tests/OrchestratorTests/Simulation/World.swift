import MemoryStore
import Orchestrator
import Rotation
import Synchronization
import Testing

/// Clusters, a journal that outlives the process, and the process itself, in simulated time.
final class World: Sendable {
  let clock: SimulatedExecutor
  let clusters: [String: SimulatedCluster]
  let journal: any RotationStore
  let made = MadeAuthorities()
  let mischief: Mischief
  let flaws: Set<SimulatedCluster.Flaw>
  /// How far this host's wall clock is off.
  let skew = HostSkew()
  let settings: OrchestratorSettings

  init(
    seed: UInt64, clusters names: [String] = ["demo"], controlPlanes: Int = 3, workers: Int = 2,
    workerLimit: Int = 2, mischief: Mischief = Mischief(),
    flaws: Set<SimulatedCluster.Flaw> = [], historyLimit: UInt64 = 100,
    watchQueueLimit: Int = 256, driftInterval: Duration? = nil,
    trustPublisher: (any TrustPublisher)? = nil, stageHooks: (any StageHooks)? = nil,
    journal: any RotationStore = MemoryStore()
  ) {
    let clock = SimulatedExecutor(seed: seed)
    self.clock = clock
    self.mischief = mischief
    self.flaws = flaws
    self.journal = journal
    clusters = Dictionary(
      uniqueKeysWithValues: names.map {
        (
          $0,
          SimulatedCluster(
            name: $0, controlPlanes: controlPlanes, workers: workers, workerLimit: workerLimit,
            clock: clock)
        )
      })
    let count = Mutex(0)
    settings = OrchestratorSettings(
      rules: RotationRules(rollout: RolloutPolicy(workerLimit: workerLimit)),
      historyLimit: historyLimit, watchQueueLimit: watchQueueLimit,
      makeID: {
        count.withLock {
          $0 += 1
          return "rotation-\($0)"
        }
      }, driftInterval: driftInterval, trustPublisher: trustPublisher, stageHooks: stageHooks,
      executor: clock)
  }

  var demo: SimulatedCluster { clusters["demo"]! }

  /// Runs `body` and everything it sets going, until it returns.
  func perform<Value: Sendable>(
    limit: Duration = .seconds(100_000), _ body: @escaping @Sendable () async throws -> Value
  ) throws -> Value {
    let outcome = Mutex<Result<Value, any Error>?>(nil)
    let task = Task(executorPreference: clock) {
      let result: Result<Value, any Error>
      do { result = .success(try await body()) } catch { result = .failure(error) }
      outcome.withLock { $0 = result }
    }
    let done = clock.run(limit: limit) { outcome.withLock { $0 != nil } }
    guard done, let result = outcome.withLock({ $0 }) else {
      task.cancel()
      throw Violation(description: "nothing moves any more at \(clock.now())")
    }
    return try result.get()
  }

  /// A process that has just been started.
  ///
  /// - Parameter isStarted: whether it has read its journal already; if not, the caller starts it.
  func boot(
    lifetime: Int? = nil, failBefore: Int = 0, failAfter: Int = 0,
    journal other: (any RotationStore)? = nil, settings: OrchestratorSettings? = nil,
    loading: FaultyStore.Loading = FaultyStore.Loading(), isStarted: Bool = true
  ) throws -> Process {
    let journal = other ?? journal
    let life = Incarnation(lifetime: lifetime)
    let store = FaultyStore(
      journal, life: life, clock: clock, failBefore: failBefore, failAfter: failAfter,
      isLate: flaws.contains(.recordsLate), loading: loading)
    let driver = SimulatedDriver(
      clusters: clusters, clock: clock, life: life, mischief: mischief, flaws: flaws, made: made,
      journal: journal)
    let orchestrator = RotationOrchestrator(
      store: store, driver: driver, clock: HostClock(executor: clock, skew: skew),
      settings: settings ?? self.settings)
    let process = Process(world: self, life: life, store: store, orchestrator: orchestrator)
    if isStarted { try perform { try await orchestrator.start() } }
    return process
  }

  /// A process in which every cluster has been imported.
  func bootWithClusters() throws -> Process {
    let process = try boot()
    for name in clusters.keys.sorted() {
      _ = try perform {
        try await process.orchestrator.importCluster(name: name, talosconfig: "good")
      }
    }
    return process
  }

  /// What no history may ever break.
  func expectUnbroken(_ note: String) {
    for cluster in clusters.values {
      #expect(cluster.violations == [], "\(note): \(cluster.name)")
    }
  }
}

/// One life of the orchestrator.
struct Process: Sendable {
  let world: World
  let life: Incarnation
  let store: FaultyStore
  let orchestrator: RotationOrchestrator

  /// Ends it at once; nothing it still has in hand has any effect.
  func kill() throws {
    life.kill()
    try world.perform { await orchestrator.stop() }
  }

  func stop() throws { try world.perform { await orchestrator.stop() } }

  func status(_ cluster: String = "demo") throws -> RotationSnapshot {
    try world.perform { try await orchestrator.status(cluster: cluster) }
  }

  func rotate(
    _ component: SecretComponent = .talosCA, cluster: String = "demo", requestID: String = "",
    options: RotationOptions = RotationOptions()
  ) throws -> RotationTicket {
    try world.perform {
      try await orchestrator.rotate(
        cluster: cluster, component: component, options: options, requestID: requestID)
    }
  }

  /// Runs until the cluster is idle. Nil: the process died first.
  func runToEnd(_ cluster: String = "demo") throws -> RotationSnapshot? {
    try world.perform {
      while !life.isDead {
        let status = try await orchestrator.status(cluster: cluster)
        if status.isIdle { return status }
        try await world.clock.sleep(for: .milliseconds(250))
      }
      return nil
    }
  }

  /// Lets simulated time pass.
  func pass(_ duration: Duration) throws {
    try world.perform { try await world.clock.sleep(for: duration) }
  }

  /// Follows a watch in the background until it ends. When it ends because the journal cannot be
  /// written, it is begun again, as every client does.
  func record(
    cluster: String? = "demo", after revision: Revision = 0, stopWhenIdle: Bool = false
  ) throws -> Recording {
    let watch = try orchestrator.watch(
      cluster: cluster, afterRevision: revision, stopWhenIdle: stopWhenIdle)
    let recording = Recording()
    Task(executorPreference: world.clock) {
      var watch = watch
      while true {
        do throws(OrchestratorError) {
          for try await snapshot in watch { recording.add(snapshot) }
          return recording.end(nil)
        } catch {
          guard error.code == .journalUnavailable else { return recording.end(error) }
          recording.note(error)
          try? await world.clock.sleep(for: .milliseconds(100))
          let last = recording.snapshots.last?.revision ?? revision
          do throws(OrchestratorError) {
            watch = try orchestrator.watch(
              cluster: cluster, afterRevision: last, stopWhenIdle: stopWhenIdle)
          } catch {
            return recording.end(error)
          }
        }
      }
    }
    return recording
  }
}

/// What a watch has seen.
final class Recording: Sendable {
  private struct State {
    var seen: [RotationSnapshot] = []
    var outages: [OrchestratorError] = []
    var ended = false
    var error: OrchestratorError?
  }

  private let state = Mutex(State())

  func add(_ snapshot: RotationSnapshot) { state.withLock { $0.seen.append(snapshot) } }

  func end(_ error: OrchestratorError?) {
    state.withLock {
      $0.ended = true
      $0.error = error
    }
  }

  /// The watch ended, and will be begun again.
  func note(_ outage: OrchestratorError) { state.withLock { $0.outages.append(outage) } }

  var outages: [OrchestratorError] { state.withLock { $0.outages } }
  var snapshots: [RotationSnapshot] { state.withLock { $0.seen } }
  var hasEnded: Bool { state.withLock { $0.ended } }
  var error: OrchestratorError? { state.withLock { $0.error } }
}

/// Whether a sequence of snapshots tells one rotation in order.
func expectInOrder(_ snapshots: [RotationSnapshot], _ note: String = "") {
  for (earlier, later) in zip(snapshots, snapshots.dropFirst()) {
    #expect(earlier.revision < later.revision, "\(note): revisions rise")
    guard earlier.cluster == later.cluster, earlier.rotationID == later.rotationID,
      !earlier.rotationID.isEmpty
    else { continue }
    #expect(earlier.newFingerprint == later.newFingerprint, "\(note): one new authority")
    let phases = (earlier.phase ?? .preRotate, later.phase ?? .preRotate)
    let steps = phases.1.rawValue - phases.0.rawValue
    let goesBack = later.state == .aborting || later.state == .aborted
    #expect((goesBack ? -1...0 : 0...1).contains(steps), "\(note)")
    #expect(earlier.state != .aborting || goesBack, "\(note): the way back is never left")
    #expect(earlier.isIdle == false, "\(note): over is over")
  }
}
