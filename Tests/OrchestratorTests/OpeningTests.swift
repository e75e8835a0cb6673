import MemoryStore
import Orchestrator
import Rotation
import StoreConformance
import Synchronization
import Testing

@Suite("What is answered while the journal is being read", .serialized, .timeLimit(.minutes(1)))
struct OpeningTests {
  /// How long the journal takes to be read.
  private static let loading = Duration.seconds(60)

  /// A process in the midst of a rotation was killed; the next one has its journal still to read.
  private func reboot(
    seed: UInt64, failure: StoreError? = nil
  ) throws -> (process: Process, before: RotationSnapshot) {
    let world = World(seed: seed, clusters: ["demo", "other"])
    let first = try world.bootWithClusters()
    _ = try first.rotate()
    try first.pass(.seconds(5))
    let before = try first.status()
    try #require(!before.isIdle)
    try first.kill()
    let process = try world.boot(
      loading: FaultyStore.Loading(time: Self.loading, failure: failure), isStarted: false)
    return (process, before)
  }

  /// - Returns: what was thrown.
  private static func error(_ body: () async throws -> Void) async -> OrchestratorError? {
    do { try await body() } catch { return error as? OrchestratorError }
    return nil
  }

  /// Asks in the background.
  ///
  /// - Returns: the answer, or the code of the error, and when it came.
  private static func asking(
    _ clock: SimulatedExecutor, _ question: @escaping @Sendable () async throws -> String
  ) -> Task<(answer: String, at: Duration), Never> {
    Task(executorPreference: clock) {
      let answer: String
      do { answer = try await question() } catch {
        answer = (error as? OrchestratorError)?.code.rawValue ?? "\(error)"
      }
      return (answer, clock.uptime())
    }
  }

  @Test(
    "A cluster, its rotation and a page are answered at once; nothing is changed, and no machine is touched, until all is read",
    arguments: 1...5 as ClosedRange<UInt64>)
  func early(seed: UInt64) throws {
    let (process, before) = try reboot(seed: seed)
    let (world, orchestrator) = (process.world, process.orchestrator)
    let applied = world.demo.state.withLock { $0.applied }
    try world.perform {
      let begun = world.clock.uptime()
      let starting = Task(executorPreference: world.clock) { try await orchestrator.start() }
      try await world.clock.sleep(for: .seconds(1))
      let cluster = try await orchestrator.cluster("demo")
      #expect(cluster.name == "demo" && cluster.activeRotation == before.rotationID)
      let status = try await orchestrator.status(cluster: "demo")
      #expect(status.rotationID == before.rotationID && status.revision >= before.revision)
      #expect(!status.isIdle)
      #expect(try await orchestrator.status(cluster: "other").state == .idle)
      let page = try await orchestrator.clusters(pageSize: 1)
      #expect(page.clusters == [cluster] && !page.nextPageToken.isEmpty)
      let refusals = [
        await Self.error {
          _ = try await orchestrator.rotate(cluster: "other", component: .talosCA)
        },
        await Self.error {
          _ = try await orchestrator.lock(cluster: "other", reason: "", requester: "uid:0")
        },
        await Self.error {
          try await orchestrator.forgetCluster("other")
        },
        await Self.error {
          _ = try await orchestrator.talosconfig(cluster: "other", requester: "uid:0")
        },
        await Self.error {
          _ = try await orchestrator.secretsBundle(cluster: "other")
        },
      ]
      #expect(refusals.map { $0?.code } == Array(repeating: .shuttingDown, count: 5))
      try await world.clock.sleep(for: Self.loading / 2)
      #expect(world.clock.uptime() - begun < Self.loading)
      #expect(world.demo.state.withLock { $0.applied } == applied)
      try await starting.value
      #expect(world.clock.uptime() - begun >= Self.loading)
    }
    let end = try #require(try process.runToEnd())
    #expect(end.state == .succeeded && end.rotationID == before.rotationID)
    #expect(world.demo.state.withLock { $0.applied } > applied)
    world.expectUnbroken("seed \(seed)")
    try process.stop()
  }

  @Test(
    "Between the first listener and the start a cluster is answered at once, and what is not there when all has been read"
  )
  func announced() throws {
    let (process, before) = try reboot(seed: 8)
    let (world, orchestrator) = (process.world, process.orchestrator)
    try world.perform {
      await orchestrator.announceStart()
      let asked = [
        Self.asking(world.clock) { try await orchestrator.cluster("nobody").name },
        Self.asking(world.clock) {
          try await orchestrator.clusters(pageSize: 5).clusters.count.description
        },
      ]
      try await world.clock.sleep(for: .seconds(1))
      #expect(try await orchestrator.cluster("demo").activeRotation == before.rotationID)
      #expect(try await orchestrator.status(cluster: "demo").rotationID == before.rotationID)
      #expect(try await orchestrator.clusters(pageSize: 1).clusters.map(\.name) == ["demo"])
      let refusal = await Self.error { try await orchestrator.forgetCluster("other") }
      #expect(refusal?.code == .shuttingDown)
      let begun = world.clock.uptime()
      try await orchestrator.start()
      let answers = [await asked[0].value, await asked[1].value]
      #expect(answers.map(\.answer) == ["notFound", "2"])
      #expect(answers.allSatisfy { $0.at - begun >= Self.loading })
    }
    try process.stop()
  }

  @Test("Who waits for a start that was announced is answered when there is none")
  func announcedInVain() throws {
    let (process, _) = try reboot(seed: 9)
    let (world, orchestrator) = (process.world, process.orchestrator)
    try world.perform {
      await orchestrator.announceStart()
      let asked = Self.asking(world.clock) { try await orchestrator.cluster("nobody").name }
      try await world.clock.sleep(for: .seconds(1))
      await orchestrator.stop()
      #expect(await asked.value.answer == "shuttingDown")
    }
  }

  @Test("An answer that something is not there comes when the whole journal has been read")
  func absent() throws {
    let world = World(seed: 6, journal: MemoryStore())
    try world.perform {
      for name in ["demo", "other"] {
        _ = try await world.journal.commit([.putCluster(Sample.cluster(name), expected: 0)])
      }
      // Its record says that it has had a rotation, which somebody has taken out.
      var lonely = Sample.cluster("lonely", count: 1)
      lonely.activeRotation = nil
      _ = try await world.journal.commit([.putCluster(lonely, expected: 0)])
    }
    let process = try world.boot(
      loading: FaultyStore.Loading(time: Self.loading), isStarted: false)
    let orchestrator = process.orchestrator
    try world.perform {
      let begun = world.clock.uptime()
      let starting = Task(executorPreference: world.clock) { try await orchestrator.start() }
      try await world.clock.sleep(for: .seconds(1))
      let asked = [
        Self.asking(world.clock) { try await orchestrator.cluster("nobody").name },
        Self.asking(world.clock) { try await orchestrator.status(cluster: "lonely").cluster },
        Self.asking(world.clock) {
          try await orchestrator.clusters().clusters.map(\.name).joined(separator: " ")
        },
        Self.asking(world.clock) {
          let token = ClusterPage.token(after: "demo")
          return try await orchestrator.clusters(pageSize: 2, pageToken: token)
            .clusters.map(\.name).joined(separator: " ")
        },
      ]
      #expect(try await orchestrator.cluster("lonely").rotationCount == 1)
      #expect(
        try await orchestrator.clusters(pageSize: 2).clusters.map(\.name) == ["demo", "lonely"])
      #expect(world.clock.uptime() - begun < .seconds(2))
      var answers: [String] = []
      for task in asked {
        let (answer, at) = await task.value
        #expect(at - begun >= Self.loading, "\(answer)")
        answers.append(answer)
      }
      #expect(
        answers == [
          OrchestratorError.Code.notFound.rawValue, "lonely", "demo lonely other", "lonely other",
        ])
      try await starting.value
    }
    try process.stop()
  }

  @Test(
    "Of a journal that turns out not to be whole nothing has had an effect, and nothing is answered any more"
  )
  func broken() throws {
    let fault = StoreError(.corrupt, "the store is not whole: row 'x' of table clusters is missing")
    let (process, before) = try reboot(seed: 7, failure: fault)
    let (world, orchestrator) = (process.world, process.orchestrator)
    let applied = world.demo.state.withLock { $0.applied }
    let records = try world.perform { try await world.journal.load() }
    try world.perform {
      let starting = Task(executorPreference: world.clock) {
        await Self.error { try await orchestrator.start() }
      }
      try await world.clock.sleep(for: .seconds(1))
      let waiting = Task(executorPreference: world.clock) {
        await Self.error {
          _ = try await orchestrator.cluster("nobody")
        }
      }
      #expect(try await orchestrator.status(cluster: "demo").rotationID == before.rotationID)
      let end = await starting.value
      #expect(end?.code == .journalDamaged && end?.message.contains(fault.message) == true)
      #expect(await waiting.value?.code == .shuttingDown)
      let after = await Self.error {
        _ = try await orchestrator.cluster("demo")
      }
      #expect(after?.code == .shuttingDown)
      try await world.clock.sleep(for: .seconds(600))
      #expect(try await world.journal.load() == records)
    }
    #expect(world.demo.state.withLock { $0.applied } == applied)
    world.expectUnbroken("broken")
  }

  @Test(
    "A record that the store does not believe is told of as damaged, and the others are answered")
  func damagedRecord() throws {
    let world = World(seed: 8, clusters: ["demo", "other"])
    try world.bootWithClusters().stop()
    let process = try world.boot(
      loading: FaultyStore.Loading(time: Self.loading, unreadable: "other"), isStarted: false)
    let orchestrator = process.orchestrator
    try world.perform {
      let starting = Task(executorPreference: world.clock) { try await orchestrator.start() }
      try await world.clock.sleep(for: .seconds(1))
      #expect(try await orchestrator.cluster("demo").name == "demo")
      for refused in [
        await Self.error({
          _ = try await orchestrator.cluster("other")
        }),
        await Self.error({
          _ = try await orchestrator.clusters(pageSize: 1)
        }),
      ] { #expect(refused?.code == .journalDamaged) }
      try await starting.value
    }
    try process.stop()
  }
}
