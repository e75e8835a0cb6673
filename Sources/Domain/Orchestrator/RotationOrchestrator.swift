import Rotation

/// Rotates the authorities of the imported clusters, whatever happens in between.
///
/// Every step is written to the journal before it is acted on, so that the process may die at any
/// instant: `start` takes up where it was, with the same new authority. Clusters are independent of
/// one another; within one there is one rotation at a time.
///
/// The files beside this one hold its parts: starting rotations, the clusters, what can be read.
public actor RotationOrchestrator {
  let journal: Journal
  let driver: any ClusterDriver
  let clock: any OrchestratorClock
  let settings: OrchestratorSettings
  private var state = State.stopped
  /// The rotations that are being carried out, by cluster.
  var runs: [String: (run: RotationRun, task: Task<Void, Never>)] = [:]
  /// Clusters that are just being forgotten: nothing is begun for them.
  var withdrawn: Set<String> = []
  /// What clusters that are just being recorded are known by.
  var claims: Set<String> = []
  /// Whether the records are what the machines live by, as far as that has been asked since the start.
  var standings: [String: ClusterStanding] = [:]
  /// When each of them was last asked for, by the monotonic clock.
  var standingsSeenAt: [String: Duration] = [:]
  /// When stale trust is counted again, by the monotonic clock; those that are missing are counted at the next look.
  var staleLooksDue: [String: Duration] = [:]
  /// The first counts after rotations that have just ended.
  private var countings: [String: Task<Void, Never>] = [:]
  /// What each cluster's rotations have retired, as of how many rotations there had been.
  var retiredAuthorities: [String: (rotationCount: UInt64, retired: RetiredAuthorities)] = [:]
  /// Reads the journal as a whole; nil unless that is under way.
  private(set) var opening: Task<Result<Void, OrchestratorError>, Never>?
  private var recovery: Task<Void, Never>?
  private var survey: Task<Void, Never>?
  private var drift: Task<Void, Never>?

  /// Who waits for a start that was announced.
  private var awaitingStart: [CheckedContinuation<Void, Never>] = []

  /// Where the orchestrator is: `stopped` → `starting` → `started` → `stopping` → `stopped`, or from
  /// `starting` back to `stopped` when the journal cannot be read. `announced` may come before `starting`.
  private enum State {
    case stopped, announced, starting, started, stopping
  }

  public init(
    store: any RotationStore, driver: any ClusterDriver, clock: any OrchestratorClock,
    settings: OrchestratorSettings = OrchestratorSettings()
  ) {
    journal = Journal(store: store, hub: WatchHub(queueLimit: settings.watchQueueLimit))
    self.driver = driver
    self.clock = clock
    self.settings = settings
  }

  /// Answers reads of single clusters from now on as during `start`, which comes next: callers may arrive between the
  /// first listener and `start`.
  public func announceStart() {
    if state == .stopped { state = .announced }
  }

  /// Reads the journal and takes up every rotation that is not over. Reads of single clusters are answered meanwhile: see
  /// `RotationOrchestrator+Opening.swift`.
  ///
  /// - Throws: `.journalUnavailable`, `.journalDamaged`.
  public func start() async throws(OrchestratorError) {
    guard state == .stopped || state == .announced else { return }
    state = .starting
    let opening = Task.detached(executorPreference: settings.executor) { await self.open() }
    self.opening = opening
    letStartGoOn()
    try await opening.value.get()
  }

  private func letStartGoOn() {
    for waiting in awaitingStart { waiting.resume() }
    awaitingStart = []
  }

  /// Whether the journal is being read, or is about to be.
  var isOpening: Bool { state == .announced || opening != nil }

  /// Waits until the journal has been read, or cannot be.
  func awaitOpening() async {
    if state == .announced { await withCheckedContinuation { awaitingStart.append($0) } }
    _ = await opening?.value
  }

  private func open() async -> Result<Void, OrchestratorError> {
    defer { opening = nil }
    do throws(StoreError) { try await journal.open() } catch {
      state = .stopped
      return .failure(OrchestratorError(error))
    }
    state = .started
    for cluster in journal.clusters() { takeUp(cluster.name) }
    let names = journal.clusters().map(\.name)
    survey = Task.detached(executorPreference: settings.executor) { await self.survey(names) }
    if let interval = settings.driftInterval {
      drift = Task.detached(executorPreference: settings.executor) {
        await self.guardAgainstDrift(every: interval)
      }
    }
    return .success(())
  }

  /// Begins nothing more, cancels what is in flight and waits for its end. Nothing is lost: the
  /// next `start` goes on. Watches end with `.shuttingDown`.
  public func stop() async {
    if state == .announced {
      state = .stopped
      letStartGoOn()
    }
    guard state == .started else { return }
    state = .stopping
    let ending =
      runs.values.map(\.task) + countings.values + [recovery, survey, drift].compactMap { $0 }
    for task in ending { task.cancel() }
    for task in ending { await task.value }
    journal.hub.close(OrchestratorError(.shuttingDown, "the server is stopping: try again"))
    runs = [:]
    countings = [:]
    staleLooksDue = [:]
    recovery = nil
    survey = nil
    drift = nil
    standings = [:]
    retiredAuthorities = [:]
    state = .stopped
  }

  /// Carries out the cluster's unfinished rotation, if it has one and nobody does so yet.
  func takeUp(_ name: String) {
    guard state == .started, runs[name] == nil, !withdrawn.contains(name),
      let cluster = journal.cluster(name),
      let rotation = journal.activeRotation(of: cluster)
    else { return }
    let run = RotationRun(
      cluster: cluster, rotation: rotation, journal: journal, driver: driver, clock: clock,
      settings: settings)
    // Detached: what the caller's task carries, such as the deadline that its calls inherit, is not the
    // rotation's.
    let task = Task.detached(executorPreference: settings.executor) {
      await run.run()
      await self.ended(name, rotation.id)
    }
    runs[name] = (run, task)
  }

  private func counted(_ name: String) { countings[name] = nil }

  /// A run is over. Its end was on record before this is called, so the next rotation may have been
  /// recorded by now, and found this one's run still there.
  private func ended(_ name: String, _ rotation: String) {
    guard state == .started else { return }
    runs[name] = nil
    if journal.cluster(name)?.activeRotation != rotation { takeUp(name) }
    let isUncounted = journal.cluster(name)?.staleTrust.contains { $0.count == nil } ?? false
    guard settings.driftInterval != nil, isUncounted, countings[name] == nil else { return }
    staleLooksDue[name] = nil
    countings[name] = Task.detached(executorPreference: settings.executor) {
      await self.countStaleTrust(name)
      await self.counted(name)
    }
  }

  /// Commits on behalf of a caller. When it ends in doubt, finds out in the background, so that a
  /// rotation that was recorded after all is carried out.
  func commit(
    _ changes: [StoreChange], cluster: String
  ) async throws(StoreError) -> Revision {
    do {
      return try await journal.commit(changes)
    } catch {
      if error.code == .unavailable { recover() }
      if error.code == .conflict { try await journal.refresh(cluster) }
      throw error
    }
  }

  private func recover() {
    guard state == .started, recovery == nil else { return }
    recovery = Task.detached(executorPreference: settings.executor) {
      await self.resolveDoubt()
    }
  }

  private func resolveDoubt() async {
    var failures = 0
    while !Task.isCancelled {
      do {
        try await journal.resolve()
        recovery = nil
        for cluster in journal.clusters() { takeUp(cluster.name) }
        return
      } catch {
        failures += 1
        try? await clock.sleep(for: settings.rules.backoff.delay(after: failures))
      }
    }
  }

  /// Asks the driver for something long on behalf of a caller, away from the caller's event loop: what machines
  /// answer is read there. Ends when the caller leaves.
  nonisolated func away<Result: Sendable>(
    _ ask: @escaping @Sendable (any ClusterDriver) async throws(DriverError) -> Result
  ) async throws(DriverError) -> Result {
    let task = Task.detached(executorPreference: settings.executor) {
      [driver] () -> Swift.Result<Result, DriverError> in
      do throws(DriverError) { return .success(try await ask(driver)) } catch {
        return .failure(error)
      }
    }
    return try await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }.get()
  }

  /// - Throws: `.shuttingDown` unless the orchestrator has been started.
  func requireStarted() throws(OrchestratorError) {
    guard state == .started else {
      throw OrchestratorError(.shuttingDown, "the server is starting or stopping: try again")
    }
  }

  /// - Parameter check: checks the other arguments.
  /// - Throws: `.notFound`, or what is wrong with the name and the other arguments.
  func known(
    _ name: String, _ check: (inout Arguments) -> Void = { _ in }
  ) throws(OrchestratorError) -> ClusterRecord {
    var arguments = Arguments()
    arguments.cluster(name)
    check(&arguments)
    try arguments.check()
    try requireStarted()
    guard let cluster = journal.cluster(name) else { throw .unknown(name) }
    return cluster
  }

  /// The cluster, and the rotation that is under way.
  func access(_ cluster: ClusterRecord) -> ClusterAccess {
    let rotation = journal.activeRotation(of: cluster)
    return ClusterAccess(
      cluster: cluster,
      rotation: rotation.map { $0.change($0.state.stage) })
  }
}
