import MemoryStore
import Rotation
import Synchronization
import Testing

@testable import Orchestrator

/// A half-done rotation beside what cannot be told apart, or with a CA that has expired.
@Suite("Rotations that are taken over under difficulties, in simulated time", .serialized)
struct UnclearAdoptionTests {
  private let access = DiscoveryRequest(name: "demo", talosconfig: "good")

  private func adopt(
    _ process: Process, access: DiscoveryRequest? = nil, component: SecretComponent? = nil,
    onlyHeals: Bool = false, dryRun: Bool = false
  ) throws -> AdoptionTicket {
    try process.world.perform {
      try await process.orchestrator.adopt(
        AdoptionOrder(
          cluster: "demo", component: component, access: access, onlyHeals: onlyHeals,
          dryRun: dryRun, requester: "uid:0"))
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

  /// Lets a rotation of a cluster run until its process dies, after so many steps.
  private func abandon(
    _ component: SecretComponent, after steps: Int
  ) throws -> World? {
    let world = World(seed: UInt64(steps), controlPlanes: 3, workers: 1)
    try world.bootWithClusters().stop()
    let process = try world.boot(lifetime: steps)
    _ = try? process.rotate(component)
    return try process.runToEnd() == nil ? world : nil
  }

  /// What machines hold of a component.
  private func trust(
    _ world: World, _ component: SecretComponent
  ) -> [String: SimulatedCluster.Trust] {
    world.demo.state.withLock { $0.nodes.compactMapValues { $0.trust[component] } }
  }

  /// Others have begun two more rotations: each control plane issues from a CA of its own.
  private func confuse(_ world: World, _ component: SecretComponent) {
    world.demo.state.withLock { state in
      let all = ["x-1", "x-2"].map { "\(component.rawValue)/\($0)" }
      for id in state.nodes.keys {
        state.nodes[id]?.trust[component]?.accepted.formUnion(all)
      }
      for (plane, authority) in zip(["demo-cp-1", "demo-cp-2"], all) {
        state.nodes[plane]?.trust[component]?.issuing = authority
        state.nodes[plane]?.keys.insert(authority)
      }
    }
  }

  /// A person brings all machines back to the first CA.
  private func mend(_ world: World, _ component: SecretComponent) {
    world.demo.state.withLock { state in
      for id in state.nodes.keys {
        state.nodes[id]?.trust[component] = SimulatedCluster.original("demo")[component]
      }
    }
  }

  @Test(
    "An unclear component does not keep the other from being taken over, and is neither touched nor forgotten",
    arguments: [false, true])
  func besideUnclear(isKnown: Bool) throws {
    var seen: Set<RotationPhase> = []
    for steps in stride(from: 12, to: 160, by: 9) {
      guard let world = try abandon(.talosCA, after: steps) else { break }
      let note = "after \(steps) steps"
      confuse(world, .kubernetesCA)
      let confused = trust(world, .kubernetesCA)
      let journal = isKnown ? try otherRecord(world) : MemoryStore()
      let process = try world.boot(journal: journal)
      try process.pass(.seconds(120))
      guard let ticket = try? adopt(process, access: access) else {
        // Nothing of the Talos CA is half done, or all is: there is nothing to take over.
        let refused = error { _ = try adopt(process, access: access) }
        #expect(refused?.code == .clusterRefused, "\(note)")
        #expect(refused?.message.contains("kubernetes-ca cannot be told apart") == true)
        continue
      }
      #expect(ticket.unfinished.map(\.component) == [.talosCA], "\(note)")
      #expect(ticket.unclear.map(\.component) == [.kubernetesCA], "\(note)")
      #expect(ticket.notes.contains { $0.contains("kubernetes-ca cannot be told apart") })
      ticket.unfinished.first.map { _ = seen.insert($0.phase) }
      let end = try #require(try process.runToEnd())
      #expect(end.state == (ticket.goesBack ? .aborted : .succeeded), "\(note)")
      #expect(end.notes.contains { $0.contains("kubernetes-ca cannot be told apart") }, "\(note)")
      #expect(trust(world, .kubernetesCA) == confused, "\(note): it is left alone")
      try expectNamed(process, note)
      try expectCleared(process, note)
    }
    #expect(seen == Set(RotationPhase.allCases))
  }

  /// The store of an omnid that has imported the cluster before anybody has rotated.
  private func otherRecord(_ world: World) throws -> MemoryStore {
    let store = MemoryStore()
    let process = try world.boot(journal: store)
    _ = try world.perform {
      try await process.orchestrator.importCluster(name: "demo", talosconfig: "good")
    }
    try process.stop()
    return store
  }

  /// The cluster says what is unclear, and nothing begins on it.
  private func expectNamed(_ process: Process, _ note: String) throws {
    let mark = try #require(try cluster(process).marks.first { $0.kind == .unclear }, "\(note)")
    #expect(mark.pending == [.kubernetesCA])
    #expect(mark.explanation(cluster: "demo").contains("secret rotate adopt"))
    let before = trust(process.world, .kubernetesCA)
    let started = error { _ = try process.rotate(.kubernetesCA) }
    #expect(started?.code == .clusterRefused, "\(note)")
    #expect(started?.message.contains("could not be told apart") == true, "\(note)")
    for component in [nil, .kubernetesCA] as [SecretComponent?] {
      for onlyHeals in [false, true] {
        let again = error {
          _ = try adopt(process, access: access, component: component, onlyHeals: onlyHeals)
        }
        #expect(again?.code == .clusterRefused, "\(note)")
      }
    }
    let cleared = error {
      _ = try process.world.perform {
        try await process.orchestrator.clearMark("unclear-ca", of: "demo")
      }
    }
    #expect(cleared?.code == .markPending)
    #expect(trust(process.world, .kubernetesCA) == before)
    #expect(try cluster(process).marks.contains { $0.kind == .unclear }, "\(note)")
    // Rotations of the other component neither need it nor make it forgotten.
    _ = try process.rotate(.talosCA)
    #expect(try process.runToEnd()?.state == .succeeded, "\(note)")
    #expect(try cluster(process).marks.contains { $0.kind == .unclear }, "\(note)")
  }

  /// Once a person has put it right, it is looked at anew.
  private func expectCleared(_ process: Process, _ note: String) throws {
    mend(process.world, .kubernetesCA)
    #expect(try adopt(process, dryRun: true).unclear == [])
    #expect(
      try cluster(process).marks.contains { $0.kind == .unclear }, "a dry run records nothing")
    let ticket = try adopt(process)
    #expect(ticket.unfinished.isEmpty && ticket.unclear.isEmpty, "\(note)")
    let cluster = try cluster(process)
    #expect(!cluster.marks.contains { $0.kind == .unclear }, "\(note)")
    #expect(
      cluster.authorities[.kubernetesCA]?.fingerprint
        == SimulatedCluster.firstAuthority(.kubernetesCA, "demo"), "\(note)")
    let tainted = cluster.marks.first { $0.kind == .importing }?.pending
    #expect(tainted?.contains(.kubernetesCA) == true, "\(note): its key was elsewhere")
    _ = try process.rotate(.kubernetesCA)
    #expect(try process.runToEnd()?.state == .succeeded, "\(note)")
    process.world.expectUnbroken(note)
    try process.stop()
  }

  @Test(
    "Where a Talos CA is unclear or half done, no key goes to whoever shows a certificate that nobody vouches for",
    arguments: [false, true])
  func besideUnclearTalos(isUnclear: Bool) throws {
    let world = try #require(try abandon(.talosCA, after: 60))
    if isUnclear { confuse(world, .talosCA) }
    for machine in world.demo.members {
      world.demo.accept("kubernetes-ca/new-7", .kubernetesCA, on: machine.id, true)
    }
    let before = world.demo.state.withLock { $0.applied }
    for isKnown in [false, true] {
      let process = try world.boot(journal: isKnown ? try otherRecord(world) : MemoryStore())
      try process.pass(.seconds(120))
      let refused = error {
        _ = try adopt(process, access: access, component: .kubernetesCA)
      }
      #expect(refused?.code == .clusterRefused)
      #expect(refused?.message.contains("before the talos-ca") == true, "\(refused as Any)")
      if isKnown { #expect(try cluster(process).activeRotation == nil) }
      try process.pass(.seconds(60))
      try process.stop()
    }
    #expect(world.demo.state.withLock { $0.applied } == before)
  }

  @Test(
    "A new CA that has expired is taken out again where machines issue from the old one, and nothing is finished with it",
    arguments: SecretComponent.allCases)
  func expired(component: SecretComponent) throws {
    var seen: Set<String> = []
    let first = SimulatedCluster.firstAuthority(component, "demo")
    for steps in stride(from: 10, to: 400, by: component == .talosCA ? 4 : 9) {
      guard let world = try abandon(component, after: steps) else { break }
      let note = "after \(steps) steps"
      let new = "\(component.rawValue)/new-0"
      world.demo.state.withLock { $0.ends[new] = world.clock.now() }
      let process = try world.boot(journal: try otherRecord(world))
      try process.pass(.seconds(120))
      let before = trust(world, component)
      guard before.values.contains(where: { $0.accepted.contains(new) }) else { continue }
      do {
        let ticket = try adopt(process)
        #expect(ticket.goesBack, "\(note)")
        #expect(ticket.unfinished.first?.finishObstacle?.contains("expired on") == true, "\(note)")
        ticket.unfinished.first.map { _ = seen.insert($0.phase.name) }
        #expect(try process.runToEnd()?.state == .aborted, "\(note)")
        #expect(world.demo.expectOnly(first, component) == [], "\(note)")
        #expect(try cluster(process).authorities[component]?.fingerprint == first, "\(note)")
      } catch let refused as OrchestratorError {
        #expect(
          refused.code == .clusterRefused && refused.message.contains("expired on"), "\(note)")
        #expect(trust(world, component) == before, "\(note): nothing is changed")
        #expect(
          before.values.contains { !$0.accepted.contains(first) }
            || before.filter { $0.key.contains("-cp-") }.values.allSatisfy { $0.issuing == new },
          "\(note): refused only where there is no way")
        seen.insert("refused")
      }
      world.expectUnbroken(note)
      try process.stop()
    }
    #expect(seen == ["PRE_ROTATE", "ROTATE", "refused"])
  }

  @Test("Nothing goes back to an old CA that has expired, also where its key is known")
  func expiredOld() throws {
    let world = try #require(try abandon(.talosCA, after: 60))
    let first = SimulatedCluster.firstAuthority(.talosCA, "demo")
    world.demo.state.withLock { $0.ends[first] = world.clock.now() }
    let process = try world.boot(journal: try otherRecord(world))
    try process.pass(.seconds(120))
    let ticket = try adopt(process)
    #expect(ticket.unfinished.first?.phase == .rotate && !ticket.goesBack)
    #expect(ticket.unfinished.first?.returnObstacle?.contains("expired on") == true)
    let aborted = error {
      _ = try world.perform { try await process.orchestrator.abort(cluster: "demo") }
    }
    #expect(aborted?.code == .authorityRetired && aborted?.message.contains("expired") == true)
    #expect(try process.runToEnd()?.state == .succeeded)
    #expect(world.demo.expectOnly(world.demo.issuing(.talosCA), .talosCA) == [])
    try process.stop()
  }
}
