import Orchestrator
import Rotation
import Synchronization
import TestSupport
import Testing

/// Whole rotations in simulated time, beside others who write, lie, answer and rotate too.
@Suite("Other actors", .serialized)
struct OtherActorsTests {
  /// A rotation that ends, through as many lives as it is given, with the invariants held.
  private func rotate(
    _ world: World, _ component: SecretComponent, lifetimes: [Int] = [], note: String,
    options: RotationOptions = RotationOptions(), disturb: (World, Int) -> Void = { _, _ in }
  ) throws {
    try world.bootWithClusters().stop()
    var lives = lifetimes[...]
    var life = 0
    var ticket: RotationTicket?
    while true {
      life += 1
      try #require(life < 1_000, "\(note): it does not end")
      let process = try world.boot(lifetime: lives.popFirst())
      disturb(world, life)
      while ticket == nil, !process.life.isDead {
        ticket = try? process.rotate(component, requestID: "one", options: options)
        if ticket == nil { try process.pass(.seconds(1)) }
      }
      let end = try ticket == nil ? nil : process.runToEnd()
      if let end {
        #expect(end.state == .succeeded, "\(note)")
        #expect(world.demo.expectOnly(end.newFingerprint, component) == [], "\(note)")
      }
      try process.kill()
      world.expectUnbroken(note)
      if end != nil { return }
    }
  }

  @Test("Another writer who undoes changes, verified or not, is outlasted", arguments: 0..<60)
  func anotherWriter(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let world = World(
      seed: UInt64(seed), controlPlanes: Int.random(in: 1...3, using: &generator),
      workers: Int.random(in: 0...3, using: &generator),
      mischief: Mischief(failAfter: [0, 50][seed % 2], overwrite: 20, overwriteAny: 40))
    let lifetimes = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
      Int.random(in: 1...60, using: &generator)
    }
    try rotate(
      world, SecretComponent.allCases[seed % 2], lifetimes: lifetimes, note: "seed \(seed)")
  }

  @Test("A foreign authority holds every stage up until it is gone", arguments: 0..<40)
  func foreignAuthority(seed: Int) throws {
    let world = World(
      seed: UInt64(seed), controlPlanes: 3, workers: 2,
      mischief: Mischief(failBefore: [0, 50][seed % 2], foreign: 60))
    try rotate(
      world, SecretComponent.allCases[seed / 2 % 2], lifetimes: [30, 60], note: "seed \(seed)")
  }

  @Test(
    "What is staged for the next boot, and a second rotator's own authority, hold every stage up until they are gone",
    arguments: 0..<40)
  func stagedAndUsurped(seed: Int) throws {
    let world = World(
      seed: UInt64(seed), controlPlanes: 3, workers: 2,
      mischief: Mischief(
        failAfter: [0, 50][seed % 2], staged: [60, 0, 40][seed % 3],
        usurped: [0, 60, 40][seed % 3]))
    try rotate(
      world, SecretComponent.allCases[seed / 2 % 2], lifetimes: [30, 60], note: "seed \(seed)")
  }

  @Test(
    "A foreign authority that stays is waited for, and goes when that is asked for in mid-rotation")
  func removedOnRequest() throws {
    let world = World(seed: 3)
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    world.demo.addForeign("the intruder's", to: "demo-w-1", for: .seconds(1_000_000))
    try process.pass(.seconds(600))
    let stuck = try process.status()
    #expect(stuck.state == .running && stuck.phase == .preRotate)
    #expect(stuck.error.contains("foreign"))
    let ticket = try process.rotate(options: RotationOptions(removeForeign: true))
    #expect(ticket.attached)
    // The simulated machine drops it with the next change of its configuration, which another writer's makes
    // necessary.
    let change = try #require(
      try world.perform {
        try await world.journal.rotations(cluster: "demo", before: nil, limit: 1).first
      })
    #expect(change.options.removeForeign)
    let worker = try #require(world.demo.members.first { $0.id == "demo-w-1" })
    world.demo.overwrite(worker, change.change(Stage(phase: .preRotate, machines: [])))
    let end = try #require(try process.runToEnd())
    #expect(end.state == .succeeded)
    #expect(world.demo.expectOnly(end.newFingerprint, .talosCA) == [])
    world.expectUnbroken("removed")
    try process.stop()
  }

  @Test("A worker that calls itself a control plane is waited for, and never given a key")
  func liar() throws {
    let world = World(seed: 5)
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    try process.pass(.seconds(2))
    world.demo.claim(.controlPlane, for: "demo-w-0")
    try process.pass(.seconds(3_600))
    let stuck = try process.status()
    #expect(stuck.state == .running)
    #expect(stuck.error.contains("demo-w-0 calls itself a control plane"))
    world.expectUnbroken("liar")
    world.demo.claim(nil, for: "demo-w-0")
    #expect(try process.runToEnd()?.state == .succeeded)
    #expect(world.demo.state.withLock { $0.nodes["demo-w-0"]?.keys.isEmpty } == true)
    world.expectUnbroken("liar")
    try process.stop()
  }

  @Test(
    "Who answers in a control plane's place with the authority that goes is waited for, and never given a key"
  )
  func impostor() throws {
    let world = World(seed: 6)
    let process = try world.bootWithClusters()
    world.demo.impersonate("demo-cp-1")
    _ = try process.rotate()
    try process.pass(.seconds(3_600))
    let stuck = try process.status()
    #expect(stuck.state == .running && stuck.phase == .postRotate)
    #expect(stuck.error.contains("demo-cp-1 shows the authority that goes"))
    world.demo.impersonate(nil)
    let end = try #require(try process.runToEnd())
    #expect(end.state == .succeeded)
    #expect(world.demo.expectOnly(end.newFingerprint, .talosCA) == [])
    world.expectUnbroken("impostor")
    try process.stop()
  }

  @Test("An authority is valid from the slowest machine's time on", arguments: 0..<6)
  func slowClock(seed: Int) throws {
    let world = World(seed: UInt64(seed))
    let process = try world.bootWithClusters()
    for (id, skew) in [("demo-w-1", -50), ("demo-cp-2", -20), ("demo-w-0", 45)] {
      world.demo.setClock(of: id, off: .seconds(skew))
    }
    _ = try process.rotate(SecretComponent.allCases[seed % 2])
    #expect(try process.runToEnd()?.state == .succeeded)
    world.expectUnbroken("clock \(seed)")
    try process.stop()
  }

  @Test("An address that another machine answers at changes nobody", arguments: 0..<10)
  func sharedAddress(seed: Int) throws {
    let world = World(seed: UInt64(seed))
    let process = try world.bootWithClusters()
    world.demo.share("10.0.0.100", of: "demo-cp-1", heldBy: "demo-cp-1")
    _ = try process.rotate(SecretComponent.allCases[seed % 2])
    try process.pass(.seconds(5))
    world.demo.share("10.0.0.100", of: "demo-cp-1", heldBy: "demo-cp-2")
    try process.pass(.seconds(600))
    world.expectUnbroken("shared \(seed)")
    world.demo.share(nil, of: "demo-cp-1", heldBy: "")
    let end = try #require(try process.runToEnd())
    #expect(end.state == .succeeded)
    let component = try #require(end.component)
    #expect(world.demo.expectOnly(end.newFingerprint, component) == [])
    world.expectUnbroken("shared \(seed)")
    try process.stop()
  }

  @Test(
    "A clock that jumps in mid-rotation neither ends a rotation nor lengthens it", arguments: 0..<10
  )
  func jumpingClock(seed: Int) throws {
    let world = World(seed: UInt64(seed), mischief: Mischief(failBefore: 100))
    let process = try world.bootWithClusters()
    let started = world.clock.uptime()
    _ = try process.rotate()
    let jumps: [Duration] = [.seconds(86_400), .seconds(-86_400), .seconds(300), .zero]
    for jump in jumps {
      try process.pass(.seconds(2))
      world.skew.set(jump)
      let status = try process.status()
      if let updated = status.updatedAt {
        for machine in status.machines {
          #expect(machine.waitingSince.map { $0 <= updated } ?? true)
          #expect(machine.stateSince.map { $0 <= updated } ?? true)
        }
      }
      #expect(status.elapsed <= world.clock.uptime() - started)
    }
    let end = try #require(try process.runToEnd())
    #expect(end.state == .succeeded)
    #expect(end.elapsed > .zero && end.elapsed <= world.clock.uptime() - started)
    world.expectUnbroken("clock \(seed)")
    try process.stop()
  }

  @Test("A clock that jumps on drops no machine before it has been missing for a minute")
  func jumpWhileMissing() throws {
    let world = World(seed: 4)
    let process = try world.bootWithClusters()
    _ = try process.rotate(options: RotationOptions(soak: .untilContinued))
    try process.pass(.seconds(600))
    #expect(try process.status().state == .paused)
    world.demo.remove("demo-w-1")
    func isThere() throws -> Bool {
      try process.status().machines.contains { $0.machine == "demo-w-1" }
    }
    // The members are read every 30 seconds: once before the jump, and once after it.
    try process.pass(.seconds(31))
    world.skew.set(.seconds(3600))
    try process.pass(.seconds(28))
    #expect(try isThere())
    try process.pass(.seconds(90))
    #expect(try !isThere())
    try process.stop()
  }

  /// What each flaw of a driver breaks, so that the invariants are known to notice.
  private func violations(
    _ flaw: SimulatedCluster.Flaw, _ component: SecretComponent, seed: Int
  ) throws -> [String] {
    let world = World(
      seed: UInt64(seed), mischief: Mischief(stale: flaw == .ignoresStale ? 1000 : 0),
      flaws: [flaw])
    let process = try world.bootWithClusters()
    switch flaw {
    case .sendsKeyToAnyone: world.demo.claim(.controlPlane, for: "demo-w-0")
    case .trustsAddresses:
      world.demo.share("10.0.0.100", of: "demo-cp-1", heldBy: "demo-cp-2")
    case .ignoresForeign:
      world.demo.addForeign("the intruder's", to: "demo-w-1", for: .seconds(1_000_000))
    case .ignoresStaged: world.demo.stage("demo-w-1", for: .seconds(1_000_000))
    case .ignoresUsurper: world.demo.usurp("demo-w-1", for: .seconds(1_000_000))
    case .believesImpostor: world.demo.impersonate("demo-cp-1")
    case .ignoresClocks: world.demo.setClock(of: "demo-w-1", off: .seconds(-50))
    case .ignoresStale, .ignoresRestart, .issuesEarly, .dropsEarly, .workersFirst, .recordsLate:
      break
    }
    _ = try process.rotate(component)
    let end = try? world.perform(limit: .seconds(20_000)) {
      while true {
        let status = try await process.orchestrator.status(cluster: "demo")
        if status.isIdle { return status }
        try await world.clock.sleep(for: .milliseconds(250))
      }
    }
    let falseDone = try falselyDone(process)
    try process.stop()
    let leftOver =
      end?.state == .succeeded
      ? world.demo.expectOnly(end?.newFingerprint ?? "", component) : []
    return world.demo.violations + leftOver + falseDone
  }

  /// Machines that count as done in the present stage and do not hold what it asks for.
  private func falselyDone(_ process: Process) throws -> [String] {
    let world = process.world
    let status = try process.status()
    guard let phase = status.phase, !status.isIdle else { return [] }
    let record = try #require(
      try world.perform {
        try await world.journal.rotations(cluster: "demo", before: nil, limit: 1).first
      })
    let change = record.change(Stage(phase: phase, machines: []))
    return status.machines.filter { machine in
      machine.state == .done
        && world.demo.state.withLock { $0.nodes[machine.machine]?.trust[change.component] }
          != world.demo.wanted(change, machine.role)
    }.map { "\($0.machine) counts as done in \(phase.name) and is not" }
  }

  @Test(
    "A driver that does not keep its promises is noticed by the invariants",
    arguments: SimulatedCluster.Flaw.allCases, SecretComponent.allCases)
  func flaws(flaw: SimulatedCluster.Flaw, component: SecretComponent) throws {
    // Only a change of the Kubernetes CA restarts API servers; machines and their trustd are reached by the Talos CA.
    switch (flaw, component) {
    case (.ignoresRestart, .talosCA), (.ignoresStale, .kubernetesCA),
      (.believesImpostor, .kubernetesCA):
      return
    default: break
    }
    for seed in 1...3 {
      #expect(try !violations(flaw, component, seed: seed).isEmpty, "\(flaw), seed \(seed)")
    }
  }
}
