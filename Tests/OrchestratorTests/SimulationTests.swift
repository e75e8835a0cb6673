import Orchestrator
import Rotation
import Synchronization
import TestSupport
import Testing

/// Whole rotations in simulated time, with faults at every place.
@Suite("Simulated rotations", .serialized)
struct SimulationTests {
  /// Runs one rotation through as many lives as it takes, the lengths of which are given; the
  /// caller repeats its request until it is answered.
  @discardableResult
  static func rotate(
    _ world: World, component: SecretComponent, lifetimes: [Int], failBefore: Int = 0,
    failAfter: Int = 0, note: String, disturb: (World, Int) -> Void = { _, _ in }
  ) throws -> [RotationSnapshot] {
    try world.bootWithClusters().stop()
    var lives = lifetimes[...]
    var seen: [RotationSnapshot] = []
    var ticket: RotationTicket?
    var life = 0
    while true {
      life += 1
      try #require(life < 10_000, "\(note): it does not end")
      let process = try world.boot(
        lifetime: lives.popFirst(), failBefore: failBefore, failAfter: failAfter)
      disturb(world, life)
      let recording = try process.record(after: seen.last?.revision ?? 0)
      while ticket == nil, !process.life.isDead {
        ticket = try? process.rotate(component, requestID: "one")
        if ticket == nil { try process.pass(.seconds(1)) }
      }
      let end = try ticket == nil ? nil : process.runToEnd()
      if end != nil { try process.pass(.seconds(1)) }
      try process.kill()
      seen += recording.snapshots
      world.expectUnbroken(note)
      guard let end else { continue }
      #expect(end.state == .succeeded, "\(note)")
      break
    }
    expectInOrder(seen, note)
    try expectDone(world, component, note: note)
    return seen
  }

  static func expectDone(_ world: World, _ component: SecretComponent, note: String) throws {
    let process = try world.boot()
    let page = try world.perform { try await process.orchestrator.history(cluster: "demo") }
    #expect(page.rotations.count == 1, "\(note): one rotation")
    let cluster = try world.perform { try await process.orchestrator.cluster("demo") }
    let new = page.rotations.first?.newFingerprint ?? ""
    #expect(cluster.authorities[component]?.fingerprint == new, "\(note)")
    #expect(cluster.activeRotation == nil, "\(note)")
    let old = SimulatedCluster.firstAuthority(component, "demo")
    world.demo.state.withLock { state in
      #expect(state.seen[component] == [old, new], "\(note): never a third authority")
      for node in state.nodes.values {
        #expect(
          node.trust[component] == SimulatedCluster.Trust(issuing: new, accepted: [new]), "\(note)")
      }
    }
    try process.stop()
  }

  @Test(
    "An undisturbed rotation shows every stage, machine by machine",
    arguments: SecretComponent.allCases)
  func undisturbed(component: SecretComponent) throws {
    let world = World(seed: 1)
    let seen = try SimulationTests.rotate(world, component: component, lifetimes: [], note: "")
    let counts = seen.filter { $0.phase != nil && $0.state == .running }.map {
      "\($0.phase!.name) \($0.machinesDone)/\($0.machinesTotal)"
    }
    var steps: [String] = []
    for count in counts where steps.last != count { steps.append(count) }
    #expect(
      steps == ["PRE_ROTATE 0/0"]
        + RotationPhase.allCases.flatMap { phase in (0...5).map { "\(phase.name) \($0)/5" } })
    // Each machine is seen in work, and done, in each stage; the control planes one after another.
    for phase in RotationPhase.allCases {
      let inPhase = seen.filter { $0.phase == phase && $0.state == .running }
      for machine in inPhase.last?.machines ?? [] {
        let states = inPhase.compactMap { snapshot in
          snapshot.machines.first { $0.machine == machine.machine }?.state
        }
        #expect(states.contains(.applying) && states.contains(.verifying) && states.last == .done)
      }
      for snapshot in inPhase {
        let busy = snapshot.machines.filter { $0.state != .pending && $0.state != .done }
        #expect(busy.filter { $0.role == .controlPlane }.count <= 1)
        #expect(busy.count <= 2)
      }
    }
    #expect(seen.last?.state == .succeeded)
    #expect(seen.last?.status == "rotation succeeded")
    #expect(seen.contains { $0.status == "rotation phase ROTATE 1/5" })
    #expect(seen.contains { $0.step == "rotating secret for machines: [demo-cp-1]" })
    #expect(seen.contains { $0.step == "rotating secret for machines: [demo-w-0, demo-w-1]" })
  }

  @Test(
    "Death at every single write and every single change, then a restart: it ends as if nothing had been"
  )
  func deathAtEveryStep() throws {
    var lifetime = 1
    var deaths = 0
    while true {
      let world = World(seed: UInt64(lifetime), controlPlanes: 2, workers: 2)
      // A life that is long enough for all of it is the proof that every step has been tried.
      try world.bootWithClusters().stop()
      let process = try world.boot(lifetime: lifetime)
      let ticket = try? process.rotate(requestID: "one")
      let end = try ticket == nil ? nil : process.runToEnd()
      try process.kill()
      if end != nil { break }
      deaths += 1
      let again = try world.boot()
      _ = try again.rotate(requestID: "one")
      #expect(try again.runToEnd()?.state == .succeeded)
      try again.kill()
      world.expectUnbroken("lifetime \(lifetime)")
      try SimulationTests.expectDone(world, .talosCA, note: "lifetime \(lifetime)")
      lifetime += 1
    }
    #expect(deaths > 80)
  }

  @Test(
    "Dying again and again, with machines that fail, are slow, go down, are overwritten",
    arguments: 0..<150)
  func chaos(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let component = SecretComponent.allCases[seed % 2]
    let world = World(
      seed: UInt64(seed), controlPlanes: Int.random(in: 1...3, using: &generator),
      workers: Int.random(in: 0...4, using: &generator),
      workerLimit: Int.random(in: 1...3, using: &generator),
      mischief: Mischief(
        failBefore: [0, 50, 300][seed % 3], failAfter: [0, 30, 200][seed / 3 % 3],
        slow: seed % 5 == 0 ? 1 : 0, stale: seed % 6 == 0 ? 500 : 0,
        outage: seed % 4 == 0 ? 100 : 0,
        overwrite: seed % 7 == 0 ? 20 : 0, leaders: seed % 8 < 4))
    let lifetimes = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
      Int.random(in: 1...60, using: &generator)
    }
    try SimulationTests.rotate(
      world, component: component, lifetimes: lifetimes, failBefore: [0, 100][seed % 2],
      failAfter: [0, 0, 100][seed % 3], note: "seed \(seed)")
  }

  @Test(
    "Machines that join and leave in mid-rotation are neither forgotten nor waited for",
    arguments: 0..<20)
  func joiningAndLeaving(seed: Int) throws {
    let world = World(seed: UInt64(seed), controlPlanes: 3, workers: 3)
    try SimulationTests.rotate(
      world, component: .kubernetesCA, lifetimes: [20, 35, 50], note: "seed \(seed)"
    ) { world, life in
      switch life {
      case 2: world.demo.add("demo-w-9", role: .worker)
      case 3: world.demo.remove("demo-w-\(seed % 3)")
      case 4 where seed % 2 == 0: world.demo.remove("demo-cp-\(seed % 3)")
      default: break
      }
    }
  }

  @Test("The same seed gives the same history")
  func determinism() throws {
    func history(_ seed: UInt64) throws -> ([RotationSnapshot], Int) {
      let world = World(
        seed: seed, mischief: Mischief(failBefore: 100, failAfter: 100, slow: 1, outage: 50))
      let seen = try SimulationTests.rotate(
        world, component: .talosCA, lifetimes: [30, 50], failBefore: 50, note: "determinism")
      return (seen, world.clock.jobs)
    }
    let (first, second, other) = (try history(7), try history(7), try history(8))
    #expect(first.0 == second.0)
    #expect(first.1 == second.1)
    #expect(first.1 != other.1)
  }

  @Test("Many clusters rotate at the same time, each in order")
  func severalClusters() throws {
    let names = ["a", "b", "c", "d"]
    let world = World(seed: 4, clusters: names, mischief: Mischief(failBefore: 50, failAfter: 50))
    let process = try world.bootWithClusters()
    let all = try process.record(cluster: nil)
    let started = world.clock.now()
    for (index, name) in names.enumerated() {
      _ = try process.rotate(SecretComponent.allCases[index % 2], cluster: name)
    }
    var ends: [Instant] = []
    var durations: [Duration] = []
    for name in names {
      let end = try #require(try process.runToEnd(name))
      #expect(end.state == .succeeded)
      ends.append(try #require(end.finishedAt))
      durations.append(end.elapsed)
    }
    try process.pass(.seconds(1))
    world.expectUnbroken("several")
    for (earlier, later) in zip(all.snapshots, all.snapshots.dropFirst()) {
      #expect(earlier.revision < later.revision)
    }
    for name in names { expectInOrder(all.snapshots.filter { $0.cluster == name }, name) }
    // Side by side, not one after the other: while one ran, so did another.
    let total = started.duration(to: ends.max()!)
    #expect(total * 3 < durations.reduce(.zero, +) * 2)
    try process.stop()
  }
}
