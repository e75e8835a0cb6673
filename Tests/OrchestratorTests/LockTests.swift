import Orchestrator
import Rotation
import Synchronization
import TestSupport
import Testing

/// Locks keep clusters and machines from being changed, whoever restarts in between.
@Suite("Locks in simulated time", .serialized)
struct LockTests {
  private func lock(
    _ process: Process, machine: String? = nil, reason: String = "change window"
  ) throws {
    _ = try process.world.perform {
      try await process.orchestrator.lock(
        cluster: "demo", machine: machine, reason: reason, requester: "uid:7")
    }
  }

  private func unlock(_ process: Process, machine: String? = nil) throws {
    _ = try process.world.perform {
      try await process.orchestrator.unlock(cluster: "demo", machine: machine)
    }
  }

  private func wait(
    _ process: Process, _ condition: @escaping @Sendable (RotationSnapshot) -> Bool
  ) throws {
    try process.world.perform(limit: .seconds(1000)) {
      while !condition(try await process.orchestrator.status(cluster: "demo")) {
        try await process.world.clock.sleep(for: .milliseconds(20))
      }
    }
  }

  private func error(_ body: () throws -> Void) -> OrchestratorError? {
    do {
      try body()
      return nil
    } catch { return error as? OrchestratorError }
  }

  private func applied(_ world: World) -> Int { world.demo.state.withLock { $0.applied } }

  @Test("A rotation names the call that has said last what it has to do, also after a restart")
  func calls() throws {
    let world = World(seed: 12)
    let process = try world.bootWithClusters()
    func rotate(_ call: String) throws -> RotationTicket {
      try world.perform {
        try await process.orchestrator.rotate(
          cluster: "demo", component: .talosCA, requester: "uid:7", call: call)
      }
    }
    #expect(try rotate("c1").status.call == "c1")
    try wait(process) { $0.machines.contains { $0.state == .applying } }
    #expect(try rotate("c2").attached)
    #expect(try process.status().call == "c1", "who attaches changes nothing")
    _ = try world.perform {
      try await process.orchestrator.lock(cluster: "demo", requester: "uid:7", call: "c3")
    }
    try wait(process) { $0.state == .paused }
    #expect(try process.status().call == "c3")
    try process.kill()
    let again = try world.boot()
    #expect(try again.status().call == "c3")
    _ = try world.perform {
      try await again.orchestrator.unlock(cluster: "demo", call: "c4")
    }
    #expect(try again.status().call == "c4")
    let aborted = try world.perform {
      try await again.orchestrator.abort(cluster: "demo", requester: "uid:7", call: "c5")
    }
    #expect(aborted.call == "c5")
    let end = try again.runToEnd()
    #expect(end?.state == .aborted && end?.call == "c5")
    try again.stop()
  }

  @Test(
    "A locked cluster finishes what is in work, is PAUSED through a restart, and goes on where it was",
    arguments: SecretComponent.allCases)
  func cluster(component: SecretComponent) throws {
    let world = World(seed: 11)
    let process = try world.bootWithClusters()
    _ = try process.rotate(component)
    try wait(process) { status in
      status.phase == .rotate && status.machines.contains { $0.state == .applying }
        && status.machinesDone == 1
    }
    try lock(process)
    try wait(process) { $0.state == .paused }
    let paused = try process.status()
    #expect(paused.machinesDone == 2, "the machine in work was finished")
    #expect(paused.step.hasPrefix("paused: cluster demo is locked by uid:7 since 20"))
    #expect(paused.step.hasSuffix(": change window; unlock it: omnictl cluster unlock demo"))
    #expect(!paused.isIdle && paused.locks.cluster?.requester == "uid:7")
    let before = applied(world)
    try process.kill()
    let again = try world.boot()
    try again.pass(.seconds(3600))
    #expect(try again.status().state == .paused)
    #expect(applied(world) == before, "nothing is changed while it is locked")
    // Who locks it once more does not take the first one's name off it.
    try lock(again, reason: "another")
    #expect(try again.status().locks.cluster?.reason == "change window")
    try unlock(again)
    #expect(try again.runToEnd()?.state == .succeeded)
    world.expectUnbroken("\(component)")
    try again.stop()
  }

  @Test(
    "A locked machine is left alone; the others go on, but no worker before the last control plane")
  func machine() throws {
    let world = World(seed: 12)
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    try lock(process, machine: "demo-cp-1")
    try lock(process, machine: "demo-w-1")
    try wait(process) { $0.state == .paused }
    var paused = try process.status()
    #expect(paused.phase == .preRotate && paused.machinesDone == 2)
    #expect(paused.step.contains("demo-cp-1 is locked by uid:7"))
    let held = try #require(paused.machines.first { $0.machine == "demo-cp-1" })
    #expect(held.state == .waiting && held.lock?.reason == "change window")
    #expect(held.lastError.hasSuffix("omnictl cluster -n demo machine unlock demo-cp-1"))
    #expect(paused.machines.first { $0.machine == "demo-w-0" }?.state == .pending)
    try unlock(process, machine: "demo-cp-1")
    try wait(process) { $0.state == .paused }
    paused = try process.status()
    #expect(paused.machinesDone == 4 && paused.step.contains("demo-w-1 is locked"))
    try unlock(process, machine: "demo-w-1")
    #expect(try process.runToEnd()?.state == .succeeded)
    world.expectUnbroken("machine")
    try process.stop()
  }

  @Test("No rotation of a locked cluster, or of one with a locked machine, is started")
  func start() throws {
    let world = World(seed: 13)
    let process = try world.bootWithClusters()
    for machine in [nil, "demo-w-0"] {
      try lock(process, machine: machine)
      for isDryRun in [false, true] {
        let refusal = error {
          _ = try world.perform {
            try await process.orchestrator.rotate(
              cluster: "demo", component: .talosCA, dryRun: isDryRun)
          }
        }
        #expect(refusal?.code == .locked)
        #expect(refusal?.message.contains("change window; unlock it: omnictl cluster ") == true)
      }
      try unlock(process, machine: machine)
    }
    #expect(error { try lock(process, machine: "demo-w-7") }?.code == .machineNotFound)
    #expect(error { try lock(process, machine: "") }?.code == .invalidArgument)
    #expect(try process.status().state == .idle)
    #expect(world.made.count(.talosCA) == 0)
    try process.stop()
  }

  @Test("A machine that nothing was sent to is not tried again while it is locked")
  func untouched() throws {
    let world = World(seed: 14)
    let process = try world.bootWithClusters()
    world.demo.takeDown("demo-cp-0", for: .seconds(600))
    _ = try process.rotate()
    try wait(process) { $0.machines.first?.state == .waiting }
    try lock(process, machine: "demo-cp-0")
    try wait(process) { $0.state == .paused }
    try process.pass(.seconds(700))
    let paused = try process.status()
    #expect(paused.state == .paused && paused.machinesDone == 2)
    try unlock(process, machine: "demo-cp-0")
    #expect(try process.runToEnd()?.state == .succeeded)
    world.expectUnbroken("untouched")
    try process.stop()
  }

  @Test("A paused rotation is aborted: the lock holds the way back too, until it is ended")
  func abort() throws {
    let world = World(seed: 15)
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    try wait(process) { $0.phase == .rotate && $0.machinesDone == 1 }
    try lock(process)
    try wait(process) { $0.state == .paused }
    let turned = try world.perform {
      try await process.orchestrator.abort(cluster: "demo", requester: "uid:0")
    }
    #expect(turned.state == .paused && turned.isGoingBack)
    #expect(turned.status.hasPrefix("aborting, undoing phase ROTATE"))
    let before = applied(world)
    try process.pass(.seconds(600))
    #expect(applied(world) == before)
    try unlock(process)
    #expect(try process.runToEnd()?.state == .aborted)
    let old = SimulatedCluster.firstAuthority(.talosCA, "demo")
    #expect(world.demo.expectOnly(old, .talosCA) == [])
    world.expectUnbroken("abort")
    try process.stop()
  }

  @Test(
    "An abort of a locked cluster brings back the control plane that was in work, and changes no other"
  )
  func abortInWork() throws {
    for seed in 0..<10 {
      let world = World(seed: UInt64(seed))
      let process = try world.bootWithClusters()
      _ = try process.rotate(.kubernetesCA)
      try wait(process) { status in
        status.phase == .rotate && status.machines[1].state == .verifying
      }
      try lock(process)
      let before = applied(world)
      _ = try world.perform { try await process.orchestrator.abort(cluster: "demo") }
      try process.pass(.seconds(600))
      #expect(applied(world) == before + 1, "seed \(seed)")
      let paused = try process.status()
      #expect(paused.state == .paused && paused.machines[1].state == .done)
      try unlock(process)
      #expect(try process.runToEnd()?.state == .aborted)
      world.expectUnbroken("seed \(seed)")
      try process.stop()
    }
  }

  @Test(
    "Locked and unlocked at any moment, with faults and deaths in between, it ends as ever",
    arguments: 0..<60)
  func chaos(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let component = SecretComponent.allCases[seed % 2]
    let world = World(
      seed: UInt64(seed), controlPlanes: 2, workers: 2,
      mischief: Mischief(
        failBefore: [0, 100][seed % 2], failAfter: [0, 50][seed / 2 % 2],
        outage: seed % 4 == 0 ? 50 : 0, leaders: seed % 8 < 4))
    var process = try world.bootWithClusters()
    _ = try process.rotate(component)
    for _ in 0..<6 {
      try process.pass(.milliseconds(Int64.random(in: 0...9_000, using: &generator)))
      guard try !process.status().isIdle else { break }
      let machine = [nil, "demo-cp-0", "demo-w-1"].randomElement(using: &generator) ?? nil
      try lock(process, machine: machine)
      let locked = applied(world)
      try process.pass(.milliseconds(Int64.random(in: 0...9_000, using: &generator)))
      if machine == nil, Bool.random(using: &generator) {
        try process.kill()
        process = try world.boot()
        try process.pass(.seconds(400))
        let settled = applied(world)
        #expect(settled <= locked + 3, "seed \(seed): what was in work, and no more")
        try process.pass(.seconds(400))
        #expect(applied(world) == settled, "seed \(seed)")
      }
      try unlock(process, machine: machine)
    }
    #expect(try process.runToEnd()?.state == .succeeded, "seed \(seed)")
    world.expectUnbroken("seed \(seed)")
    try SimulationTests.expectDone(world, component, note: "seed \(seed)")
    try process.stop()
  }
}
