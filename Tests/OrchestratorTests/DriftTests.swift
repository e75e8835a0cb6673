import Rotation
import Testing

@testable import Orchestrator

/// A retired authority that comes back after a rotation is told of.
@Suite("Drift in simulated time", .serialized)
struct DriftTests {
  private func world(seed: UInt64) -> World {
    World(seed: seed, driftInterval: .seconds(30))
  }

  private func shown(_ process: Process) throws -> [String] {
    try process.status().returned.map { "\($0.machine) \($0.component.rawValue) \($0.fingerprint)" }
  }

  @Test(
    "A retired authority in a machine's configuration is told within a minute, and so is its going")
  func told() throws {
    let world = world(seed: 7)
    var process = try world.bootWithClusters()
    _ = try process.rotate(.kubernetesCA)
    let end = try #require(try process.runToEnd())
    let old = end.oldFingerprint
    try process.pass(.seconds(90))
    #expect(try shown(process).isEmpty)
    let worker = try #require(end.machines.last).machine
    world.demo.accept(old, .kubernetesCA, on: worker, true)
    try process.pass(.seconds(60))
    #expect(try shown(process) == ["\(worker) kubernetes-ca \(old)"])
    let since = try #require(try process.status().returned.first).since
    // It is on record, with the time at which it was first seen.
    try process.kill()
    process = try world.boot()
    #expect(try shown(process) == ["\(worker) kubernetes-ca \(old)"])
    try process.pass(.seconds(120))
    #expect(try process.status().returned.first?.since == since)
    // A machine that does not answer has not mended itself.
    world.demo.silence(worker, for: .seconds(100))
    world.demo.accept(old, .kubernetesCA, on: worker, false)
    try process.pass(.seconds(60))
    #expect(try shown(process).count == 1)
    try process.pass(.seconds(120))
    #expect(try shown(process).isEmpty)
    try process.stop()
  }

  @Test("A cluster whose control planes do not answer is told of within a minute, until they do")
  func unreachable() throws {
    let world = world(seed: 11)
    let process = try world.bootWithClusters()
    func warnings() throws -> [String] {
      try world.perform {
        let cluster = try await process.orchestrator.cluster("demo")
        return await process.orchestrator.warnings(cluster)
      }
    }
    try process.pass(.seconds(40))
    #expect(try warnings().isEmpty)
    let planes = world.demo.members.filter { $0.role == .controlPlane }.map(\.id)
    for plane in planes.dropFirst() { world.demo.silence(plane, for: .seconds(1000)) }
    try process.pass(.seconds(60))
    #expect(try warnings().isEmpty, "one that answers is enough")
    world.demo.silence(planes[0], for: .seconds(100))
    try process.pass(.seconds(60))
    #expect(try warnings() == ["no control plane could be asked: no control plane answers"])
    try process.pass(.seconds(90))
    #expect(try warnings().isEmpty)
    try process.stop()
  }

  @Test(
    "What was never retired, or is used again, is no drift; what an aborted rotation had brought is"
  )
  func retired() throws {
    var cluster = ClusterRecord(
      name: "demo", endpoints: [], kubernetesEndpoint: "",
      authorities: [.talosCA: Self.authority("c")], machines: [], talosVersion: "v1.13.0")
    func rotation(_ old: String, _ new: String, _ state: RotationMachine.State) -> RotationRecord {
      RotationRecord(
        id: old + new, cluster: "demo", ordinal: 1, component: .talosCA, old: Self.authority(old),
        new: Self.authority(new), state: state, notes: [], reason: "", requester: "",
        startedAt: Instant(secondsSince1970: 0), updatedAt: Instant(secondsSince1970: 0))
    }
    let stage = Stage(phase: .postRotate, machines: [])
    let rotations = [
      rotation("a", "b", .succeeded(stage)), rotation("b", "x", .aborted(by: "", stage)),
      rotation("b", "y", .failed(reason: "")), rotation("b", "z", .aborted(by: "", nil)),
      rotation("b", "c", .succeeded(stage)), rotation("c", "n", .rolling(stage)),
    ]
    #expect(
      RetiredAuthorities(of: cluster, rotations).authorities.map(\.fingerprint) == ["a", "x", "b"])
    cluster.authorities[.talosCA] = Self.authority("a")
    #expect(RetiredAuthorities(of: cluster, rotations).fingerprints == [.talosCA: ["b", "x"]])
    #expect(RetiredAuthorities(of: cluster, []).isEmpty)
  }

  @Test("A look changes what is known of the machines that it has seen, and keeps who was first")
  func looks() {
    let machines = ["a", "b", "c"].map { Machine(id: $0, address: "10.0.0.1", role: .worker) }
    var cluster = ClusterRecord(
      name: "demo", endpoints: [], kubernetesEndpoint: "", authorities: [:], machines: machines,
      talosVersion: "v1.13.0")
    let (first, later) = (Instant(secondsSince1970: 1), Instant(secondsSince1970: 2))
    let sighting = RetiredSighting(.talosCA, "old")
    cluster.returned = cluster.returned(after: ["a": [sighting], "b": [sighting]], at: first)
    #expect(cluster.returned.map(\.machine) == ["a", "b"])
    cluster.returned = cluster.returned(after: ["a": [], "c": [sighting]], at: later)
    #expect(cluster.returned.map(\.machine) == ["b", "c"])
    #expect(cluster.returned.map(\.since) == [first, later])
    cluster.machines.removeAll { $0.id == "b" }
    #expect(cluster.returned(after: [:], at: later).map(\.machine) == ["c"])
  }

  private static func authority(_ name: String) -> SealedAuthority {
    SealedAuthority(
      certificatePEM: name, fingerprint: name, sealedKey: [],
      binding: AuthorityBinding(cluster: "demo", component: .talosCA))
  }
}
