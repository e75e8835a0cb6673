import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  @Suite("How many calls a step takes")
  struct CallBudgetTests {
    /// The Talos API calls that the machines have been asked while the body ran.
    private func calls<Value>(
      _ harness: DriverHarness, _ body: () async throws -> Value
    ) async rethrows -> (count: Int, value: Value) {
      let before = harness.cluster.calls.values.reduce(0, +)
      let value = try await body()
      return (harness.cluster.calls.values.reduce(0, +) - before, value)
    }

    @Test("Of the Talos CA: a change takes 3 calls, a look at a control plane 6, at a worker 5")
    func talos() async throws {
      let harness = try await DriverHarness.start("127.1.92.0", controlPlanes: 2, workers: 1)
      let record = try await harness.importCluster()
      var change = try await harness.change(.talosCA, record)
      for phase in RotationPhase.allCases {
        change.phase = phase
        let access = ClusterAccess(cluster: record, rotation: change)
        // Nobody is dialled as a client of a CA that is accepted no longer, but for the refusal itself.
        let refused = phase == .postRotate ? 1 : 0
        for machine in record.machines {
          let (sent, outcome) = try await calls(harness) {
            try await harness.driver.apply(change, to: machine, access: access)
          }
          #expect(outcome == .changed && sent == 3, "\(phase.name) \(machine.id)")
          _ = await harness.cluster.settle()
          let (asked, results) = await calls(harness) {
            await harness.driver.verify(change, machine: machine, baseline: nil, access: access)
          }
          #expect(results.filter { !$0.isSettled } == [])
          let usual = machine.role == .controlPlane ? 6 : 5
          #expect(asked == usual - refused, "\(phase.name) \(machine.id)")
        }
        // Before and after the last stage every control plane is asked for its members, too.
        let (asked, report) = await calls(harness) {
          await harness.driver.verifyCluster(change, baselines: [:], access: access)
        }
        #expect(report.all.filter { !$0.isSettled } == [])
        let members = phase == .preRotate ? 0 : 2 * 2
        // Whose refusal the last look has seen is told by one more call to each machine.
        let bound = 3 * refused
        #expect(asked == 2 * 6 + 5 - 3 * refused + bound + members, "\(phase.name)")
      }
      await harness.cluster.stop()
    }

    @Test("While a handshake shows that a machine has not taken its change up, it is asked nothing")
    func untaken() async throws {
      let harness = try await DriverHarness.start("127.1.93.0", controlPlanes: 1, workers: 1)
      let record = try await harness.importCluster()
      let change = try await harness.change(.talosCA, record)
      let access = ClusterAccess(cluster: record, rotation: change)
      for machine in record.machines {
        let (asked, results) = await calls(harness) {
          await harness.driver.verify(change, machine: machine, baseline: nil, access: access)
        }
        // Only the last look asks for all there is to show.
        #expect(asked == (machine.role == .controlPlane ? 5 : 3))
        #expect(results.first { $0.isNamed(.newClientAccepted) }?.state == .waiting)
        #expect(results.first { $0.isNamed(.configApplied) }?.state == .failed)
      }
      await harness.cluster.stop()
    }
  }
}
