import Rotation
import Synchronization
import Testing

@testable import Orchestrator

/// Another tool rotates the CA that the running rotation leaves alone: the rotation needs it, and goes on with the new one.
@Suite(
  "The other CA is rotated elsewhere while one is being rotated, in simulated time", .serialized)
struct RotatedElsewhereTests {
  private let access = DiscoveryRequest(name: "demo", talosconfig: "good")

  private func adopt(
    _ process: Process, access: DiscoveryRequest? = nil, component: SecretComponent? = nil,
    dryRun: Bool = false, options: RotationOptions = RotationOptions()
  ) throws -> AdoptionTicket {
    try process.world.perform {
      try await process.orchestrator.adopt(
        AdoptionOrder(
          cluster: "demo", component: component, access: access, dryRun: dryRun, options: options,
          requester: "uid:0", call: "c7"))
    }
  }

  private func error(_ body: () throws -> Void) -> OrchestratorError? {
    do {
      try body()
      return nil
    } catch { return error as? OrchestratorError }
  }

  private func cluster(_ process: Process) throws -> ClusterRecord {
    try process.world.perform { try await process.orchestrator.cluster("demo") }
  }

  private func other(_ component: SecretComponent) -> SecretComponent {
    component == .talosCA ? .kubernetesCA : .talosCA
  }

  private func name(_ component: SecretComponent) -> String { "\(component.rawValue)/rival-9" }

  /// A rotation that waits before POST_ROTATE.
  private func soaking(
    _ world: World, _ component: SecretComponent
  ) throws -> (process: Process, status: RotationSnapshot) {
    let process = try world.bootWithClusters()
    _ = try process.rotate(component, options: RotationOptions(soak: .untilContinued))
    try process.pass(.seconds(600))
    let status = try process.status()
    try #require(status.state == .paused)
    return (process, status)
  }

  private func goOn(_ process: Process) throws {
    _ = try process.world.perform {
      try await process.orchestrator.goOn(cluster: "demo", requester: "uid:0")
    }
  }

  @Test(
    "At whatever moment it happens the rotation stands still, and goes on to its end once the new CA is taken up, also after a death",
    arguments: SecretComponent.allCases, [false, true])
  func everyMoment(component: SecretComponent, dies: Bool) throws {
    var stood: Set<String> = []
    let other = other(component)
    let first = SimulatedCluster.firstAuthority(other, "demo")
    for moment in stride(from: 1, to: 400, by: component == .talosCA ? 2 : 9) {
      let world = World(seed: UInt64(moment), controlPlanes: 2, workers: 1)
      var process = try world.bootWithClusters()
      let begun = try process.rotate(component).status
      try process.pass(.milliseconds(Int64(moment * 250)))
      guard try !process.status().isIdle else { break }
      world.demo.rival(name(other), other)
      try process.pass(.seconds(600))
      let note = "\(component) after \(moment)"
      let before = try process.status()
      // The last look may have been made before.
      guard !before.isIdle else {
        try process.stop()
        continue
      }
      stood.insert(before.phase?.name ?? "assembling")
      let ticket = try adopt(process, access: component == .kubernetesCA ? access : nil)
      #expect(ticket.isAttached && ticket.unfinished.map(\.component) == [other], "\(note)")
      #expect(ticket.status?.rotationID == begun.rotationID, "\(note)")
      let known = try cluster(process)
      #expect(known.authorities[other]?.fingerprint == name(other), "\(note)")
      #expect(known.authorities[other]?.binding.rotation == "", "\(note): bound as an import's")
      #expect(known.predecessors[other]?.fingerprint == first, "\(note)")
      if dies {
        try process.kill()
        process = try world.boot()
      }
      let end = try #require(try process.runToEnd())
      #expect(end.state == .succeeded && end.rotationID == begun.rotationID, "\(note): \(end)")
      #expect(end.notes.contains { $0.contains("rotated elsewhere meanwhile") }, "\(note)")
      #expect(world.demo.expectOnly(end.newFingerprint, component) == [], "\(note)")
      let second = try adopt(process)
      #expect(second.unfinished.map(\.component) == [other] && !second.isAttached, "\(note)")
      let last = try #require(try process.runToEnd())
      #expect(last.state == .succeeded && last.oldFingerprint == first, "\(note)")
      #expect(world.demo.expectOnly(name(other), other) == [], "\(note)")
      let after = try cluster(process)
      #expect(after.predecessors.isEmpty && after.authorities[other]?.fingerprint == name(other))
      // Its key was elsewhere, and no rotation that began before deals with that.
      let pending = after.marks.first { $0.kind == .importing }?.pending
      #expect(pending?.contains(other) == true, "\(note)")
      #expect(try adopt(process).unfinished.isEmpty, "\(note)")
      world.expectUnbroken(note)
      try process.stop()
    }
    #expect(stood.count >= 2, "\(stood)")
  }

  @Test("A dry run says it and changes nothing", arguments: SecretComponent.allCases)
  func dryRun(component: SecretComponent) throws {
    let world = World(seed: 3)
    let other = other(component)
    let (process, paused) = try soaking(world, component)
    world.demo.rival(name(other), other)
    let before = try cluster(process)
    let ticket = try adopt(process, access: access, dryRun: true)
    #expect(ticket.isAttached && ticket.unfinished.map(\.component) == [other])
    #expect(ticket.notes.contains { $0.contains("would be on record") }, "\(ticket.notes)")
    #expect(try cluster(process) == before)
    #expect(try process.status().notes == paused.notes)
    try process.stop()
  }

  @Test(
    "Asked for by name it is taken up, too; where nobody has rotated it, it is refused as ever",
    arguments: SecretComponent.allCases)
  func byName(component: SecretComponent) throws {
    let world = World(seed: 4)
    let other = other(component)
    let (process, _) = try soaking(world, component)
    let before = try cluster(process)
    for dryRun in [true, false] {
      let refused = error {
        _ = try adopt(process, access: access, component: other, dryRun: dryRun)
      }
      #expect(refused?.code == .anotherRotationInProgress)
      #expect(try adopt(process, access: access, dryRun: dryRun).unfinished.isEmpty)
      #expect(try adopt(process, component: component, dryRun: dryRun).isAttached)
    }
    #expect(try cluster(process) == before)
    world.demo.rival(name(other), other)
    // Of the component that is being rotated nothing is asked.
    #expect(try adopt(process, access: access, component: component).unfinished.isEmpty)
    #expect(try cluster(process) == before)
    #expect(try adopt(process, access: access, component: other).unfinished.count == 1)
    #expect(try cluster(process).authorities[other]?.fingerprint == name(other))
    try goOn(process)
    #expect(try process.runToEnd()?.state == .succeeded)
    try process.stop()
  }

  @Test(
    "Half done elsewhere it is refused with what to do, the rotation stays, and goes on when that tool has finished",
    arguments: SecretComponent.allCases, ["demo-cp-1", "demo-w-1"])
  func halfDone(component: SecretComponent, behind: String) throws {
    let world = World(seed: 5)
    let other = other(component)
    let (process, paused) = try soaking(world, component)
    let before = try cluster(process)
    world.demo.rival(name(other), other, besides: [behind])
    let refused = error { _ = try adopt(process, access: access) }
    #expect(refused?.code == .clusterRefused, "\(refused as Any)")
    #expect(refused?.message.contains(behind) == true, "\(refused as Any)")
    #expect(refused?.message.contains("let that tool finish") == true, "\(refused as Any)")
    #expect(try cluster(process) == before)
    let after = try process.status()
    #expect(after.state == .paused && after.notes == paused.notes)
    world.demo.rival(name(other), other)
    #expect(try adopt(process, access: access).unfinished.count == 1)
    try goOn(process)
    #expect(try process.runToEnd()?.state == .succeeded)
    try process.stop()
  }

  @Test("One that has only been begun keeps nobody from attaching, and is named")
  func onlyBegun() throws {
    let world = World(seed: 6)
    let (process, _) = try soaking(world, .talosCA)
    let before = try cluster(process)
    world.demo.accept(name(.kubernetesCA), .kubernetesCA, on: "demo-w-1", true)
    let ticket = try adopt(process)
    #expect(ticket.isAttached && ticket.unfinished.isEmpty)
    #expect(ticket.notes.contains { $0.contains("kubernetes-ca is unfinished") }, "\(ticket.notes)")
    #expect(try cluster(process) == before)
    try process.stop()
  }

  @Test(
    "A control plane without the key, a retired CA, a lock and a CA of another cluster keep it off the record",
    arguments: SecretComponent.allCases)
  func protections(component: SecretComponent) throws {
    let world = World(seed: 7, clusters: ["demo", "twin"])
    let other = other(component)
    let process = try world.bootWithClusters()
    let first = SimulatedCluster.firstAuthority(other, "demo")
    _ = try process.rotate(other)
    let retired = try #require(try process.runToEnd())
    #expect(retired.oldFingerprint == first)
    _ = try process.rotate(component, options: RotationOptions(soak: .untilContinued))
    try process.pass(.seconds(600))
    let paused = try process.status()
    let before = try cluster(process)

    // Somebody puts the retired CA back on every machine.
    world.demo.rival(first, other)
    let old = error { _ = try adopt(process, access: access) }
    #expect(old?.code == .clusterRefused && old?.message.contains("retired") == true)

    world.demo.rival(name(other), other)
    _ = world.demo.state.withLock { $0.nodes["demo-cp-1"]?.keys.remove(name(other)) }
    let keyless = error { _ = try adopt(process, access: access) }
    #expect(keyless?.code == .clusterRefused && keyless?.message.contains("demo-cp-1") == true)

    world.demo.rival(name(other), other)
    let lock = { (reason: String) in
      _ = try world.perform {
        try await process.orchestrator.lock(
          cluster: "demo", machine: "demo-w-0", reason: reason, requester: "uid:0")
      }
    }
    try lock("change freeze")
    let locked = error { _ = try adopt(process, access: access) }
    #expect(locked?.code == .locked && locked?.message.contains("change freeze") == true)
    _ = try world.perform {
      try await process.orchestrator.unlock(cluster: "demo", machine: "demo-w-0")
    }
    #expect(try cluster(process).authorities == before.authorities)
    #expect(try process.status().notes == paused.notes)

    if other == .talosCA {
      let theirs = SimulatedCluster.firstAuthority(.talosCA, "twin")
      world.demo.rival(theirs, .talosCA)
      let twin = error { _ = try adopt(process, access: access) }
      #expect(twin?.code == .alreadyExists && twin?.message.contains("'twin'") == true)
      #expect(try cluster(process).authorities == before.authorities)
      world.demo.rival(name(other), other)
    }
    #expect(try adopt(process, access: access).unfinished.count == 1)
    try goOn(process)
    #expect(try process.runToEnd()?.state == .succeeded)
    try process.stop()
  }

  @Test("Several who ask at once are all answered, and it is taken up once")
  func atOnce() throws {
    let world = World(seed: 8)
    let (process, _) = try soaking(world, .talosCA)
    world.demo.rival(name(.kubernetesCA), .kubernetesCA)
    let order = AdoptionOrder(cluster: "demo", requester: "uid:0")
    let tickets = try world.perform {
      async let one = process.orchestrator.adopt(order)
      async let two = process.orchestrator.adopt(order)
      async let three = process.orchestrator.adopt(order)
      return try await [one, two, three]
    }
    #expect(tickets.allSatisfy { $0.isAttached })
    #expect(tickets.contains { $0.unfinished.count == 1 })
    let notes = try process.status().notes.filter { $0.contains("rotated elsewhere meanwhile") }
    #expect(notes.count == 1)
    let known = try cluster(process)
    #expect(
      known.predecessors[.kubernetesCA]?.fingerprint
        == SimulatedCluster.firstAuthority(.kubernetesCA, "demo"))
    try process.stop()
  }

  @Test(
    "A rotation that goes back to the old CA goes on in the same way",
    arguments: SecretComponent.allCases)
  func backwards(component: SecretComponent) throws {
    let world = World(seed: 9)
    let other = other(component)
    let (process, paused) = try soaking(world, component)
    world.demo.rival(name(other), other)
    _ = try world.perform {
      try await process.orchestrator.abort(cluster: "demo", requester: "uid:0")
    }
    try process.pass(.seconds(600))
    #expect(try process.status().state == .aborting)
    #expect(try adopt(process, access: access).unfinished.count == 1)
    #expect(try process.runToEnd()?.state == .aborted)
    #expect(world.demo.expectOnly(paused.oldFingerprint, component) == [])
    #expect(try cluster(process).authorities[other]?.fingerprint == name(other))
    try process.stop()
  }

  @Test("A Talos CA that was replaced takes a talosconfig; without one the answer says so")
  func talosconfig() throws {
    let world = World(seed: 10)
    let (process, _) = try soaking(world, .kubernetesCA)
    world.demo.rival(name(.talosCA), .talosCA)
    let refused = error { _ = try adopt(process) }
    #expect(refused?.code == .recordOutdated, "\(refused as Any)")
    #expect(refused?.message.contains("omnictl cluster adopt demo --talosconfig FILE") == true)
    #expect(try adopt(process, access: access).unfinished.count == 1)
    try process.stop()
  }

  @Test(
    "Machines that do not answer keep nobody from attaching, and the answer says what was not asked"
  )
  func silent() throws {
    let world = World(seed: 11)
    let (process, paused) = try soaking(world, .talosCA)
    world.demo.silence("demo-w-1", for: .seconds(3600))
    let ticket = try adopt(process)
    #expect(ticket.isAttached && ticket.status?.rotationID == paused.rotationID)
    #expect(ticket.notes.contains { $0.contains("demo-w-1 does not answer") }, "\(ticket.notes)")
    // Where the record is known not to be the machines', that is no answer.
    world.demo.rival(name(.kubernetesCA), .kubernetesCA)
    let refused = error { _ = try adopt(process) }
    #expect(refused?.code == .clusterUnreachable, "\(refused as Any)")
    try process.stop()
  }

  @Test("What another tool has taken back to what was on record first is no predecessor of itself")
  func thereAndBack() throws {
    let world = World(seed: 12)
    let (process, _) = try soaking(world, .talosCA)
    let first = SimulatedCluster.firstAuthority(.kubernetesCA, "demo")
    world.demo.rival(name(.kubernetesCA), .kubernetesCA)
    _ = try adopt(process)
    world.demo.rival(first, .kubernetesCA)
    _ = try adopt(process)
    let known = try cluster(process)
    #expect(known.authorities[.kubernetesCA]?.fingerprint == first)
    #expect(known.predecessors[.kubernetesCA]?.fingerprint == name(.kubernetesCA))
    try goOn(process)
    #expect(try process.runToEnd()?.state == .succeeded)
    _ = try adopt(process)
    #expect(try process.runToEnd()?.state == .succeeded)
    #expect(world.demo.expectOnly(first, .kubernetesCA) == [])
    try process.stop()
  }
}
