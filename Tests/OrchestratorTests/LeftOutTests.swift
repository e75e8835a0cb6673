import Orchestrator
import Rotation
import Synchronization
import TestSupport
import Testing

/// A machine that is gone for good, and nothing proves it: a person's word ends the wait.
@Suite("Machines that are left out, in simulated time", .serialized)
struct LeftOutTests {
  private static let forGood = Duration.seconds(1_000_000)

  @Test(
    "A rotation that waits for a machine goes on without it once it is left out, and its report says so",
    arguments: [RotationPhase.preRotate, .rotate, .postRotate])
  func forward(phase: RotationPhase) throws {
    let world = World(seed: 3)
    let process = try world.bootWithClusters()
    let gone = "demo-w-1"
    #expect(world.demo.members.contains { $0.id == gone })
    _ = try process.rotate()
    try world.perform {
      while try await process.orchestrator.status(cluster: "demo").phase != phase {
        try await world.clock.sleep(for: .milliseconds(50))
      }
    }
    world.demo.takeDown(gone, for: Self.forGood)
    try process.pass(.seconds(3600))
    #expect(try !process.status().isIdle, "it is waited for")
    let ticket = try world.perform {
      try await process.orchestrator.rotate(
        cluster: "demo", component: .talosCA,
        options: RotationOptions(leftOut: LeftOutMachines([gone])))
    }
    #expect(ticket.attached)
    // The word outlives the process.
    try process.kill()
    let next = try world.boot()
    let end = try #require(try next.runToEnd())
    #expect(end.state == .succeeded && !end.machines.contains { $0.machine == gone })
    #expect(end.step.contains("left out, and not proved: \(gone)"), "\(end.step)")
    #expect(end.notes.contains { $0.hasPrefix("\(gone) was left out during \(phase.name)") })
    let report = try world.perform { try await next.orchestrator.report(cluster: "demo") }
    #expect(report.contains("Every machine that was not left out refuses the old CA"), "\(report)")
    #expect(report.contains("nothing is proved of them: \(gone)."), "\(report)")
    try next.stop()
  }

  @Test("An abort that waits for a machine goes back without it, also when that is said later")
  func backward() throws {
    for isLater in [false, true] {
      let world = World(seed: 5)
      let process = try world.bootWithClusters()
      let gone = "demo-w-1"
      _ = try process.rotate()
      try world.perform {
        while try await process.orchestrator.status(cluster: "demo").phase != .rotate {
          try await world.clock.sleep(for: .milliseconds(50))
        }
      }
      world.demo.takeDown(gone, for: Self.forGood)
      func abort(_ names: Set<String>) throws {
        _ = try world.perform {
          try await process.orchestrator.abort(
            cluster: "demo", leftOut: LeftOutMachines(names), requester: "uid:0")
        }
      }
      if isLater {
        try abort([])
        try process.pass(.seconds(3600))
        #expect(try !process.status().isIdle, "it is waited for")
      }
      try abort([gone])
      let end = try #require(try process.runToEnd())
      #expect(end.state == .aborted && !end.machines.contains { $0.machine == gone })
      #expect(end.step.contains("left out, and not proved: \(gone)"))
      try process.stop()
    }
  }

  @Test("An abort that is refused leaves nobody out")
  func refused() throws {
    let world = World(seed: 3)
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    try world.perform {
      while true {
        let status = try await process.orchestrator.status(cluster: "demo")
        if status.phase == .postRotate, status.machinesDone > 0 { break }
        try await world.clock.sleep(for: .milliseconds(50))
      }
    }
    world.demo.takeDown("demo-w-1", for: .seconds(7200))
    do {
      _ = try world.perform {
        try await process.orchestrator.abort(
          cluster: "demo", leftOut: LeftOutMachines(["demo-w-1"]))
      }
      Issue.record("it was too late")
    } catch let error as OrchestratorError { #expect(error.code == .authorityRetired) }
    let end = try #require(try process.runToEnd())
    #expect(end.state == .succeeded && end.machines.count == 5)
    #expect(world.demo.expectOnly(end.newFingerprint, .talosCA) == [])
    try process.stop()
  }

  @Test(
    "What was said of a machine is withdrawn when it is back, with a note, and does not count when it is gone again"
  )
  func back() throws {
    let world = World(seed: 3)
    let process = try world.bootWithClusters()
    let gone = "demo-w-1"
    _ = try process.rotate(options: RotationOptions(soak: .untilContinued))
    world.demo.takeDown(gone, for: .seconds(40))
    _ = try process.rotate(options: RotationOptions(leftOut: LeftOutMachines([gone])))
    try process.pass(.seconds(120))
    #expect(
      try process.status().notes.contains {
        $0.hasPrefix("\(gone) was to be left out and is there")
      })
    world.demo.takeDown(gone, for: .seconds(3600))
    try process.pass(.seconds(1800))
    #expect(try process.status().machines.contains { $0.machine == gone })
    try process.pass(.seconds(3600))
    _ = try world.perform { try await process.orchestrator.goOn(cluster: "demo") }
    let end = try #require(try process.runToEnd())
    #expect(end.state == .succeeded && end.machines.count == 5 && !end.step.contains("left out"))
    try process.stop()
  }

  @Test("A dry run of a take-over that would attach changes nothing of the rotation that runs")
  func dryRun() throws {
    let world = World(seed: 3)
    let process = try world.bootWithClusters()
    _ = try process.rotate(options: RotationOptions(soak: .untilContinued))
    func adopt(dryRun: Bool) throws -> RotationOptions? {
      let ticket = try world.perform {
        try await process.orchestrator.adopt(
          AdoptionOrder(
            cluster: "demo", dryRun: dryRun,
            options: RotationOptions(
              removeForeign: true, leftOut: LeftOutMachines(["demo-w-1"]))))
      }
      #expect(ticket.isAttached)
      return try world.perform {
        try await world.journal.rotations(cluster: "demo", before: nil, limit: 1).first?.options
      }
    }
    let untouched = try adopt(dryRun: true)
    #expect(untouched?.leftOut.isEmpty == true && untouched?.removeForeign == false)
    let told = try adopt(dryRun: false)
    #expect(told?.leftOut.names == ["demo-w-1"] && told?.removeForeign == true)
    try process.stop()
  }

  @Test("A machine that answers takes part, whatever was said of it")
  func present() throws {
    let world = World(seed: 3)
    let process = try world.bootWithClusters()
    _ = try world.perform {
      try await process.orchestrator.rotate(
        cluster: "demo", component: .talosCA,
        options: RotationOptions(leftOut: LeftOutMachines(["demo-w-1"])))
    }
    let end = try #require(try process.runToEnd())
    #expect(end.state == .succeeded && end.machines.count == 5)
    #expect(!end.step.contains("left out"))
    #expect(world.demo.expectOnly(end.newFingerprint, .talosCA) == [])
    try process.stop()
  }

  @Test("A rotation is told of 64 machines and no more, at once or one after the other")
  func limit() throws {
    let world = World(seed: 3)
    let process = try world.bootWithClusters()
    func rotate(_ names: some Sequence<Int>) throws {
      _ = try world.perform { [names = Set(names.map { "m-\($0)" })] in
        try await process.orchestrator.rotate(
          cluster: "demo", component: .talosCA,
          options: RotationOptions(leftOut: LeftOutMachines(names)))
      }
    }
    func code(_ body: () throws -> Void) -> OrchestratorError.Code? {
      do { try body() } catch { return (error as? OrchestratorError)?.code }
      return nil
    }
    #expect(code { try rotate(0..<65) } == .invalidArgument)
    #expect(code { try rotate(0..<40) } == nil)
    #expect(code { try rotate(30..<64) } == nil)
    #expect(code { try rotate(64..<65) } == .invalidArgument)
    try process.stop()
  }

  private func endpoints(_ process: Process) throws -> [String] {
    try process.world.perform { try await process.orchestrator.cluster("demo").endpoints }
  }

  @Test(
    "While the history cannot be read nobody is left out of a rotation that runs, and the word is not kept"
  )
  func historyUnreadable() throws {
    let world = World(seed: 31)
    let before = try world.bootWithClusters()
    _ = try before.rotate(.talosCA)
    #expect(try before.runToEnd()?.state == .succeeded)
    _ = try before.rotate(.kubernetesCA, options: RotationOptions(soak: .untilContinued))
    try before.pass(.seconds(2))
    try before.kill()
    let fault = StoreError(.corrupt, "row 'rotation-1' of table rotations is not whole")
    let process = try world.boot(loading: FaultyStore.Loading(history: fault))
    var refused: OrchestratorError?
    do {
      _ = try world.perform {
        try await process.orchestrator.rotate(
          cluster: "demo", component: .kubernetesCA,
          options: RotationOptions(leftOut: LeftOutMachines(["demo-w-1"])))
      }
    } catch { refused = error as? OrchestratorError }
    #expect(refused?.code == .journalDamaged, "\(refused as Any)")
    #expect(refused?.message.contains(fault.message) == true)
    let kept = try world.perform {
      try await world.journal.rotations(cluster: "demo", before: nil, limit: 1).first?.options
        .leftOut
    }
    #expect(kept?.isEmpty == true)
    try process.kill()
  }

  @Test("The endpoint of a machine that is left out goes with it, as long as another one is left")
  func endpoint() throws {
    for (before, after) in [
      (["10.0.0.0", "10.0.0.4:50000"], ["10.0.0.0"]),
      (["[10.0.0.4]:50000", "lb.example.org"], ["lb.example.org"]),
      (["10.0.0.4"], ["10.0.0.4"]), (["10.0.0.0", "10.0.0.44"], ["10.0.0.0", "10.0.0.44"]),
    ] {
      let world = World(seed: 3)
      world.demo.state.withLock { $0.endpoints = before }
      let process = try world.bootWithClusters()
      world.demo.takeDown("demo-w-1", for: Self.forGood)
      _ = try process.rotate(
        options: RotationOptions(leftOut: LeftOutMachines(["demo-w-1"])))
      let end = try #require(try process.runToEnd())
      #expect(end.state == .succeeded && end.machines.count == 4)
      #expect(try endpoints(process) == after)
      try process.stop()
    }
  }

  @Test(
    "An endpoint that is left out goes at the start, and other ones go on record by a take-over that finds nothing half done"
  )
  func goneEndpoint() throws {
    let world = World(seed: 3)
    world.demo.state.withLock {
      $0.endpoints = ["10.0.0.0", "lb.example.org"]
      $0.goneEndpoints = ["lb.example.org"]
    }
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    #expect(try process.runToEnd()?.state == .succeeded)
    #expect(try endpoints(process) == ["10.0.0.0"])
    let ticket = try world.perform {
      try await process.orchestrator.adopt(
        AdoptionOrder(
          cluster: "demo",
          access: DiscoveryRequest(
            name: "demo", talosconfig: "good", endpoints: ["10.0.0.2", "vip.example.org"])))
    }
    #expect(ticket.unfinished == [])
    #expect(try endpoints(process) == ["10.0.0.2", "vip.example.org"])
    try process.stop()
  }

  @Test("What was retired before is known to whoever looks for machines that are left out")
  func retired() throws {
    let world = World(seed: 3)
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    let first = try #require(try process.runToEnd())
    world.demo.takeDown("demo-w-1", for: Self.forGood)
    world.demo.state.withLock {
      #expect($0.soughtAtStarts == [[]] && $0.soughtInLists.allSatisfy(\.isEmpty))
      $0.soughtInLists = []
    }
    _ = try process.rotate(options: RotationOptions(leftOut: LeftOutMachines(["demo-w-1"])))
    #expect(try process.runToEnd()?.state == .succeeded)
    world.demo.state.withLock {
      #expect($0.soughtAtStarts.last == [first.oldFingerprint])
      #expect(!$0.soughtInLists.isEmpty)
      #expect($0.soughtInLists.allSatisfy { $0 == [first.oldFingerprint] })
    }
    try process.stop()
  }

  @Test("A take-over keeps what was said of machines that were left out, and nothing of others")
  func adopted() throws {
    let world = World(seed: 3)
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    let end = try #require(try process.runToEnd())
    world.demo.accept(end.oldFingerprint, .talosCA, on: "demo-w-0", true)
    _ = try world.perform {
      try await process.orchestrator.adopt(
        AdoptionOrder(
          cluster: "demo",
          options: RotationOptions(leftOut: LeftOutMachines(["demo-w-1", "nobody"]))))
    }
    let options = try world.perform {
      try await world.journal.rotations(cluster: "demo", before: nil, limit: 1).first?.options
    }
    #expect(
      options?.leftOut == LeftOutMachines(identities: ["demo-w-1": "node-of-demo-w-1"]))
    try process.stop()
  }
}
