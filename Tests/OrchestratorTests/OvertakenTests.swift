import MemoryStore
import Rotation
import TestSupport
import Testing

@testable import Orchestrator

/// A store from the midst of a rotation comes back after the rotation has ended: from a backup, or with a host whose work
/// another omnid has finished.
@Suite("Records that machines have overtaken, in simulated time", .serialized)
struct OvertakenTests {
  private func copy(_ store: any RotationStore, _ world: World) throws -> MemoryStore {
    try world.perform {
      let contents = try await store.load()
      let copy = MemoryStore()
      _ = try await copy.commit(
        contents.clusters.map { .putCluster($0, expected: 0) }
          + contents.rotations.map { .putRotation($0, expected: 0) })
      return copy
    }
  }

  /// What a rotation was when its process died, and what its store was then. Nil: it was over before.
  private func interrupted(
    _ world: World, _ component: SecretComponent, after steps: Int
  ) throws -> (store: MemoryStore, rotation: RotationRecord)? {
    try world.bootWithClusters().stop()
    let process = try world.boot(lifetime: steps)
    _ = try? process.rotate(component)
    guard try process.runToEnd() == nil else { return nil }
    let store = try copy(world.journal, world)
    let record = try world.perform {
      try await store.rotations(cluster: "demo", before: nil, limit: 1).first
    }
    // The other omnid, or the same one before its store was lost, goes on to the end.
    let other = try world.boot()
    if record == nil { _ = try other.rotate(component) }
    #expect(try other.runToEnd()?.state == .succeeded)
    try other.stop()
    return record.map { (store, $0) }
  }

  private func adopt(_ process: Process, dryRun: Bool = false) throws -> AdoptionTicket {
    try process.world.perform {
      try await process.orchestrator.adopt(
        AdoptionOrder(cluster: "demo", dryRun: dryRun, requester: "uid:0"))
    }
  }

  @Test(
    "Whatever moment it is from, it lets the retired authority in nowhere, is marked, and adopt brings it to the end",
    arguments: SecretComponent.allCases, [false, true])
  func everyMoment(component: SecretComponent, aborted: Bool) throws {
    var phases: Set<String> = []
    var steps = 2
    while steps < 400 {
      defer { steps += component == .talosCA ? 3 : 7 }
      let world = World(seed: UInt64(steps), controlPlanes: 2, workers: 1)
      let made = world.made.count(component)
      guard let (store, record) = try interrupted(world, component, after: steps) else {
        if steps > 20 { break }
        continue
      }
      let note =
        "\(component) after \(steps) steps, \(record.state.stage?.phase.name ?? "assembling")"
      let new = world.demo.issuing(component)
      #expect(new == record.new.fingerprint)
      world.demo.changeHands()
      let process = try world.boot(journal: store)
      if aborted {
        _ = try? world.perform {
          try await process.orchestrator.abort(cluster: "demo", requester: "uid:0")
        }
      }
      try process.pass(.seconds(300))
      #expect(
        world.demo.expectOnly(new, component) == [], "\(note): nobody lets the old one in again")
      var status = try process.status()
      phases.insert("\(status.phase.map(\.name) ?? "") \(status.state.rawValue)")
      if !status.isIdle {
        let cluster = try world.perform { try await process.orchestrator.cluster("demo") }
        let warnings = try world.perform { await process.orchestrator.warnings(cluster) }
        #expect(warnings == ["the machines are further than the record"], "\(note)")
        let refusal = #expect(throws: OrchestratorError.self) {
          if component == .talosCA {
            _ = try world.perform {
              try await process.orchestrator.talosconfig(cluster: "demo", requester: "ops")
            }
          } else {
            _ = try world.perform {
              try await process.orchestrator.kubeconfig(cluster: "demo", requester: "ops")
            }
          }
        }
        #expect(refusal?.code == .recordOutdated, "\(note)")
        let before = try process.status()
        #expect(
          try adopt(process, dryRun: true).notes.contains { $0.contains("would end as FAILED") })
        #expect(try process.status().rotationID == before.rotationID)
        let ticket = try adopt(process)
        #expect(ticket.notes.contains { $0.contains("has ended as FAILED") }, "\(note)")
        status = try #require(try process.runToEnd())
        #expect(status.state == .succeeded && status.isAdopted, "\(note): \(status.state)")
        let history = try world.perform {
          try await process.orchestrator.history(cluster: "demo").rotations
        }
        #expect(history.map(\.state) == [.succeeded, .failed], "\(note)")
      }
      #expect(world.demo.expectOnly(new, component) == [], "\(note)")
      #expect(world.made.count(component) == made + 1, "\(note): no further authority")
      let cluster = try world.perform { try await process.orchestrator.cluster("demo") }
      if status.state == .succeeded {
        #expect(cluster.authorities[component]?.fingerprint == new, "\(note)")
      }
      // Whose turn comes after whose in POST_ROTATE was for the other omnid to keep.
      if record.state.stage?.phase != .postRotate { world.expectUnbroken(note) }
      try process.stop()
    }
    #expect(steps > 20 && steps < 400 && phases.count >= 3, "\(phases)")
  }

  @Test("A rotation that the machines have not overtaken is attached to, as ever")
  func current() throws {
    let world = World(seed: 3)
    let process = try world.bootWithClusters()
    let begun = try process.rotate(.talosCA, options: RotationOptions(soak: .untilContinued))
    try process.pass(.seconds(200))
    #expect(try process.status().state == .paused)
    let ticket = try adopt(process)
    #expect(ticket.isAttached && ticket.status?.rotationID == begun.status.rotationID)
    #expect(try process.status().state == .paused)
    try process.stop()
  }
}
