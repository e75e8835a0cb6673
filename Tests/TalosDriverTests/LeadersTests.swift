import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  @Suite("Whose processes lead")
  struct LeadersTests {
    @Test(
      "The holders of the leases are named, that of the scheduler's last; nobody where none can be seen"
    )
    func holders() async throws {
      let harness = try await DriverHarness.start("127.1.91.0", workers: 1)
      let record = try await harness.importCluster()
      let change = try await harness.change(.kubernetesCA, record)
      let access = ClusterAccess(cluster: record, rotation: change)
      let planes = record.machines.filter { $0.role == .controlPlane }.map(\.id)
      let first = await harness.driver.leaders(access)
      #expect(Set(first).count == 1 && planes.contains(first[0]))
      // The scheduler of the one that leads ends, and another takes its lease.
      let holder = try #require(harness.cluster.nodes.first { $0.name == first[0] })
      await holder.setFaults { $0.schedulerDown = true }
      var second = first
      for _ in 0..<200 where second.last == first.last {
        try await Task.sleep(for: .milliseconds(10))
        second = await harness.driver.leaders(access)
      }
      #expect(second.first == first[0])
      #expect(second.count == 2 && second[1] != first[0] && planes.contains(second[1]))
      // A change of the Talos CA restarts none of these processes.
      let other = try await harness.change(.talosCA, record)
      let talos = ClusterAccess(cluster: record, rotation: other)
      #expect(await harness.driver.leaders(talos) == [])
      #expect(await harness.driver.leaders(ClusterAccess(cluster: record)) == [])
      for node in harness.cluster.nodes { await node.setFaults { $0.apiServerDown = true } }
      #expect(await harness.driver.leaders(access) == [])
      await harness.cluster.stop()
    }
  }
}
