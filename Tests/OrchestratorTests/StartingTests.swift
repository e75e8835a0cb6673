import Orchestrator
import Rotation
import Synchronization
import Testing

@Suite("Starting, cancelling and forgetting", .serialized)
struct StartingTests {
  private func error(_ body: () throws -> Void) -> OrchestratorError? {
    do {
      try body()
      return nil
    } catch { return error as? OrchestratorError }
  }

  @Test(
    "What the machines show keeps a rotation from starting, on a dry run alike; nothing is recorded"
  )
  func refused() throws {
    let world = World(seed: 1)
    let process = try world.bootWithClusters()
    let foreign = Finding(.foreignAuthority, "demo-w-1", "demo-w-1 accepts CA abc")
    let unready = Finding(.unready, "demo-w-0", "node demo-w-0 is not Ready")
    world.demo.state.withLock { $0.findings = [foreign, unready] }
    for dryRun in [false, true] {
      let refusal = error {
        try world.perform {
          _ = try await process.orchestrator.rotate(
            cluster: "demo", component: .talosCA, dryRun: dryRun)
        }
      }
      #expect(refusal?.code == .notReady)
      #expect(refusal?.findings == [foreign, unready])
    }
    #expect(world.made.count(.talosCA) == 0)
    #expect(try process.status().state == .idle)
    // What is allowed is told, and not waited for.
    let allowed = RotationOptions(removeForeign: true, allowUnready: true)
    _ = try process.rotate(options: allowed)
    let end = try #require(try process.runToEnd())
    #expect(end.state == .succeeded)
    #expect(end.notes.contains("node demo-w-0 is not Ready"))
    #expect(!end.nextSteps.isEmpty)
    let record = try world.perform {
      try await world.journal.rotations(cluster: "demo", before: nil, limit: 1).first
    }
    #expect(record?.options.unready == ["node/demo-w-0"])
    try process.stop()
  }

  @Test("A rotation that has touched no machine is cancelled; the cluster is free again")
  func abort() throws {
    let world = World(seed: 2)
    let process = try world.bootWithClusters()
    for id in ["demo-cp-0", "demo-cp-1", "demo-cp-2"] {
      world.demo.takeDown(id, for: .seconds(100_000))
    }
    _ = try process.rotate()
    try process.pass(.seconds(20))
    let refusal = error {
      try world.perform { _ = try await process.orchestrator.forgetCluster("demo") }
    }
    #expect(refusal?.code == .rotationInProgress)
    let id = try process.status().rotationID
    #expect(
      error {
        try world.perform {
          _ = try await process.orchestrator.abort(cluster: "demo", rotationID: "another")
        }
      }?.code == .noRotation)
    let end = try world.perform {
      try await process.orchestrator.abort(cluster: "demo", rotationID: id, requester: "uid:0")
    }
    #expect(end.state == .aborted && end.step.contains("uid:0"))
    #expect(try process.status().state == .aborted)
    #expect(
      error {
        try world.perform { _ = try await process.orchestrator.abort(cluster: "demo") }
      }?.code == .noRotation)
    _ = try world.perform { try await process.orchestrator.forgetCluster("demo") }
    world.expectUnbroken("abort")
    try process.stop()
  }

  @Test(
    "A cancellation that comes while the first try is under way waits for what becomes of it",
    arguments: 0..<20)
  func abortDuringTry(seed: Int) throws {
    let world = World(seed: UInt64(seed))
    let process = try world.bootWithClusters()
    let isDown = seed % 2 == 0
    if isDown { world.demo.takeDown("demo-cp-0", for: .seconds(100_000)) }
    _ = try process.rotate()
    // Some way into the first try: the members are read, and the configuration may be on its way.
    try process.pass(.milliseconds(100 + 40 * seed))
    let refusal = error {
      try world.perform { _ = try await process.orchestrator.abort(cluster: "demo") }
    }
    if isDown {
      #expect(refusal == nil)
      #expect(try process.status().state == .aborted)
      #expect(world.demo.state.withLock { $0.applied } == 0)
    } else {
      #expect(refusal == nil)
      let touched = world.demo.state.withLock { $0.applied } > 0
      #expect(try process.status().state == (touched ? .aborting : .aborted))
      #expect(try process.runToEnd()?.state == .aborted)
      #expect(
        world.demo.expectOnly(SimulatedCluster.firstAuthority(.talosCA, "demo"), .talosCA) == [])
    }
    world.expectUnbroken("abort \(seed)")
    try process.stop()
  }

  @Test("A rotation that refuses the old CA already is not aborted, and says where")
  func retired() throws {
    let world = World(seed: 3)
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    try world.perform {
      while try await process.orchestrator.status(cluster: "demo").phase != .postRotate {
        try await world.clock.sleep(for: .milliseconds(50))
      }
      try await world.clock.sleep(for: .seconds(2))
    }
    let refusal = error {
      try world.perform { _ = try await process.orchestrator.abort(cluster: "demo") }
    }
    #expect(refusal?.code == .authorityRetired)
    #expect(refusal?.message.contains("demo-cp-0") == true)
    #expect(try process.runToEnd()?.state == .succeeded)
    try process.stop()
  }

  @Test(
    "A cluster in mid-rotation is forgotten by force, which says what is lost and ends the work")
  func forced() throws {
    let world = World(seed: 4)
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    try process.pass(.seconds(3))
    let lost = try world.perform {
      try await process.orchestrator.forgetCluster("demo", force: true)
    }
    #expect(lost.contains { $0.contains("stands still in PRE_ROTATE") && $0.contains("demo-cp-0") })
    let applied = world.demo.state.withLock { $0.applied }
    try process.pass(.seconds(600))
    #expect(world.demo.state.withLock { $0.applied } == applied)
    try process.stop()
    let again = try world.boot()
    #expect(try world.perform { try await again.orchestrator.clusters() }.clusters.isEmpty)
    try again.stop()
  }

  @Test("The same cluster is not imported twice, whatever the name; the first is named")
  func twice() throws {
    let world = World(seed: 5)
    let process = try world.bootWithClusters()
    let refusal = error {
      try world.perform {
        _ = try await process.orchestrator.importCluster(name: "other", talosconfig: "of demo")
      }
    }
    #expect(refusal?.code == .alreadyExists)
    #expect(refusal?.message.contains("'demo'") == true)
    try process.stop()
  }

  @Test("A record that is older than the machines is marked, and issues nothing")
  func outdated() throws {
    let world = World(seed: 6)
    let process = try world.bootWithClusters()
    _ = try world.perform {
      try await process.orchestrator.talosconfig(
        cluster: "demo", requester: "ops", ttl: .seconds(600)
      )
      .configuration
    }
    try process.stop()
    world.demo.state.withLock { state in
      for id in state.nodes.keys {
        state.nodes[id]?.trust[.talosCA] = SimulatedCluster.Trust(
          issuing: "another", accepted: ["another"])
      }
    }
    let restored = try world.boot()
    try restored.pass(.seconds(1))
    let warnings = try world.perform {
      let cluster = try await restored.orchestrator.cluster("demo")
      return await restored.orchestrator.warnings(cluster)
    }
    #expect(warnings == ["the machines issue from another"])
    let refusal = error {
      try world.perform {
        _ = try await restored.orchestrator.talosconfig(
          cluster: "demo", requester: "ops", ttl: .seconds(600))
      }
    }
    #expect(refusal?.code == .recordOutdated)
    // Machines that let nobody in by the record's Talos CA do not say which Kubernetes CA they use.
    let unasked = error {
      try world.perform {
        _ = try await restored.orchestrator.kubeconfig(
          cluster: "demo", requester: "ops", ttl: .seconds(600))
      }
    }
    #expect(unasked?.code == .recordOutdated)
    try restored.stop()
  }
}
