import Orchestrator
import Rotation
import Synchronization
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  @Suite("The ports of API servers, which configurations change")
  struct APIServerPortTests {
    /// As if the API server had listened elsewhere before, and its configuration had named that port.
    private func moved(_ harness: DriverHarness, _ record: ClusterRecord) {
      harness.driver.notes.withLock { notes in
        for machine in record.controlPlanes {
          notes.apiServerPorts["\(record.name)/\(machine.identity)"] =
            TalosDriver.Notes.APIServerPort(port: 1, readAt: .now)
        }
      }
    }

    @Test("A port that has changed since omnid read it is found by a start and by an import")
    func changed() async throws {
      let harness = try await DriverHarness.start("127.1.165.0", controlPlanes: 2, workers: 0)
      let record = try await harness.importCluster()
      let access = ClusterAccess(cluster: record)
      moved(harness, record)
      for component in SecretComponent.allCases {
        moved(harness, record)
        let preflight = try await harness.driver.preflight(
          component, options: RotationOptions(), access: access)
        #expect(preflight.findings == [])
      }
      moved(harness, record)
      _ = try await harness.importCluster()
      #expect(try await harness.driver.nodes(access).get().count == 2)
      await harness.cluster.stop()
    }

    @Test("Where nobody answers at a port, the configuration is read again, and not at every call")
    func doubted() async throws {
      let harness = try await DriverHarness.start("127.1.166.0", controlPlanes: 1, workers: 0)
      let record = try await harness.importCluster()
      let access = ClusterAccess(cluster: record)
      moved(harness, record)
      guard case .failure(let error) = await harness.driver.nodes(access) else {
        Issue.record("nobody answers at that port")
        return
      }
      #expect(error.code == .unreachable)
      #expect(await harness.driver.apiServerPort(record.machines[0], access) == 1)
      try await Task.sleep(for: .milliseconds(200))
      #expect(try await harness.driver.nodes(access).get().count == 1)
      await harness.cluster.stop()
    }
  }
}
