import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

/// Machines that a person has said to be gone: the word counts where nothing speaks against it, and nowhere else.
@Suite("Machines that are left out")
struct LeftOutTests {
  private static let ghostID = "gh0stgh0stgh0stgh0stgh0stgh0stgh0stgh0st123"

  private static func ghost(_ base: String, type: TalosSimulator.MachineType) -> MemberLie {
    .add(
      TalosSimulator.ClusterMember(
        name: "ghost", nodeID: ghostID, addresses: ["\(base).99"], type: type,
        apiServerPort: type == .controlPlane ? 6443 : nil))
  }

  private func preflight(
    _ harness: DriverHarness, _ record: ClusterRecord, leaving names: Set<String>
  ) async throws -> Preflight {
    try await harness.driver.preflight(
      .talosCA, options: RotationOptions(leftOut: LeftOutMachines(names)),
      access: ClusterAccess(cluster: record))
  }

  @Test(
    "A member that nobody answers as is left out by its name or its identity, whatever it calls itself",
    arguments: ["ghost", ghostID], [TalosSimulator.MachineType.worker, .controlPlane])
  func announced(name: String, type: TalosSimulator.MachineType) async throws {
    let harness = try await DriverHarness.start("127.1.171.0", controlPlanes: 1, workers: 1)
    let record = try await harness.importCluster()
    await harness.cluster.setMemberLies([Self.ghost("127.1.171", type: type)])
    let refused: String
    do {
      let before = try await preflight(harness, record, leaving: [])
      refused = before.obstacles(RotationOptions()).map(\.message).joined()
    } catch let error as DriverError { refused = error.message }
    #expect(refused.contains("ghost"))
    let other = try? await preflight(harness, record, leaving: ["ghos"])
    #expect(
      other?.obstacles(RotationOptions()).isEmpty != true, "the name has to be the whole one")

    let left = try await preflight(harness, record, leaving: [name])
    #expect(left.obstacles(RotationOptions()) == [])
    #expect(left.machines.map(\.id) == record.machines.map(\.id))
    #expect(left.notes.contains { $0.contains("ghost (node id \(Self.ghostID)) is left out") })
    #expect(left.leftOut == LeftOutMachines(identities: [name: Self.ghostID]))

    // The gate compares with discovery too.
    var change = try await harness.change(.talosCA, record)
    change.options.leftOut = LeftOutMachines([name])
    let access = ClusterAccess(cluster: record, rotation: change)
    #expect(try await harness.driver.members(access).map(\.id) == record.machines.map(\.id))
    let coverage = await harness.driver.coverageChecks(change, access).check
    #expect(coverage.state == .passed, "\(coverage)")
    change.options.leftOut = LeftOutMachines()
    let without = await harness.driver.coverageChecks(change, access).check
    #expect(without.state == .failed)
    await harness.cluster.stop()
  }

  @Test("A machine that lets omnid in is not left out, and the start is refused with its address")
  func present() async throws {
    let harness = try await DriverHarness.start("127.1.172.0", controlPlanes: 2, workers: 1)
    let record = try await harness.importCluster()
    for machine in record.machines {
      let looked = try await preflight(harness, record, leaving: [machine.id])
      #expect(Set(looked.machines.map(\.id)) == Set(record.machines.map(\.id)))
      let obstacle = looked.obstacles(
        RotationOptions(removeForeign: true, allowUnready: true, allowUnmanagedNodes: true))
      #expect(
        obstacle.map(\.kind) == [.notCovered]
          && obstacle[0].message.contains("it lets omnid in at \(machine.address)"), "\(obstacle)")
      var change = try await harness.change(.talosCA, record)
      change.options.leftOut = LeftOutMachines([machine.id])
      let access = ClusterAccess(cluster: record, rotation: change)
      #expect(try await harness.driver.members(access).contains { $0.id == machine.id })
      #expect(await harness.driver.departure(of: machine, access: access) != .said)
    }
    await harness.cluster.stop()
  }

  @Test(
    "A machine that discovery has forgotten keeps a start waiting without Kubernetes, unless it is left out"
  )
  func forgotten() async throws {
    let harness = try await DriverHarness.start("127.1.173.0", controlPlanes: 2, workers: 2) {
      $0.withoutKubernetes = true
    }
    let record = try await harness.importCluster()
    let gone = try #require(record.machines.last)
    await harness.cluster.node(gone.id)?.powerOff()
    await harness.cluster.setMemberLies([.hide(gone.id)])
    let before = try await preflight(harness, record, leaving: [])
    #expect(
      before.obstacles(RotationOptions()).map(\.subject) == [gone.id], "\(before.findings)")
    #expect(before.findings.first?.message.contains("--leave-out \(gone.id)") == true)
    let left = try await preflight(harness, record, leaving: [gone.identity])
    #expect(left.obstacles(RotationOptions()) == [] && left.notes.contains { $0.contains(gone.id) })

    var change = try await harness.change(.talosCA, record)
    change.options.leftOut = LeftOutMachines([gone.id])
    let access = ClusterAccess(cluster: record, rotation: change)
    #expect(await harness.driver.departure(of: gone, access: access) == .said)
    // It comes back, and the word counts no more.
    try await harness.cluster.node(gone.id)?.powerOn()
    _ = await harness.cluster.settle()
    #expect(await harness.driver.departure(of: gone, access: access) != .said)
    let again = try await preflight(harness, record, leaving: [gone.id])
    #expect(again.obstacles(RotationOptions()).map(\.kind) == [.notCovered])
    await harness.cluster.stop()
  }

  @Test(
    "A newcomer under the name of a machine that is off does not take that machine's place without Kubernetes"
  )
  func namesake() async throws {
    let harness = try await DriverHarness.start("127.1.178.0", controlPlanes: 1, workers: 2) {
      $0.withoutKubernetes = true
    }
    var record = try await harness.importCluster()
    let newcomer = try #require(record.machines.last)
    // The record knows another machine by that name, at another address.
    let gone = Machine(
      id: newcomer.id, address: "127.1.178.99", role: .worker, port: newcomer.port,
      identity: "identity-of-the-machine-that-is-off")
    record.machines[record.machines.count - 1] = gone
    let looked = try await preflight(harness, record, leaving: [])
    #expect(looked.machines.last?.identity == newcomer.identity)
    #expect(looked.machines.last?.id == "\(newcomer.id)@\(newcomer.address)")
    #expect(looked.obstacles(RotationOptions()).map(\.subject) == [gone.id], "\(looked.findings)")
    for name in [gone.id, gone.identity] {
      let left = try await preflight(harness, record, leaving: [name])
      #expect(left.obstacles(RotationOptions()) == [], "\(name)")
      #expect(left.machines.contains { $0.identity == newcomer.identity })
    }
    await harness.cluster.stop()
  }

  @Test("A name that nobody bears is told of, and not kept")
  func unknown() async throws {
    let harness = try await DriverHarness.start("127.1.179.0", controlPlanes: 1, workers: 1)
    let record = try await harness.importCluster()
    let looked = try await preflight(harness, record, leaving: ["worker-99"])
    #expect(looked.obstacles(RotationOptions()) == [] && looked.leftOut.isEmpty)
    #expect(looked.notes.contains { $0.hasPrefix("worker-99: no machine is known") })
    await harness.cluster.stop()
  }

  @Test(
    "A worker that was left behind with the old CA alone is there, although it refuses what control planes present"
  )
  func leftBehind() async throws {
    let harness = try await DriverHarness.start("127.1.166.0", controlPlanes: 1, workers: 1) {
      $0.withoutKubernetes = true
    }
    let record = try await harness.importCluster()
    let worker = try #require(record.machines.last)
    let node = try #require(harness.cluster.node(worker.id))
    let original = await node.configuration
    var change = try await harness.change(.talosCA, record)
    #expect(try await harness.runStage(change, record) == [])
    change.phase = .rotate
    #expect(try await harness.runStage(change, record) == [])
    // Somebody puts back what it had before the rotation.
    try await node.write(original)
    _ = await harness.cluster.settle()
    for phase in [RotationPhase.rotate, .postRotate] {
      change.phase = phase
      change.options.leftOut = LeftOutMachines([worker.id])
      let access = ClusterAccess(cluster: record, rotation: change)
      #expect(await harness.driver.trace(of: [worker], access) != nil, "\(phase)")
      #expect(try await harness.driver.members(access).contains { $0.id == worker.id })
      #expect(await harness.driver.departure(of: worker, access: access) != .said)
    }
    await harness.cluster.stop()
  }

  @Test(
    "A machine that was set up anew under another name at the same address has left, once its node is deleted"
  )
  func renamed() async throws {
    let harness = try await DriverHarness.start("127.1.167.0", controlPlanes: 1, workers: 2)
    var record = try await harness.importCluster()
    let newcomer = try #require(record.machines.last)
    let gone = Machine(
      id: "demo-worker-9", address: newcomer.address, role: .worker, port: newcomer.port,
      identity: "identity-of-the-machine-before")
    record.machines[record.machines.count - 1] = gone
    let looked = try await preflight(harness, record, leaving: [])
    #expect(looked.obstacles(RotationOptions()) == [], "\(looked.findings)")
    #expect(looked.machines.last?.id == newcomer.id)
    await harness.cluster.stop()
  }

  @Test("An endpoint of the talosconfig that was a machine's which is left out need not answer")
  func endpoint() async throws {
    let harness = try await DriverHarness.start("127.1.174.0", controlPlanes: 3, workers: 0) {
      $0.withoutKubernetes = true
    }
    let record = try await harness.importCluster()
    let gone = try #require(record.machines.last)
    #expect(record.endpoints.contains { $0.contains(gone.address) })
    await harness.cluster.node(gone.id)?.powerOff()
    await harness.cluster.setMemberLies([.hide(gone.id)])
    let left = try await preflight(harness, record, leaving: [gone.id])
    #expect(left.obstacles(RotationOptions()) == [])
    await harness.cluster.stop()
  }

  @Test("An import goes on without a member that is left out, and says how to go on without it")
  func imported() async throws {
    let harness = try await DriverHarness.start("127.1.175.0", controlPlanes: 1, workers: 1)
    await harness.cluster.setMemberLies([Self.ghost("127.1.175", type: .worker)])
    let refusal = try #require(await harness.refusal())
    #expect(refusal.message.contains("--leave-out ghost"), "\(refusal.message)")
    func discovered(_ names: Set<String>) async throws -> DiscoveredCluster {
      try await harness.driver.discover(
        DiscoveryRequest(
          name: "demo", talosconfig: harness.cluster.talosconfig,
          leftOut: LeftOutMachines(names)))
    }
    let found = try await discovered(["ghost"])
    #expect(found.record.machines.count == 2)
    #expect(found.warnings.contains { $0.contains("ghost") && $0.contains("is left out") })
    await harness.cluster.setMemberLies([])
    let worker = try #require(found.record.machines.last)
    let all = try await discovered([worker.id])
    #expect(all.record.machines.count == 2)
    #expect(all.warnings.contains { $0.contains("\(worker.id) is not left out") })
    await harness.cluster.stop()
  }

  @Test("A listed machine that answers no more is left out of a cluster without discovery")
  func listed() async throws {
    let harness = try await DriverHarness.start("127.1.176.0", controlPlanes: 1, workers: 2) {
      $0.withoutKubernetes = true
    }
    var record = try await harness.importCluster()
    record.isListed = true
    let gone = try #require(record.machines.last)
    await harness.cluster.node(gone.id)?.powerOff()
    var change = try await harness.change(.talosCA, record)
    var access = ClusterAccess(cluster: record, rotation: change)
    #expect(try await harness.driver.members(access).count == 3, "it may be merely off")
    change.options.leftOut = LeftOutMachines([gone.id])
    access.rotation = change
    #expect(
      try await harness.driver.members(access).map(\.id) == record.machines.dropLast().map(\.id))
    await harness.cluster.stop()
  }
}
