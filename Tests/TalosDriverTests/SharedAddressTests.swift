import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  @Suite("An address that several machines share")
  struct SharedAddressTests {
    private func start(_ base: String, shared: String) async throws -> DriverHarness {
      try await DriverHarness.start(base, controlPlanes: 2, workers: 1) {
        $0.sharedAddress = shared
      }
    }

    /// A talosconfig whose only endpoint is the shared address.
    private func sharedOnly(_ harness: DriverHarness) throws -> [String] {
      ["\(try #require(harness.cluster.sharedAddress)):\(harness.cluster.port)"]
    }

    @Test("The import records every machine's own address, whoever holds the shared one")
    func imported() async throws {
      let harness = try await start("127.1.68.10", shared: "127.1.68.5")
      let truth = harness.cluster.nodes.map(\.address)
      for holder in [harness.cluster.nodes[0], harness.cluster.nodes[1]] {
        try await harness.cluster.moveSharedAddress(to: holder)
        let found = try await harness.discovered(endpoints: try sharedOnly(harness)).record
        #expect(found.machines.map(\.address) == truth)
        #expect(found.machines.map(\.identity) == harness.cluster.nodes.map(\.nodeID))
        let members = try await harness.driver.members(ClusterAccess(cluster: found))
        #expect(members == found.machines)
      }
      await harness.cluster.stop()
    }

    @Test(
      "A rotation goes on while the shared address moves at every stage",
      arguments: SecretComponent.allCases)
    func moving(component: SecretComponent) async throws {
      let subnet = component == .talosCA ? 69 : 70
      let harness = try await start("127.1.\(subnet).10", shared: "127.1.\(subnet).5")
      let record = try await harness.discovered(endpoints: try sharedOnly(harness)).record
      var change = try await harness.change(component, record)
      for phase in RotationPhase.allCases {
        change.phase = phase
        let holder = harness.cluster.nodes[phase == .rotate ? 1 : 0]
        try await harness.cluster.moveSharedAddress(to: holder)
        let access = ClusterAccess(cluster: record, rotation: change)
        #expect(try await harness.driver.members(access) == record.machines)
        #expect(try await harness.runStage(change, record) == [])
      }
      await harness.cluster.stop()
    }

    @Test("Every step says so when another machine answers, and that one is never changed")
    func misdirected() async throws {
      let harness = try await start("127.1.71.10", shared: "127.1.71.5")
      let record = try await harness.importCluster()
      let (first, second) = (harness.cluster.nodes[0], harness.cluster.nodes[1])
      var wrong = record
      wrong.machines[0].address = "127.1.71.5"
      try await harness.cluster.moveSharedAddress(to: second)
      let before = [await first.configuration, await second.configuration]
      for component in SecretComponent.allCases {
        let change = try await harness.change(component, record)
        let access = ClusterAccess(cluster: wrong, rotation: change)
        let machine = wrong.machines[0]
        let refused = await #expect(throws: DriverError.self) {
          try await harness.driver.apply(change, to: machine, access: access)
        }
        #expect(refused?.code == .conflict && refused?.sent == false)
        #expect(refused?.message.contains(second.nodeID) == true)
        let results = await harness.driver.verify(
          change, machine: machine, baseline: nil, access: access)
        #expect(results.map(\.name) == ["reachable"] && results.map(\.state) == [.failed])
        let report = await harness.driver.verifyCluster(change, baselines: [:], access: access)
        #expect(report.machines[machine.id]?.allSatisfy(\.isSettled) == false)
        if component == .kubernetesCA {
          let error = await #expect(throws: DriverError.self) {
            try await harness.driver.prepare(change, machine: machine, access: access)
          }
          #expect(error?.code == .conflict)
          let held = await #expect(throws: DriverError.self) {
            try await harness.driver.apply(change, to: wrong.machines[1], access: access)
          }
          #expect(held?.code == .refused)
        }
      }
      #expect([await first.configuration, await second.configuration] == before)
      // Asked for the members, the driver finds the machine at its own address again.
      let healed = try await harness.driver.members(ClusterAccess(cluster: wrong))
      #expect(healed == record.machines)
      #expect(await harness.driver.standing(ClusterAccess(cluster: wrong)) == .current)
      await harness.cluster.stop()
    }

    @Test("A new control plane that holds the shared address is known by its own")
    func joined() async throws {
      let harness = try await start("127.1.72.10", shared: "127.1.72.5")
      let record = try await harness.importCluster()
      try await harness.cluster.moveSharedAddress(to: harness.cluster.nodes[1])
      var before = record
      before.machines.remove(at: 1)
      let members = try await harness.driver.members(ClusterAccess(cluster: before))
      #expect(members == record.machines)
      await harness.cluster.stop()
    }

    @Test("Two records of one node id are one machine, and one for another's addresses is none")
    func duplicates() async throws {
      let harness = try await DriverHarness.start("127.1.73.0", controlPlanes: 2, workers: 1)
      let record = try await harness.importCluster()
      let nodes = harness.cluster.nodes
      await harness.cluster.setMemberLies([
        .add(
          ClusterMember(
            name: "twin", nodeID: nodes[2].nodeID, addresses: [nodes[2].address], type: .worker)),
        .add(
          ClusterMember(
            name: "ghost", nodeID: String(nodes[0].nodeID.reversed()),
            addresses: [nodes[0].address],
            type: .controlPlane)),
      ])
      #expect(
        try await harness.driver.members(ClusterAccess(cluster: record)).map(\.identity)
          == nodes.map(\.nodeID))
      await harness.cluster.setMemberLies([
        .add(
          ClusterMember(
            name: "twin", nodeID: nodes[2].nodeID, addresses: [nodes[2].address], type: .worker))
      ])
      let found = try await harness.discovered().record
      #expect(found.machines == record.machines)
      await harness.cluster.stop()
    }

    @Test("Machines of one node id do not count as two")
    func distinct() {
      let one = Machine(id: "a", address: "10.0.0.1", role: .worker, identity: "x")
      let two = Machine(id: "b", address: "10.0.0.2", role: .worker, identity: "x")
      let old = Machine(id: "c", address: "10.0.0.3", role: .worker)
      let other = Machine(id: "d", address: "10.0.0.4", role: .worker)
      #expect(DistinctMachines.check([one, old, other]).state == .passed)
      let failed = DistinctMachines.check([one, old, two])
      #expect(failed.state == .failed && failed.detail.contains("a and b"))
    }
  }
}
