import Orchestrator
import Rotation
import Synchronization
import TestSupport
import Testing

/// Rotations whose changes are tried before they are permanent.
@Suite("Changes that are tried first", .serialized)
struct TrialTests {
  private static let options = RotationOptions(tryTimeout: .seconds(120))

  @Test("Each change is made permanent once it is verified", arguments: SecretComponent.allCases)
  func permanent(component: SecretComponent) throws {
    let world = World(seed: 1)
    let process = try world.bootWithClusters()
    _ = try process.rotate(component, options: Self.options)
    #expect(try process.runToEnd()?.state == .succeeded)
    world.demo.state.withLock { state in
      #expect(state.persisted == 15 && state.wentBack == 0)
      #expect(state.nodes.values.allSatisfy { $0.trial == nil })
    }
    world.expectUnbroken("")
    try process.stop()
  }

  @Test(
    "omnid dies at every single step, and machines go back by themselves before it returns: it goes on correctly",
    arguments: SecretComponent.allCases)
  func deathAtEveryStep(component: SecretComponent) throws {
    var lifetime = 1
    var wentBack = 0
    while true {
      let world = World(seed: UInt64(lifetime), controlPlanes: 2, workers: 1)
      try world.bootWithClusters().stop()
      let process = try world.boot(lifetime: lifetime)
      let ticket = try? process.rotate(component, requestID: "one", options: Self.options)
      let end = try ticket == nil ? nil : process.runToEnd()
      try process.kill()
      if end != nil { break }
      // Longer than a trial lasts.
      try world.perform { try await world.clock.sleep(for: .seconds(150)) }
      let again = try world.boot()
      _ = try again.rotate(component, requestID: "one", options: Self.options)
      #expect(try again.runToEnd()?.state == .succeeded, "\(lifetime)")
      try again.stop()
      world.expectUnbroken("\(lifetime)")
      wentBack += world.demo.state.withLock { $0.wentBack }
      lifetime += 1
      try #require(lifetime < 5000)
    }
    #expect(lifetime > 30 && wentBack > 10)
  }

  @Test(
    "Through deaths, failures and outages every change is permanent in the end", arguments: 0..<60)
  func storms(seed: UInt64) throws {
    let world = World(seed: seed)
    let component = SecretComponent.allCases[Int(seed % 2)]
    try world.bootWithClusters().stop()
    var generator = SeededGenerator(seed: seed)
    var ticket: RotationTicket?
    for life in 0..<200 {
      let lifetime = life < 12 ? Int.random(in: 1...60, using: &generator) : nil
      let process = try world.boot(
        lifetime: lifetime, failBefore: life < 12 ? 30 : 0, failAfter: life < 12 ? 30 : 0)
      if life < 12, Bool.random(using: &generator) {
        try process.pass(.seconds(Int64.random(in: 1...200, using: &generator)))
      }
      while ticket == nil, !process.life.isDead {
        ticket = try? process.rotate(component, requestID: "one", options: Self.options)
        if ticket == nil { try process.pass(.seconds(1)) }
      }
      let end = try ticket == nil ? nil : process.runToEnd()
      try process.kill()
      world.expectUnbroken("seed \(seed)")
      guard let end else { continue }
      #expect(end.state == .succeeded)
      #expect(world.demo.state.withLock { $0.nodes.values.allSatisfy { $0.trial == nil } })
      return
    }
    Issue.record("seed \(seed): it does not end")
  }

  @Test("An abort in the midst of a trial takes the change back for good", arguments: 0..<20)
  func aborts(seed: UInt64) throws {
    let world = World(seed: seed)
    let process = try world.bootWithClusters()
    let ticket = try process.rotate(.talosCA, options: Self.options)
    try process.pass(.milliseconds(Int64(seed) * 400))
    _ = try? world.perform {
      try await process.orchestrator.abort(
        cluster: "demo", rotationID: ticket.status.rotationID, requester: "uid:0")
    }
    let end = try process.runToEnd()
    #expect(end?.state == .aborted || end?.state == .succeeded)
    try process.pass(.seconds(200))
    world.demo.state.withLock { state in
      state.endTrials(at: world.clock.now())
      #expect(state.nodes.values.allSatisfy { $0.trial == nil })
    }
    world.expectUnbroken("seed \(seed)")
    try process.stop()
  }
}
