import Orchestrator
import Rotation
import Synchronization
import Testing

/// What can be asked of the orchestrator, and what it refuses.
@Suite("Orchestrator")
struct OrchestratorTests {
  static func code(_ body: () throws -> some Any) -> OrchestratorError.Code? {
    do { _ = try body() } catch { return (error as? OrchestratorError)?.code }
    return nil
  }

  // MARK: - Clusters

  @Test("A cluster is imported once, read, listed and forgotten")
  func clusters() throws {
    let world = World(seed: 1, clusters: ["demo", "alpha"])
    let process = try world.bootWithClusters()
    let orchestrator = process.orchestrator
    #expect(
      try world.perform { try await orchestrator.clusters() }.clusters.map(\.name) == [
        "alpha", "demo",
      ])
    let cluster = try world.perform { try await orchestrator.cluster("demo") }
    #expect(cluster.machines.map(\.id).first == "demo-cp-0")
    #expect(cluster.importedAt > Instant(secondsSince1970: 1))
    #expect(cluster.revision == 2)
    #expect(try process.status().state == .idle)
    #expect(try process.status().revision == 2)
    #expect(
      OrchestratorTests.code {
        try world.perform {
          try await orchestrator.importCluster(name: "demo", talosconfig: "good")
        }
      } == .alreadyExists)
    _ = try world.perform { try await orchestrator.forgetCluster("demo") }
    for body in [
      { _ = try await orchestrator.forgetCluster("demo") },
      { _ = try await orchestrator.cluster("demo") },
      { _ = try await orchestrator.status(cluster: "demo") },
      { _ = try await orchestrator.history(cluster: "demo") },
      { _ = try await orchestrator.rotate(cluster: "demo", component: .talosCA) },
      { _ = try orchestrator.watch(cluster: "demo") },
    ] as [@Sendable () async throws -> Void] {
      #expect(OrchestratorTests.code { try world.perform(body) } == .notFound)
    }
    // The name is free again, and the revisions go on from where they were.
    let again = try world.perform {
      try await orchestrator.importCluster(name: "demo", talosconfig: "good")
    }
    #expect(again.record.revision == 4)
  }

  @Test(
    "What keeps a cluster from being imported is named",
    arguments: [
      ("old", .unsupportedVersion, "demo"), ("garbage", .invalidArgument, "talosconfig"),
      ("stranger", .credentialsRefused, "demo"), ("", .invalidArgument, "talosconfig"),
    ] as [(String, OrchestratorError.Code, String)])
  func importFailures(talosconfig: String, code: OrchestratorError.Code, subject: String) throws {
    let world = World(seed: 1)
    let process = try world.boot()
    do {
      _ = try world.perform {
        try await process.orchestrator.importCluster(name: "demo", talosconfig: talosconfig)
      }
      Issue.record("it was imported")
    } catch let error as OrchestratorError {
      #expect(error.code == code && error.subject == subject)
    }
    #expect(try world.perform { try await process.orchestrator.clusters() }.clusters == [])
  }

  @Test(
    "Names of clusters are DNS labels",
    arguments: [
      "", "-a", "a-", "Demo", "a.b", "a b", "é", "a/b", "a\u{0}", String(repeating: "a", count: 64),
    ])
  func badNames(name: String) throws {
    let world = World(seed: 1)
    let process = try world.boot()
    let code = OrchestratorTests.code {
      try world.perform {
        try await process.orchestrator.importCluster(name: name, talosconfig: "good")
      }
    }
    #expect(code == .invalidArgument)
  }

  @Test("A cluster that is being rotated is not forgotten")
  func forgetWhileRotating() throws {
    let world = World(seed: 1)
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    let code = OrchestratorTests.code {
      try world.perform { try await process.orchestrator.forgetCluster("demo") }
    }
    #expect(code == .rotationInProgress)
    #expect(try process.runToEnd()?.state == .succeeded)
    _ = try world.perform { try await process.orchestrator.forgetCluster("demo") }
  }

  // MARK: - Starting

  @Test("The same component attaches, another one is refused")
  func attach() throws {
    let world = World(seed: 1)
    let process = try world.bootWithClusters()
    let first = try process.rotate(.talosCA)
    let second = try process.rotate(.talosCA)
    #expect(!first.attached && second.attached)
    #expect(first.status.rotationID == second.status.rotationID)
    #expect(first.status.state == .running && first.status.machinesTotal == 0)
    #expect(
      OrchestratorTests.code { try process.rotate(.kubernetesCA) } == .anotherRotationInProgress)
    #expect(world.made.count(.talosCA) == 1 && world.made.count(.kubernetesCA) == 0)
    #expect(try process.runToEnd()?.state == .succeeded)
    let next = try process.rotate(.kubernetesCA)
    #expect(!next.attached)
    let end = try #require(try process.runToEnd())
    #expect(end.component == .kubernetesCA && end.state == .succeeded)
    #expect(end.oldFingerprint == "demo/kubernetes-ca/first")
    world.expectUnbroken("attach")
  }

  @Test("Asked by many at the same moment, one rotation is started")
  func simultaneous() throws {
    let world = World(seed: 5)
    let process = try world.bootWithClusters()
    let orchestrator = process.orchestrator
    let tickets = try world.perform {
      try await withThrowingTaskGroup(of: RotationTicket.self) { group in
        for number in 0..<20 {
          group.addTask {
            try await orchestrator.rotate(
              cluster: "demo", component: .talosCA, requestID: number % 2 == 0 ? "q" : "")
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
    }
    #expect(Set(tickets.map(\.status.rotationID)).count == 1)
    #expect(tickets.contains { !$0.attached })
    #expect(
      try world.perform { try await orchestrator.history(cluster: "demo") }.rotations.count == 1)
  }

  @Test("The same request is given the first answer, also after a restart and after the end")
  func requestIdentifiers() throws {
    let world = World(seed: 1)
    var process = try world.bootWithClusters()
    let first = try process.rotate(.talosCA, requestID: "q")
    let attached = try process.rotate(.talosCA, requestID: "p")
    #expect(attached.attached)
    try process.kill()
    process = try world.boot()
    #expect(try process.rotate(.talosCA, requestID: "q").attached == false)
    #expect(try process.runToEnd()?.state == .succeeded)
    let late = try process.rotate(.talosCA, requestID: "q")
    #expect(late.status.rotationID == first.status.rotationID)
    #expect(late.attached == first.attached && late.status.state == .succeeded)
    #expect(try process.rotate(.talosCA, requestID: "p").attached)
    #expect(
      OrchestratorTests.code { try process.rotate(.kubernetesCA, requestID: "q") }
        == .invalidArgument)
    let fresh = try process.rotate(.talosCA, requestID: "r")
    #expect(fresh.status.rotationID != first.status.rotationID)
    // The old answer stands, although something else is under way.
    let again = try process.rotate(.talosCA, requestID: "q")
    #expect(again.status.rotationID == first.status.rotationID)
  }

  @Test(
    "So many requests with identifiers attach and no more, and none that is repeated begins a second rotation"
  )
  func requestLimit() throws {
    let world = World(seed: 1)
    var process = try world.bootWithClusters()
    let first = try process.rotate(.talosCA, requestID: "q0")
    for index in 1..<RequestRecord.limit {
      #expect(try process.rotate(.talosCA, requestID: "q\(index)").attached)
    }
    #expect(try process.status().isIdle == false)
    let foreign = RotationOptions(removeForeign: true)
    for options in [RotationOptions(), foreign] {
      #expect(
        OrchestratorTests.code {
          try process.rotate(.talosCA, requestID: "one more", options: options)
        } == .tooManyRequests)
    }
    let record = try world.perform { try await world.journal.rotation(first.status.rotationID) }
    #expect(record?.options.removeForeign == false, "what is refused has no effect")
    // Whoever needs no answer to be remembered attaches, and what was remembered is answered.
    #expect(try process.rotate(.talosCA).attached)
    try process.kill()
    process = try world.boot()
    #expect(try process.rotate(.talosCA, requestID: "q255").attached)
    #expect(try process.runToEnd()?.state == .succeeded)
    for id in ["q0", "q1", "q255"] {
      let again = try process.rotate(.talosCA, requestID: id)
      #expect(again.status.rotationID == first.status.rotationID && again.answeredAt != nil)
    }
    let orchestrator = process.orchestrator
    let history = try world.perform { try await orchestrator.history(cluster: "demo") }
    #expect(history.rotations.count == 1)
    // The next rotation has room of its own.
    #expect(try process.rotate(.talosCA, requestID: "one more").attached == false)
    try process.stop()
  }

  @Test("A request that is repeated says when it was answered, and for another cause it is refused")
  func repeatedRequests() throws {
    let world = World(seed: 1)
    let process = try world.bootWithClusters()
    func ask(_ id: String, _ cause: RotationCause?, dryRun: Bool = false) throws -> RotationTicket {
      try world.perform {
        try await process.orchestrator.rotate(
          cluster: "demo", component: .kubernetesCA, dryRun: dryRun, requestID: id, cause: cause)
      }
    }
    #expect(try ask("q", .routine).answeredAt == nil)
    #expect(try ask("p", .leakedKubeconfig).answeredAt == nil)
    #expect(try process.runToEnd()?.state == .succeeded)
    for (id, cause) in [("q", RotationCause.routine), ("p", .leakedKubeconfig)] {
      let again = try ask(id, cause)
      #expect(again.answeredAt != nil && again.notes.count == 1)
      let rehearsed = try ask(id, cause, dryRun: true)
      #expect(rehearsed.answeredAt == again.answeredAt)
    }
    for (id, cause) in [("q", RotationCause.leakedKubeconfig), ("p", .routine), ("q", nil)] {
      #expect(OrchestratorTests.code { try ask(id, cause) } == .invalidArgument, "\(id)")
      #expect(OrchestratorTests.code { try ask(id, cause, dryRun: true) } == .invalidArgument)
    }
    #expect(
      try world.perform { try await process.orchestrator.history(cluster: "demo") }.rotations.count
        == 1)
    try process.stop()
  }

  @Test("Nobody attaches to a rotation that goes back")
  func attachWhileAborting() throws {
    let world = World(seed: 1)
    let process = try world.bootWithClusters()
    _ = try process.rotate(.talosCA)
    try process.pass(.seconds(1))
    _ = try world.perform {
      try await process.orchestrator.abort(cluster: "demo", requester: "uid:0")
    }
    for dryRun in [true, false] {
      #expect(
        OrchestratorTests.code {
          try world.perform {
            try await process.orchestrator.rotate(
              cluster: "demo", component: .talosCA, dryRun: dryRun)
          }
        } == .anotherRotationInProgress)
    }
    #expect(try process.runToEnd()?.state == .aborted)
    try process.stop()
  }

  @Test("Arguments that are too long or malformed are named")
  func arguments() throws {
    let world = World(seed: 1)
    let process = try world.bootWithClusters()
    let orchestrator = process.orchestrator
    let calls: [(String, @Sendable () async throws -> Void)] = [
      (
        "request_id",
        {
          _ = try await orchestrator.rotate(
            cluster: "demo", component: .talosCA, requestID: String(repeating: "x", count: 129))
        }
      ),
      (
        "reason",
        {
          _ = try await orchestrator.rotate(
            cluster: "demo", component: .talosCA, reason: String(repeating: "x", count: 1025))
        }
      ),
      (
        "reason",
        {
          _ = try await orchestrator.rotate(
            cluster: "demo", component: .talosCA, reason: "bell \u{7}")
        }
      ),
      ("cluster", { _ = try await orchestrator.rotate(cluster: "", component: .talosCA) }),
      ("page_size", { _ = try await orchestrator.history(cluster: "demo", pageSize: -1) }),
      ("page_token", { _ = try await orchestrator.history(cluster: "demo", pageToken: "r1.-") }),
      ("page_token", { _ = try await orchestrator.history(cluster: "demo", pageToken: "77") }),
      (
        "ttl",
        { _ = try await orchestrator.kubeconfig(cluster: "demo", requester: "ops", ttl: .zero) }
      ),
      (
        "ttl",
        {
          _ = try await orchestrator.kubeconfig(
            cluster: "demo", requester: "ops", ttl: .seconds(1 << 40))
        }
      ),
      (
        "roles",
        {
          _ = try await orchestrator.talosconfig(
            cluster: "demo", requester: "ops", roles: [], ttl: .seconds(60))
        }
      ),
      (
        "after_revision",
        { _ = try orchestrator.watch(cluster: "demo", afterRevision: 1_000_000) }
      ),
    ]
    for (argument, call) in calls {
      do {
        try world.perform(call)
        Issue.record("\(argument) was taken")
      } catch let error as OrchestratorError {
        #expect(error.code == .invalidArgument && error.subject == argument, "\(error)")
      }
    }
    #expect(try process.status().state == .idle)
  }

  @Test("A dry run shows the whole plan and leaves no trace")
  func dryRun() throws {
    let world = World(seed: 1, workerLimit: 3)
    let process = try world.bootWithClusters()
    let before = try process.status()
    let ticket = try world.perform {
      try await process.orchestrator.rotate(
        cluster: "demo", component: .kubernetesCA, dryRun: true, requestID: "q")
    }
    #expect(!ticket.attached && ticket.status == before)
    #expect(ticket.plan.map(\.phase) == RotationPhase.allCases.flatMap { [$0, $0] })
    #expect(
      ticket.plan.first
        == PlannedStep(
          phase: .preRotate, role: .controlPlane,
          machines: ["demo-cp-0", "demo-cp-1", "demo-cp-2"], parallel: 1,
          bundle: TrustPlan.bundle(.kubernetesCA, .preRotate, .controlPlane)))
    #expect(ticket.plan.last?.machines == ["demo-w-0", "demo-w-1"])
    #expect(ticket.plan.last?.parallel == 3)
    #expect(world.made.count(.kubernetesCA) == 0)
    #expect(try process.status() == before)
    // The identifier was not used up.
    #expect(try process.rotate(.talosCA, requestID: "q").attached == false)
    let rehearsal = try world.perform {
      try await process.orchestrator.rotate(cluster: "demo", component: .talosCA, dryRun: true)
    }
    #expect(rehearsal.attached)
    let refused = OrchestratorTests.code {
      try world.perform {
        try await process.orchestrator.rotate(
          cluster: "demo", component: .kubernetesCA, dryRun: true)
      }
    }
    #expect(refused == .anotherRotationInProgress)
  }

  @Test("Credentials are issued for the cluster as it is, in the middle of a rotation too")
  func credentials() throws {
    let world = World(seed: 1)
    let process = try world.bootWithClusters()
    let issue: @Sendable () async throws -> String = {
      try await process.orchestrator.talosconfig(
        cluster: "demo", requester: "ops", ttl: .seconds(3600)
      )
      .configuration
    }
    #expect(try world.perform(issue).hasSuffix("in peace"))
    _ = try process.rotate()
    #expect(try world.perform(issue).hasSuffix("in PRE_ROTATE"))
    let refused = OrchestratorTests.code {
      try world.perform {
        try await process.orchestrator.kubeconfig(
          cluster: "demo", requester: "ops", ttl: .seconds(60))
      }
    }
    #expect(refused == .clusterUnreachable)
  }

  @Test("Stopped or not yet started, everything is refused")
  func notRunning() throws {
    let world = World(seed: 1)
    let process = try world.bootWithClusters()
    let recording = try process.record()
    try process.pass(.seconds(1))
    try process.stop()
    #expect(recording.snapshots.count == 1)
    for _ in 0..<2 { _ = world.clock.run(limit: .seconds(1)) { recording.hasEnded } }
    #expect(recording.error?.code == .shuttingDown)
    #expect(OrchestratorTests.code { try process.rotate() } == .shuttingDown)
    #expect(OrchestratorTests.code { try process.status() } == .shuttingDown)
    #expect(OrchestratorTests.code { try process.record() } == .shuttingDown)
    // The same one can be started again.
    try world.perform { try await process.orchestrator.start() }
    #expect(try process.status().state == .idle)
  }

  // MARK: - History

  @Test("The history is paged, newest first, and bounded")
  func history() throws {
    let world = World(seed: 1, controlPlanes: 1, workers: 0, historyLimit: 5)
    let process = try world.bootWithClusters()
    var ids: [String] = []
    for round in 0..<8 {
      ids.append(try process.rotate(.talosCA, requestID: "q\(round)").status.rotationID)
      #expect(try process.runToEnd()?.state == .succeeded)
    }
    var pages: [[String]] = []
    var token = ""
    repeat {
      let page = try world.perform { [token] in
        try await process.orchestrator.history(cluster: "demo", pageSize: 2, pageToken: token)
      }
      pages.append(page.rotations.map(\.rotationID))
      token = page.nextPageToken
    } while !token.isEmpty
    let kept = Array(ids.suffix(5).reversed())
    #expect(pages == [Array(kept[0..<2]), Array(kept[2..<4]), [kept[4]]])
    // An answer is remembered as long as its rotation.
    #expect(try process.rotate(.talosCA, requestID: "q7").status.rotationID == ids[7])
    #expect(try !ids.contains(process.rotate(.talosCA, requestID: "q0").status.rotationID))
  }

  @Test("Each rotation replaces the authority that the one before has made")
  func chain() throws {
    let world = World(seed: 1)
    let process = try world.bootWithClusters()
    var previous = "demo/talos-ca/first"
    for _ in 0..<3 {
      _ = try process.rotate(.talosCA)
      let end = try #require(try process.runToEnd())
      #expect(end.oldFingerprint == previous && end.newFingerprint != previous)
      previous = end.newFingerprint
    }
    world.expectUnbroken("chain")
  }
}
