import MemoryStore
import Rotation
import Synchronization
import TestSupport
import Testing

@testable import Orchestrator

/// What somebody else has left half done is finished or taken back, from nothing but what the machines show.
@Suite("Rotations that are taken over, in simulated time", .serialized)
struct AdoptionTests {
  private let access = DiscoveryRequest(name: "demo", talosconfig: "good")

  private func adopt(
    _ process: Process, back: Bool = false, dryRun: Bool = false, access: DiscoveryRequest? = nil,
    component: SecretComponent? = nil, options: RotationOptions = RotationOptions()
  ) throws -> AdoptionTicket {
    try process.world.perform {
      try await process.orchestrator.adopt(
        AdoptionOrder(
          cluster: "demo", component: component, access: access, goesBack: back, dryRun: dryRun,
          options: options, requester: "uid:0"))
    }
  }

  private func error(_ body: () throws -> Void) -> OrchestratorError? {
    do {
      try body()
      return nil
    } catch { return error as? OrchestratorError }
  }

  /// Lets a rotation run until its process dies, after so many steps.
  private func abandon(
    _ world: World, _ component: SecretComponent, after steps: Int
  ) throws
    -> Bool
  {
    try world.bootWithClusters().stop()
    let process = try world.boot(lifetime: steps)
    _ = try? process.rotate(component)
    return try process.runToEnd() == nil
  }

  @Test(
    "Whenever the store is lost in a rotation, an omnid without one finishes it or takes it back",
    arguments: SecretComponent.allCases, [false, true])
  func everyMoment(component: SecretComponent, back: Bool) throws {
    var seen: Set<RotationPhase> = []
    var steps = 2
    while steps < 400 {
      let world = World(seed: UInt64(steps), controlPlanes: 2, workers: 1)
      guard try abandon(world, component, after: steps) else { break }
      try expectTakenOver(world, component, back: back, steps, &seen)
      // Both components go the same way, the Kubernetes CA with more on it.
      steps += component == .talosCA ? 1 : 4
    }
    #expect(steps > 20 && steps < 400)
    #expect(seen == Set(RotationPhase.allCases))
  }

  private func expectTakenOver(
    _ world: World, _ component: SecretComponent, back: Bool, _ steps: Int,
    _ seen: inout Set<RotationPhase>
  ) throws {
    let note = "\(component) after \(steps) steps"
    let made = world.made.count(component)
    let process = try world.boot(journal: MemoryStore())
    // What was on its way when the process died arrives, or does not.
    try process.pass(.seconds(120))
    var back = back
    let refused =
      back ? error { _ = try adopt(process, back: true, dryRun: true, access: access) } : nil
    if let refused {
      // Too late: no machine holds the old key any more, or one refuses the old CA already.
      #expect(refused.code == .clusterRefused && refused.message.contains("without --roll-back"))
      back = false
    }
    let ticket = try adopt(process, back: back, access: access)
    let found = ticket.unfinished.first
    if let found { seen.insert(found.phase) }
    let kept: String
    if let found {
      kept = ticket.goesBack ? found.old.fingerprint : found.new.fingerprint
      #expect(ticket.goesBack == (found.phase == .preRotate || back))
      let end = try #require(try process.runToEnd())
      #expect(end.state == (ticket.goesBack ? .aborted : .succeeded), "\(note)")
      #expect(end.isAdopted)
    } else {
      // Nothing had been changed yet, or everything was.
      kept = world.demo.issuing(component)
    }
    #expect(world.demo.expectOnly(kept, component) == [], "\(note)")
    let cluster = try world.perform { try await process.orchestrator.cluster("demo") }
    #expect(cluster.authorities[component]?.fingerprint == kept, "\(note)")
    #expect(cluster.activeRotation == nil && cluster.authorities[component]?.hasKey == true)
    // The keys were elsewhere, whoever has finished the rotation.
    #expect(cluster.marks.map(\.kind) == [.importing], "\(note)")
    #expect(world.made.count(component) == made, "\(note): no further authority")
    world.demo.state.withLock {
      #expect($0.seen[component, default: []].count <= 2, "\(note): never a third authority")
      #expect(
        $0.seen[component, default: []].subtracting(["demo/\(component.rawValue)/first"]).count <= 1
      )
    }
    world.expectUnbroken(note)
    // What is left can be rotated.
    _ = try process.rotate(component)
    #expect(try process.runToEnd()?.state == .succeeded, "\(note)")
    try process.stop()
  }

  @Test("A dry run changes and records nothing, and says what would be done")
  func dryRun() throws {
    let world = World(seed: 5)
    #expect(try abandon(world, .talosCA, after: 30))
    let process = try world.boot(journal: MemoryStore())
    let before = world.demo.state.withLock { $0.applied }
    let ticket = try adopt(process, dryRun: true, access: access)
    #expect(ticket.status == nil && ticket.unfinished.count == 1)
    #expect(error { _ = try process.status() }?.code == .notFound)
    try process.pass(.seconds(60))
    #expect(world.demo.state.withLock { $0.applied } == before)
    try process.stop()
  }

  @Test("A cluster that is not known needs a talosconfig; one that is whole is imported with it")
  func whole() throws {
    let world = World(seed: 6)
    let process = try world.boot()
    let refused = error { _ = try adopt(process) }
    #expect(refused?.code == .notFound && refused?.message.contains("cluster adopt demo") == true)
    let ticket = try adopt(process, access: access)
    #expect(ticket.unfinished.isEmpty && ticket.status?.state == .idle)
    #expect(try adopt(process).unfinished.isEmpty)
    #expect(error { _ = try adopt(process, back: true, component: .talosCA) } == nil)
    try process.stop()
  }

  @Test(
    "While a rotation runs it is attached to, another component is refused, and going back is abort's"
  )
  func attached() throws {
    let world = World(seed: 7)
    let process = try world.bootWithClusters()
    _ = try process.rotate(.talosCA)
    let ticket = try adopt(process)
    #expect(ticket.isAttached && ticket.status?.component == .talosCA)
    let other = error { _ = try adopt(process, component: .kubernetesCA) }
    #expect(other?.code == .anotherRotationInProgress)
    let back = error { _ = try adopt(process, back: true) }
    #expect(back?.code == .rotationInProgress && back?.message.contains("abort") == true)
    #expect(try process.runToEnd()?.state == .succeeded)
    try process.stop()
  }

  @Test(
    "A rotation that was finished elsewhere since the import is verified, and the record follows it"
  )
  func finishedElsewhere() throws {
    let world = World(seed: 8)
    let ours = try world.bootWithClusters()
    let theirs = try world.boot(journal: MemoryStore())
    _ = try world.perform {
      try await theirs.orchestrator.importCluster(name: "demo", talosconfig: "good")
    }
    for component in SecretComponent.allCases {
      _ = try theirs.rotate(component)
      #expect(try theirs.runToEnd()?.state == .succeeded)
    }
    try theirs.stop()
    let applied = world.demo.state.withLock { $0.applied }
    let first = try adopt(ours, access: access)
    #expect(first.unfinished.map(\.component) == [.talosCA, .kubernetesCA] && !first.goesBack)
    // Until both are taken over, the Kubernetes CA is on record that machines use, and the one before is kept.
    let cluster = try world.perform { try await ours.orchestrator.cluster("demo") }
    #expect(cluster.predecessors.keys.sorted { $0.rawValue < $1.rawValue } == [.kubernetesCA])
    #expect(try ours.runToEnd()?.state == .succeeded)
    let second = try adopt(ours)
    #expect(second.unfinished.map(\.component) == [.kubernetesCA])
    #expect(try ours.runToEnd()?.state == .succeeded)
    #expect(try adopt(ours).unfinished.isEmpty)
    let after = try world.perform { try await ours.orchestrator.cluster("demo") }
    for component in SecretComponent.allCases {
      #expect(after.authorities[component]?.fingerprint == world.demo.issuing(component))
    }
    #expect(after.predecessors.isEmpty)
    #expect(world.demo.state.withLock { $0.applied } == applied, "nothing was changed")
    // The old ones are retired: what comes back is told.
    let history = try world.perform { try await ours.orchestrator.history(cluster: "demo") }
    #expect(
      Set(history.rotations.map(\.oldFingerprint))
        == Set(SecretComponent.allCases.map { SimulatedCluster.firstAuthority($0, "demo") }))
    try ours.stop()
  }

  @Test(
    "What the record had before another tool came is on record again while a rotation goes back to it"
  )
  func predecessor() throws {
    let world = World(seed: 13)
    let ours = try world.bootWithClusters()
    let theirs = try world.boot(journal: MemoryStore())
    _ = try world.perform {
      try await theirs.orchestrator.importCluster(name: "demo", talosconfig: "good")
    }
    for component in SecretComponent.allCases {
      _ = try theirs.rotate(component)
      #expect(try theirs.runToEnd()?.state == .succeeded)
    }
    try theirs.stop()
    let first = SimulatedCluster.firstAuthority(.kubernetesCA, "demo")
    for machine in world.demo.members {
      world.demo.accept(first, .kubernetesCA, on: machine.id, true)
    }
    _ = try adopt(ours, access: access)
    #expect(try ours.runToEnd()?.state == .succeeded)
    #expect(try adopt(ours, back: true).goesBack)
    // Machines that have gone back show certificates of it, and are trusted by what is on record.
    let cluster = try world.perform { try await ours.orchestrator.cluster("demo") }
    #expect(cluster.authorities[.kubernetesCA]?.fingerprint == first)
    #expect(try ours.runToEnd()?.state == .aborted)
    #expect(world.demo.expectOnly(first, .kubernetesCA) == [])
    try ours.stop()
  }

  @Test("A retired CA that is back is taken out again by the same command, without a third CA")
  func heal() throws {
    let world = World(seed: 9, driftInterval: .seconds(30))
    let process = try world.bootWithClusters()
    _ = try process.rotate(.kubernetesCA)
    let end = try #require(try process.runToEnd())
    world.demo.accept(end.oldFingerprint, .kubernetesCA, on: "demo-w-1", true)
    try process.pass(.seconds(61))
    #expect(try process.status().returned.count == 1)
    // What was never retired is another matter.
    world.demo.accept("somebody's", .talosCA, on: "demo-w-1", true)
    let ticket = try world.perform {
      try await process.orchestrator.adopt(
        AdoptionOrder(cluster: "demo", onlyHeals: true, requester: "uid:0"))
    }
    #expect(ticket.unfinished.map(\.component) == [.kubernetesCA])
    world.demo.accept("somebody's", .talosCA, on: "demo-w-1", false)
    #expect(ticket.unfinished.first?.phase == .postRotate && !ticket.goesBack)
    #expect(ticket.unfinished.first?.old.fingerprint == end.oldFingerprint)
    #expect(try process.runToEnd()?.state == .succeeded)
    #expect(try process.status().returned.isEmpty)
    #expect(world.demo.expectOnly(end.newFingerprint, .kubernetesCA) == [])
    let cluster = try world.perform { try await process.orchestrator.cluster("demo") }
    #expect(cluster.authorities[.kubernetesCA]?.fingerprint == end.newFingerprint)
    try process.stop()
  }

  @Test("What is left out by a wish for one component is told, and nothing is imported over it")
  func leftOut() throws {
    let world = World(seed: 12)
    #expect(try abandon(world, .talosCA, after: 60))
    let process = try world.boot(journal: MemoryStore())
    try process.pass(.seconds(120))
    let refused = error {
      _ = try adopt(process, access: access, component: .kubernetesCA)
    }
    #expect(refused?.code == .clusterRefused && refused?.message.contains("talos-ca") == true)
    #expect(error { _ = try process.status() }?.code == .notFound)
    try process.stop()
  }

  @Test("Nothing goes back to a retired CA, although every machine accepts it again")
  func retiredEverywhere() throws {
    let world = World(seed: 11)
    let process = try world.bootWithClusters()
    _ = try process.rotate(.talosCA)
    let end = try #require(try process.runToEnd())
    for machine in world.demo.members {
      world.demo.accept(end.oldFingerprint, .talosCA, on: machine.id, true)
    }
    let back = error { _ = try adopt(process, back: true) }
    #expect(back?.code == .clusterRefused && back?.message.contains("was retired") == true)
    #expect(try adopt(process).unfinished.first?.phase == .postRotate)
    let aborted = error {
      _ = try world.perform { try await process.orchestrator.abort(cluster: "demo") }
    }
    #expect(aborted?.code == .authorityRetired)
    #expect(try process.runToEnd()?.state == .succeeded)
    #expect(world.demo.expectOnly(end.newFingerprint, .talosCA) == [])
    try process.stop()
  }

  @Test("One that cannot be undone is not aborted, because the key of the old CA is not known")
  func keyless() throws {
    let world = World(seed: 10)
    let ours = try world.boot()
    let theirs = try world.boot(journal: MemoryStore())
    _ = try world.perform {
      try await theirs.orchestrator.importCluster(name: "demo", talosconfig: "good")
    }
    _ = try theirs.rotate(.talosCA)
    _ = try theirs.runToEnd()
    try theirs.stop()
    let first = SimulatedCluster.firstAuthority(.talosCA, "demo")
    for machine in world.demo.members { world.demo.accept(first, .talosCA, on: machine.id, true) }
    let ticket = try adopt(ours, access: access)
    #expect(
      ticket.unfinished.first?.phase == .rotate && ticket.unfinished.first?.old.hasKey == false)
    let refused = error {
      _ = try world.perform { try await ours.orchestrator.abort(cluster: "demo") }
    }
    #expect(refused?.code == .authorityRetired)
    #expect(try ours.runToEnd()?.state == .succeeded)
    #expect(world.demo.expectOnly(world.demo.issuing(.talosCA), .talosCA) == [])
    let exported = error {
      _ = try world.perform {
        try await ours.orchestrator.retiredAuthority(cluster: "demo", rotationID: "")
      }
    }
    #expect(exported?.code == .notRetired && exported?.message.contains("not known") == true)
    try ours.stop()
  }

  @Test(
    "A history that is damaged is told of as damaged, with the row; one that cannot be read now is to be tried again",
    arguments: [StoreError.Code.corrupt, .unavailable])
  func history(code: StoreError.Code) throws {
    let world = World(seed: 21)
    let before = try world.bootWithClusters()
    _ = try before.rotate(.talosCA)
    #expect(try before.runToEnd()?.state == .succeeded)
    try before.stop()
    let fault = StoreError(
      code, "row 'rotation-1' of table rotations (cluster 'demo') is not whole")
    let process = try world.boot(loading: FaultyStore.Loading(history: fault))
    let refused = try #require(error { _ = try adopt(process) })
    #expect(refused.message.contains(fault.message))
    let isDamaged = code == .corrupt
    #expect(refused.code == (isDamaged ? .journalDamaged : .journalUnavailable))
    #expect(refused.message.contains("forget the cluster") == isDamaged)
    #expect(refused.message.hasSuffix("try again") == !isDamaged)
    try process.stop()
  }
}
