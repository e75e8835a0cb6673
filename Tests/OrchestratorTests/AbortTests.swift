import Orchestrator
import Rotation
import Synchronization
import TestSupport
import Testing

/// A rotation that has touched machines goes back to the old authority, whatever happens on the way.
@Suite("Aborted rotations in simulated time", .serialized)
struct AbortTests {
  /// Repeats the wish to abort, as a caller does whose process has died, until it is answered.
  ///
  /// - Returns: whether it goes back; false: it was too late.
  private func abort(_ process: Process) throws -> Bool? {
    while !process.life.isDead {
      do {
        // A process that dies meanwhile gives no answer.
        let answer = Mutex<Result<RotationSnapshot, any Error>?>(nil)
        Task(executorPreference: process.world.clock) {
          let result: Result<RotationSnapshot, any Error>
          do {
            result = .success(
              try await process.orchestrator.abort(cluster: "demo", requester: "uid:0"))
          } catch { result = .failure(error) }
          answer.withLock { $0 = result }
        }
        while !process.life.isDead, answer.withLock({ $0 == nil }) {
          try process.pass(.milliseconds(100))
        }
        guard let result = answer.withLock({ $0 }) else { return nil }
        _ = try result.get()
        return true
      } catch let error as OrchestratorError {
        switch error.code {
        case .authorityRetired: return false
        // The answer to an earlier call may have been lost with its process.
        case .noRotation: return try process.status().state == .aborted
        default: try process.pass(.seconds(1))
        }
      }
    }
    return nil
  }

  private func expectEnd(
    _ world: World, _ component: SecretComponent, isBack: Bool, _ note: String
  ) throws {
    let process = try world.boot()
    let status = try process.status()
    #expect(status.state == (isBack ? .aborted : .succeeded), "\(note)")
    let old = SimulatedCluster.firstAuthority(component, "demo")
    let kept = isBack ? old : status.newFingerprint
    #expect(world.demo.expectOnly(kept, component) == [], "\(note)")
    let cluster = try world.perform { try await process.orchestrator.cluster("demo") }
    #expect(cluster.authorities[component]?.fingerprint == kept, "\(note)")
    #expect(cluster.activeRotation == nil, "\(note)")
    world.demo.state.withLock {
      #expect(
        $0.seen[component, default: []].isSubset(of: [old, status.newFingerprint]),
        "\(note): never a third authority")
    }
    world.expectUnbroken(note)
    try process.stop()
  }

  @Test(
    "An abort in each stage goes back stage by stage, and says so",
    arguments: SecretComponent.allCases)
  func undisturbed(component: SecretComponent) throws {
    for stage in [RotationPhase.preRotate, .rotate] {
      let world = World(seed: 5)
      let process = try world.bootWithClusters()
      let recording = try process.record()
      _ = try process.rotate(component)
      try world.perform {
        while true {
          let status = try await process.orchestrator.status(cluster: "demo")
          if status.phase == stage, status.machinesDone == 2 { break }
          try await world.clock.sleep(for: .milliseconds(50))
        }
      }
      #expect(try abort(process) == true)
      let end = try #require(try process.runToEnd())
      #expect(end.state == .aborted && end.status == "rotation aborted")
      #expect(end.step == "every machine accepts the old CA alone; aborted by uid:0")
      #expect(end.nextSteps.count == 2)
      #expect(end.machines.count == 5 && end.machines.allSatisfy { $0.state == .done })
      #expect(
        end.notes == ["aborted by uid:0 in \(stage.name): every machine goes back to the old CA"])
      try process.pass(.seconds(1))
      let back = recording.snapshots.filter { $0.state == .aborting }
      var phases: [RotationPhase] = []
      for case let phase? in back.map(\.phase) where phases.last != phase { phases.append(phase) }
      #expect(phases == (stage == .rotate ? [.rotate, .preRotate] : [.preRotate]))
      let status = try #require(back.first?.status)
      #expect(status.hasPrefix("aborting, undoing phase \(stage.name) "))
      // In PRE_ROTATE there is nothing to undo on machines that had not been reached.
      #expect(status.hasSuffix(" 0/5") == (stage == .rotate))
      #expect(
        back.contains { $0.step == "going back to the old CA on machines: [demo-cp-1]" })
      expectInOrder(recording.snapshots, "\(stage)")
      // The next rotation begins as if nothing had been.
      _ = try process.rotate(component)
      #expect(try process.runToEnd()?.state == .succeeded)
      world.expectUnbroken("\(stage)")
      try process.stop()
    }
  }

  @Test(
    "There is no way back to a CA that has expired, or ends within the hour, and the refusal says when",
    arguments: [0, 1800])
  func backToExpired(seconds: Int) throws {
    let world = World(seed: 31)
    let process = try world.bootWithClusters()
    _ = try process.rotate(.talosCA)
    let old = SimulatedCluster.firstAuthority(.talosCA, "demo")
    try world.perform {
      while true {
        let status = try await process.orchestrator.status(cluster: "demo")
        if status.phase == .rotate, status.machinesDone == 2 { break }
        try await world.clock.sleep(for: .milliseconds(50))
      }
    }
    let end = world.clock.now().advanced(by: .seconds(seconds))
    world.demo.state.withLock { $0.expiries[old] = end }
    let refusal = try world.perform { () -> OrchestratorError? in
      do throws(OrchestratorError) {
        _ = try await process.orchestrator.abort(cluster: "demo", requester: "uid:0")
        return nil
      } catch { return error }
    }
    #expect(refusal?.code == .authorityRetired)
    #expect(
      refusal?.message.contains("\(seconds == 0 ? "expired" : "ends") on \(end)") == true)
    #expect(try process.runToEnd()?.state == .succeeded)
    try expectEnd(world, .talosCA, isBack: false, "expired")
  }

  @Test("A rotation that has touched no machine is aborted although the old CA has expired")
  func untouchedAndExpired() throws {
    let world = World(seed: 32)
    let process = try world.bootWithClusters()
    world.demo.takeDown("demo-cp-0", for: .seconds(900))
    world.demo.takeDown("demo-cp-1", for: .seconds(900))
    world.demo.takeDown("demo-cp-2", for: .seconds(900))
    _ = try process.rotate(.talosCA)
    let old = SimulatedCluster.firstAuthority(.talosCA, "demo")
    world.demo.state.withLock { $0.expiries[old] = world.clock.now() }
    #expect(try abort(process) == true)
    #expect(try process.status().state == .aborted)
    try process.stop()
  }

  @Test("Death at every single step of the way back, then a restart: it ends with the old CA alone")
  func deathAtEveryStep() throws {
    for component in SecretComponent.allCases {
      var lifetime = 1
      while true {
        let world = World(seed: UInt64(lifetime), controlPlanes: 2, workers: 1)
        let process = try world.bootWithClusters()
        _ = try process.rotate(component)
        try world.perform {
          while true {
            let status = try await process.orchestrator.status(cluster: "demo")
            if status.phase == .rotate, status.machinesDone == 1 { break }
            try await world.clock.sleep(for: .milliseconds(50))
          }
        }
        #expect(try abort(process) == true)
        try process.kill()
        let mortal = try world.boot(lifetime: lifetime)
        let end = try mortal.runToEnd()
        try mortal.kill()
        let again = try world.boot()
        #expect(try again.runToEnd()?.state == .aborted)
        try again.stop()
        try expectEnd(world, component, isBack: true, "\(component) \(lifetime)")
        if end != nil { break }
        lifetime += 1
      }
      #expect(lifetime > 30)
    }
  }

  @Test(
    "A refusal while a change is on its way holds nothing up, and nothing begins that is not on record",
    arguments: 0..<30)
  func refusedInFlight(seed: Int) throws {
    let world = World(seed: UInt64(seed), controlPlanes: 1, workers: 6)
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    try world.perform {
      while true {
        let status = try await process.orchestrator.status(cluster: "demo")
        let isApplying = status.machines.contains { $0.state == .applying }
        if status.phase == .postRotate, status.machinesDone >= 2, isApplying { break }
        guard !status.isIdle else { break }
        try await world.clock.sleep(for: .milliseconds(5))
      }
    }
    #expect(try abort(process) == false)
    #expect(try process.runToEnd()?.state == .succeeded, "seed \(seed)")
    world.expectUnbroken("seed \(seed)")
    try process.stop()
  }

  @Test(
    "Aborted at any moment, with machines that fail, go down, are overwritten, and deaths in between",
    arguments: 0..<150)
  func chaos(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let component = SecretComponent.allCases[seed % 2]
    let world = World(
      seed: UInt64(seed), controlPlanes: Int.random(in: 1...3, using: &generator),
      workers: Int.random(in: 0...3, using: &generator),
      mischief: Mischief(
        failBefore: [0, 50, 300][seed % 3], failAfter: [0, 30, 200][seed / 3 % 3],
        stale: seed % 6 == 0 ? 500 : 0, outage: seed % 4 == 0 ? 100 : 0,
        overwrite: seed % 7 == 0 ? 20 : 0, leaders: seed % 8 < 4))
    try world.bootWithClusters().stop()
    var lives = (0..<Int.random(in: 0...8, using: &generator)).map { _ in
      Int.random(in: 1...60, using: &generator)
    }[...]
    // A rotation takes some seconds, or minutes where machines fail.
    let moment = Int64.random(in: 0...(seed % 3 == 0 ? 12_000 : 60_000), using: &generator)
    var isStarted = false
    var isBack: Bool?
    for life in 1... {
      try #require(life < 1_000, "seed \(seed): it does not end")
      let process = try world.boot(
        lifetime: lives.popFirst(), failBefore: [0, 100][seed % 2])
      while !isStarted, !process.life.isDead {
        isStarted = (try? process.rotate(component, requestID: "one")) != nil
        if !isStarted { try process.pass(.seconds(1)) }
      }
      if isStarted, isBack == nil, !process.life.isDead {
        try process.pass(.milliseconds(moment / Int64(life)))
        isBack = try abort(process)
      }
      let end = try isBack == nil ? nil : process.runToEnd()
      try process.kill()
      world.expectUnbroken("seed \(seed)")
      if end != nil { break }
    }
    #expect(isBack != nil)
    try expectEnd(world, component, isBack: isBack == true, "seed \(seed)")
  }
}
