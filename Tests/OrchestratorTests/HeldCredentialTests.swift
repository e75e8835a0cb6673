import Rotation
import TestSupport
import Testing

@testable import Orchestrator

/// Who holds credentials of an authority that goes.
@Suite("Held credentials", .serialized)
struct HeldCredentialTests {
  private static let start = Instant(secondsSince1970: 1_700_000_000)

  private func credential(
    _ serial: String, of authority: String = "old", for seconds: Int64 = 3600
  ) -> HeldCredential {
    HeldCredential(
      component: .talosCA, authority: authority, holder: "ops", roles: ["os:reader"],
      serial: serial,
      issuedAt: Self.start, expiresAt: Self.start.advanced(by: .seconds(seconds)))
  }

  @Test("Each is kept until it ends, and goes when the next one is handed out after that")
  func ends() {
    var held = HeldCredentials()
    held.add(credential("a", for: 60), at: Self.start)
    held.add(credential("b", for: 120), at: Self.start.advanced(by: .seconds(59)))
    #expect(held.listed.map(\.serial) == ["a", "b"])
    held.add(credential("c"), at: Self.start.advanced(by: .seconds(60)))
    #expect(held.listed.map(\.serial) == ["b", "c"])
  }

  @Test("Of too many those that end first are counted by authority, as long as one of them works")
  func overflow() {
    var held = HeldCredentials()
    for index in 0..<(HeldCredentials.limit + 3) {
      held.add(
        credential("\(index)", of: index == 1 ? "other" : "old", for: Int64(1000 + index)),
        at: Self.start)
    }
    #expect(held.listed.count == HeldCredentials.limit)
    #expect(held.listed.first?.serial == "3")
    #expect(
      held.unlisted == [
        HeldCredentials.Unlisted(
          authority: "old", count: 2, endBy: Self.start.advanced(by: .seconds(1002))),
        HeldCredentials.Unlisted(
          authority: "other", count: 1, endBy: Self.start.advanced(by: .seconds(1001))),
      ])
    #expect(held.of("other").listed.isEmpty && held.of("other").unlisted.map(\.count) == [1])
    held.add(credential("last"), at: Self.start.advanced(by: .seconds(1001)))
    #expect(held.unlisted.map(\.authority) == ["old"])
    held.add(credential("last"), at: Self.start.advanced(by: .seconds(2000)))
    #expect(held.unlisted.isEmpty)
  }

  @Test("The authorities of which others are counted are bounded")
  func authorities() {
    var held = HeldCredentials()
    for index in 0..<(HeldCredentials.limit + 40) {
      held.add(credential("\(index)", of: "\(index)"), at: Self.start)
    }
    #expect(held.unlisted.count == HeldCredentials.authorityLimit)
    #expect(held.unlisted.last?.authority == "39")
  }

  private func handOut(_ process: Process, to holder: String) throws {
    _ = try process.world.perform {
      try await process.orchestrator.talosconfig(cluster: "demo", requester: holder)
    }
  }

  private func holders(_ process: Process) throws -> [String] {
    try process.status().retiringCredentials.listed.map(\.holder)
  }

  private func reach(_ phase: RotationPhase, _ process: Process) throws {
    try process.world.perform {
      for _ in 0..<10_000 {
        let status = try await process.orchestrator.status(cluster: "demo")
        if status.phase == phase || status.isIdle { return }
        try await process.world.clock.sleep(for: .milliseconds(100))
      }
    }
    #expect(try process.status().phase == phase)
  }

  @Test(
    "A rotation's status names who holds credentials of the old authority, through a death and after the end"
  )
  func named() throws {
    let world = World(seed: 5)
    var process = try world.bootWithClusters()
    try handOut(process, to: "alice")
    #expect(try holders(process).isEmpty, "nothing goes")
    let seen = try process.record()
    _ = try process.rotate(.talosCA)
    #expect(try holders(process) == ["alice"])
    try handOut(process, to: "bob")
    #expect(try holders(process) == ["alice", "bob"])
    // Who watches changes alone would not learn of it: the state is shown whole.
    #expect(seen.snapshots.last?.retiringCredentials.listed.map(\.holder) == ["alice", "bob"])
    try process.kill()
    process = try world.boot()
    #expect(try holders(process) == ["alice", "bob"])
    try reach(.rotate, process)
    try handOut(process, to: "carol")
    #expect(try holders(process) == ["alice", "bob"], "carol's is of the new authority")
    #expect(try process.runToEnd()?.state == .succeeded)
    #expect(try holders(process) == ["alice", "bob"])
    let orchestrator = process.orchestrator
    let history = try world.perform {
      try await orchestrator.history(cluster: "demo", pageSize: 1, pageToken: "")
    }
    #expect(history.rotations.first?.retiringCredentials.isEmpty == true)
    // The other authority's rotation is none of theirs.
    _ = try process.rotate(.kubernetesCA)
    #expect(try holders(process).isEmpty)
    _ = try process.runToEnd()
    try process.stop()
  }

  @Test("On the way back those of the new authority are named")
  func back() throws {
    let world = World(seed: 6)
    let process = try world.bootWithClusters()
    try handOut(process, to: "alice")
    _ = try process.rotate(.talosCA)
    try reach(.rotate, process)
    try handOut(process, to: "bob")
    #expect(try holders(process) == ["alice"])
    _ = try world.perform {
      try await process.orchestrator.abort(cluster: "demo", requester: "ops")
    }
    #expect(try holders(process) == ["bob"])
    #expect(try process.runToEnd()?.state == .aborted)
    #expect(try holders(process) == ["bob"])
    try process.stop()
  }

  @Test("A credential that cannot be written down is not handed out")
  func unwritten() throws {
    let world = World(seed: 7)
    let process = try world.bootWithClusters()
    process.store.setBroken(true)
    #expect(throws: OrchestratorError.self) { try handOut(process, to: "alice") }
    process.store.setBroken(false)
    #expect(
      try process.world.perform { try await process.orchestrator.cluster("demo") }.credentials
        .isEmpty)
    try process.stop()
  }
}
