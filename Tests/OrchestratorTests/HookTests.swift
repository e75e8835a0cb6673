import Rotation
import Synchronization
import TestSupport
import Testing

@testable import Orchestrator

@Suite("Hooks before a stage, in simulated time", .serialized)
struct HookTests {
  private func world(_ seed: UInt64, _ hooks: ScriptedHooks) -> World {
    let world = World(seed: seed, controlPlanes: 2, workers: 1, stageHooks: hooks)
    hooks.watch(world)
    return world
  }

  private func held(_ process: Process, _ phase: RotationPhase) throws -> RotationSnapshot {
    try process.world.perform(limit: .seconds(4000)) {
      while true {
        let status = try await process.orchestrator.status(cluster: "demo")
        if status.hold?.phase == phase, status.hold?.effort.waitingSince != nil { return status }
        try await process.world.clock.sleep(for: .milliseconds(100))
      }
    }
  }

  /// Whether any machine has what only the stage brings.
  private func hasBegun(_ phase: RotationPhase, _ world: World) -> Bool {
    let old = SimulatedCluster.firstAuthority(.talosCA, "demo")
    return world.demo.state.withLock { state in
      state.nodes.values.contains { node in
        guard let trust = node.trust[.talosCA] else { return false }
        return switch phase {
        case .preRotate: trust.accepted != [old]
        case .rotate: trust.issuing != old
        case .postRotate: !trust.accepted.contains(old)
        }
      }
    }
  }

  @Test(
    "Each stage begins when the hooks agree, and no machine is touched before; the status says why")
  func holds() throws {
    let hooks = ScriptedHooks([.preRotate: 3, .rotate: 2, .postRotate: 4])
    let world = world(31, hooks)
    let process = try world.bootWithClusters()
    let ticket = try process.rotate()
    for phase in RotationPhase.allCases {
      let status = try held(process, phase)
      // All machines have passed the stage before; before PRE_ROTATE there is none.
      #expect(status.phase == phase.previous ?? .preRotate && status.machinesTotal == 3)
      #expect(status.state == .paused && status.machinesDone == (phase == .preRotate ? 0 : 3))
      #expect(status.hold?.hook == "10-window")
      #expect(status.step.hasPrefix("paused: hook 10-window holds \(phase.name) since "))
      #expect(status.step.contains("not yet") && status.step.contains("; asked again at "))
      #expect(status.error.contains("not yet"))
      #expect(!hasBegun(phase, world))
      try world.perform(limit: .seconds(4000)) {
        while hooks.update({ !$0.agreed.contains(phase) }) {
          try await world.clock.sleep(for: .seconds(1))
        }
      }
    }
    let done = try #require(try process.runToEnd())
    #expect(done.state == .succeeded && done.hold == nil)
    #expect(
      done.notes.contains { $0.hasPrefix("the hooks before ROTATE agree; 10-window had held") })
    #expect(hooks.asked.map(\.attempt) == [1, 2, 3, 4, 1, 2, 3, 1, 2, 3, 4, 5])
    let first = try #require(hooks.asked.first)
    #expect(first.rotation == ticket.status.rotationID && first.cluster == "demo")
    #expect(first.oldFingerprint == ticket.status.oldFingerprint)
    #expect(first.newFingerprint == ticket.status.newFingerprint)
    #expect(first.controlPlanes == 2 && first.workers == 1 && first.component == .talosCA)
    world.expectUnbroken("holds")
    try process.stop()
  }

  @Test("They are asked for ever, at most once a minute, and again at once after a restart")
  func forEver() throws {
    let hooks = ScriptedHooks([.rotate: .max], pace: .milliseconds(1))
    let world = world(32, hooks)
    var process = try world.bootWithClusters()
    _ = try process.rotate()
    let before = try held(process, .rotate)
    try process.pass(.seconds(3600))
    let asked = hooks.asked.count
    #expect((58...68).contains(asked), "\(asked)")
    try process.kill()
    process = try world.boot()
    try process.pass(.seconds(1))
    #expect(hooks.asked.count == asked + 1)
    let after = try held(process, .rotate)
    #expect(after.hold?.effort.waitingSince == before.hold?.effort.waitingSince)
    #expect(!hasBegun(.rotate, world))
    hooks.update { $0.refusals = [:] }
    #expect(try process.runToEnd()?.state == .succeeded)
    world.expectUnbroken("for ever")
    try process.stop()
  }

  @Test(
    "A rotation that is held can be aborted in every stage; a late yes begins nothing, and the way back is asked of nobody",
    arguments: RotationPhase.allCases)
  func abort(phase: RotationPhase) throws {
    let hooks = ScriptedHooks([phase: 1])
    let world = world(33, hooks)
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    _ = try held(process, phase)
    // The next answer, which is yes, takes its time.
    hooks.update { $0.pace = .seconds(40) }
    try process.pass(.seconds(10))
    let asked = hooks.asked.count
    _ = try world.perform { try await process.orchestrator.abort(cluster: "demo") }
    #expect(try process.runToEnd()?.state == .aborted)
    try process.pass(.seconds(100))
    #expect(hooks.asked.count == asked)
    let old = SimulatedCluster.firstAuthority(.talosCA, "demo")
    #expect(world.demo.expectOnly(old, .talosCA) == [])
    world.expectUnbroken("\(phase)")
    try process.stop()
  }

  @Test(
    "Death at every step of a rotation that is held again and again: no stage begins without a yes")
  func deathAtEveryStep() throws {
    for lifetime in stride(from: 1, through: 300, by: 4) {
      let hooks = ScriptedHooks([.preRotate: 2, .rotate: 2, .postRotate: 2])
      let world = world(UInt64(lifetime), hooks)
      try world.bootWithClusters().stop()
      let process = try world.boot(lifetime: lifetime)
      let ticket = try? process.rotate(requestID: "one")
      let end = try ticket == nil ? nil : process.runToEnd()
      try process.kill()
      let agreed = hooks.update { $0.agreed }
      for phase in RotationPhase.allCases where !agreed.contains(phase) {
        #expect(!hasBegun(phase, world), "lifetime \(lifetime), \(phase)")
      }
      if end != nil { return #expect(lifetime > 60) }
      let again = try world.boot()
      _ = try again.rotate(requestID: "one")
      #expect(try again.runToEnd()?.state == .succeeded, "lifetime \(lifetime)")
      #expect(hooks.update { $0.agreed.count } == 3)
      try again.kill()
      world.expectUnbroken("lifetime \(lifetime)")
    }
    Issue.record("no life was long enough")
  }

  @Test("An omnid without hooks goes on with what one with hooks has left held")
  func withoutHooks() throws {
    let hooks = ScriptedHooks([.rotate: .max])
    let world = world(35, hooks)
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    _ = try held(process, .rotate)
    try process.kill()
    var without = world.settings
    without.stageHooks = nil
    let again = try world.boot(settings: without)
    #expect(try again.runToEnd()?.state == .succeeded)
    try again.stop()
  }

  @Test("A dry run names them and asks nobody; locks and hooks hold side by side")
  func besides() throws {
    let hooks = ScriptedHooks([.rotate: 1])
    let world = world(36, hooks)
    let process = try world.bootWithClusters()
    let plan = try world.perform {
      try await process.orchestrator.rotate(cluster: "demo", component: .talosCA, dryRun: true)
    }
    #expect(plan.notes.last?.contains("10-window, 20-balancer") == true && hooks.asked.isEmpty)
    _ = try process.rotate()
    _ = try held(process, .rotate)
    _ = try world.perform {
      try await process.orchestrator.lock(cluster: "demo", reason: "later", requester: "uid:0")
    }
    let asked = hooks.asked.count
    try process.pass(.seconds(300))
    let status = try process.status()
    #expect(status.state == .paused && status.step.contains("locked"))
    #expect(status.step.hasSuffix("; then the hooks before ROTATE are asked"))
    #expect(status.hold?.effort.nextAttemptAt == nil && hooks.asked.count <= asked + 1)
    #expect(!hasBegun(.rotate, world))
    _ = try world.perform { try await process.orchestrator.unlock(cluster: "demo") }
    #expect(try process.runToEnd()?.state == .succeeded)
    world.expectUnbroken("besides")
    try process.stop()
  }

  @Test(
    "Whoever joins while a stage is held is brought through the stage before, and then they are asked anew"
  )
  func joined() throws {
    let hooks = ScriptedHooks([.rotate: .max], pace: .milliseconds(10))
    let world = world(37, hooks)
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    _ = try held(process, .rotate)
    world.demo.add("late", role: .worker)
    // As it is made by somebody who knows of no rotation.
    world.demo.state.withLock { $0.nodes["late"]?.trust = SimulatedCluster.original("demo") }
    try process.pass(.seconds(300))
    let trust = world.demo.state.withLock { $0.nodes["late"]?.trust[.talosCA] }
    #expect(trust?.accepted.count == 2, "it trusts the new CA before any machine shows it")
    let again = try held(process, .rotate)
    #expect(again.machinesTotal == 4 && again.machinesDone == 4)
    hooks.update { $0.refusals = [:] }
    #expect(try process.runToEnd()?.state == .succeeded)
    world.expectUnbroken("joined")
    try process.stop()
  }

  @Test(
    "What they have agreed to begins only when all is found well at once; else they are asked anew")
  func stale() throws {
    let hooks = ScriptedHooks([.rotate: 1], pace: .milliseconds(10))
    let world = world(38, hooks)
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    _ = try held(process, .rotate)
    // Gone by the time that they agree, and for as long as a change window may last.
    world.demo.takeDown("demo-w-0", for: .seconds(600))
    try process.pass(.seconds(60))
    #expect(hooks.update { $0.agreed.contains(.rotate) } && !hasBegun(.rotate, world))
    #expect(try process.status().hold == nil, "the cluster is waited for, not the hooks")
    hooks.update { script in
      script.agreed = []
      script.refusals[.rotate] = .max
    }
    try process.pass(.seconds(560))
    _ = try held(process, .rotate)
    #expect(!hasBegun(.rotate, world))
    hooks.update { $0.refusals = [:] }
    #expect(try process.runToEnd()?.state == .succeeded)
    #expect(hooks.update { $0.agreed.contains(.rotate) })
    world.expectUnbroken("stale")
    try process.stop()
  }

  @Test(
    "A hook that is asked when the process dies, and one that answers after an abort, begin nothing"
  )
  func deathWhileAsking() throws {
    for phase in RotationPhase.allCases {
      let hooks = ScriptedHooks([:], pace: .milliseconds(10))
      let world = world(39, hooks)
      let first = try world.bootWithClusters()
      hooks.hang(before: phase)
      _ = try first.rotate()
      try hooks.untilAsked(phase, first)
      try first.kill()
      #expect(!hasBegun(phase, world), "\(phase)")
      let asked = hooks.asked.count { $0.phase == phase }
      let process = try world.boot()
      try process.pass(.seconds(30))
      #expect(hooks.asked.count { $0.phase == phase } == asked + 1, "\(phase): asked anew")
      #expect(!hasBegun(phase, world), "\(phase)")
      _ = try world.perform { try await process.orchestrator.abort(cluster: "demo") }
      #expect(try process.runToEnd()?.state == .aborted)
      try process.pass(.seconds(4000))
      #expect(!hasBegun(phase, world), "\(phase)")
      world.expectUnbroken("\(phase)")
      try process.stop()
    }
  }

  @Test("Two clusters are asked about apart: one that is held does not keep the other")
  func apart() throws {
    let hooks = ScriptedHooks([:], pace: .milliseconds(10))
    hooks.update { $0.heldCluster = "demo" }
    let world = World(
      seed: 40, clusters: ["demo", "other"], controlPlanes: 1, workers: 1, stageHooks: hooks)
    hooks.watch(world)
    let process = try world.bootWithClusters()
    _ = try process.rotate(requestID: "one")
    _ = try process.rotate(cluster: "other", requestID: "two")
    #expect(try process.runToEnd("other")?.state == .succeeded)
    #expect(try process.status().hold?.phase == .preRotate)
    hooks.update { $0.heldCluster = nil }
    #expect(try process.runToEnd()?.state == .succeeded)
    world.expectUnbroken("apart")
    try process.stop()
  }
}
