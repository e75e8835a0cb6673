import Orchestrator
import Rotation
import TestSupport
import Testing

/// A wait before POST_ROTATE, with both authorities accepted.
@Suite("Soak in simulated time", .serialized)
struct SoakTests {
  private func soaking(_ process: Process) throws -> RotationSnapshot {
    try process.world.perform(limit: .seconds(2000)) {
      while true {
        let status = try await process.orchestrator.status(cluster: "demo")
        if status.state == .paused { return status }
        try await process.world.clock.sleep(for: .milliseconds(100))
      }
    }
  }

  private func goOn(_ process: Process) throws -> RotationSnapshot {
    try process.world.perform {
      try await process.orchestrator.goOn(cluster: "demo", requester: "uid:0")
    }
  }

  private func code(_ body: () throws -> Void) -> OrchestratorError.Code? {
    do {
      try body()
      return nil
    } catch { return (error as? OrchestratorError)?.code }
  }

  @Test(
    "It waits after ROTATE for as long as was asked, through a death, and then looks at all once more",
    arguments: SecretComponent.allCases)
  func lasting(component: SecretComponent) throws {
    let world = World(seed: 21)
    var process = try world.bootWithClusters()
    _ = try process.rotate(component, options: RotationOptions(soak: .lasting(.seconds(7200))))
    let paused = try soaking(process)
    #expect(paused.phase == .rotate && paused.machinesDone == 5 && !paused.isIdle)
    let end = try #require(paused.soakEndsAt)
    #expect(paused.step.hasPrefix("paused: both CAs are accepted until \(end), or until omnictl"))
    try process.kill()
    process = try world.boot()
    try process.pass(.seconds(3600))
    #expect(try process.status().state == .paused)
    world.demo.takeDown("demo-w-0", for: .seconds(3900))
    let done = try #require(try process.runToEnd())
    #expect(done.state == .succeeded)
    // What is unwell when the wait ends is waited for before the old authority is dropped.
    #expect(end.duration(to: try #require(done.finishedAt)) > .seconds(250))
    world.expectUnbroken("\(component)")
    try process.stop()
  }

  @Test(
    "A clock that is set neither ends the wait nor makes it longer",
    arguments: [Duration.seconds(86_400), .seconds(-366 * 86_400)])
  func clockIsSet(jump: Duration) throws {
    let world = World(seed: 23)
    var process = try world.bootWithClusters()
    _ = try process.rotate(options: RotationOptions(soak: .lasting(.seconds(7200))))
    _ = try soaking(process)
    let begun = world.clock.uptime()
    world.skew.set(jump)
    try process.pass(.seconds(3600))
    let paused = try process.status()
    #expect(paused.state == .paused)
    let shown = try #require(paused.soakEndsAt)
    let left = world.clock.now().advanced(by: jump).duration(to: shown)
    #expect(left > .seconds(3500) && left < .seconds(3700))
    if jump < .zero {
      // A restart while the clock is set back: the wait lasts no longer than it was to last in all.
      try process.kill()
      world.skew.set(jump * 2)
      process = try world.boot()
    }
    #expect(try process.runToEnd()?.state == .succeeded)
    let took = world.clock.uptime() - begun
    #expect(took >= .seconds(7100) && took < .seconds(3600 + 7200 + 900))
    world.expectUnbroken("clock \(jump)")
    try process.stop()
  }

  @Test("Until somebody says so: a machine that joins meanwhile is brought through ROTATE first")
  func untilContinued() throws {
    let world = World(seed: 22)
    let process = try world.bootWithClusters()
    _ = try process.rotate(options: RotationOptions(soak: .untilContinued))
    #expect(code { _ = try goOn(process) } == .notSoaking, "not before the wait has begun")
    _ = try soaking(process)
    world.demo.add("demo-w-9", role: .worker)
    try process.pass(.seconds(100_000))
    let paused = try process.status()
    #expect(paused.state == .paused && paused.machinesDone == 6 && paused.soakEndsAt == nil)
    let going = try goOn(process)
    #expect(going.state == .running && going.notes.last?.contains("ended by uid:0") == true)
    #expect(try process.runToEnd()?.state == .succeeded)
    #expect(code { _ = try goOn(process) } == .noRotation)
    world.expectUnbroken("until continued")
    try process.stop()
  }

  @Test("While it waits, the way back is open")
  func abort() throws {
    let world = World(seed: 23)
    let process = try world.bootWithClusters()
    _ = try process.rotate(options: RotationOptions(soak: .untilContinued))
    _ = try soaking(process)
    _ = try world.perform { try await process.orchestrator.abort(cluster: "demo") }
    #expect(try process.runToEnd()?.state == .aborted)
    let old = SimulatedCluster.firstAuthority(.talosCA, "demo")
    #expect(world.demo.expectOnly(old, .talosCA) == [])
    world.expectUnbroken("abort")
    try process.stop()
  }

  @Test("A wait of no time, or of a lifetime, is refused")
  func limits() throws {
    let world = World(seed: 24)
    let process = try world.bootWithClusters()
    for seconds in [0, -1, 31 * 24 * 3600] {
      let options = RotationOptions(soak: .lasting(.seconds(seconds)))
      #expect(code { _ = try process.rotate(options: options) } == .invalidArgument)
    }
    try process.stop()
  }
}
