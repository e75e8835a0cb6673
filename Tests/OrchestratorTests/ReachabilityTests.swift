import Rotation
import Testing

@testable import Orchestrator

/// While a machine is waited for, it is told which machines answer, those too whose turn has not come.
@Suite("Which machines answer, in simulated time", .serialized)
struct ReachabilityTests {
  @Test("A worker whose turn has not come is told to be down while a control plane is waited for")
  func company() throws {
    let world = World(seed: 21)
    let process = try world.bootWithClusters()
    world.demo.takeDown("demo-cp-1", for: .seconds(100))
    world.demo.takeDown("demo-w-1", for: .seconds(200))
    _ = try process.rotate(.talosCA)
    #expect(try process.status().reachability == nil, "nothing is waited for")
    try process.pass(.seconds(75))
    let waiting = try process.status()
    #expect(waiting.phase == .preRotate && waiting.step.contains("demo-cp-1"))
    let seen = try #require(waiting.reachability)
    #expect(seen.unreachable == ["demo-cp-1", "demo-w-1"])
    // It is on record, and told anew after a restart.
    try process.kill()
    let next = try world.boot()
    #expect(try next.status().reachability == seen)
    try next.pass(.seconds(75))
    #expect(try next.status().reachability?.unreachable == ["demo-w-1"])
    let end = try #require(try next.runToEnd())
    #expect(end.state == .succeeded && end.reachability == nil)
    try next.stop()
  }
}
