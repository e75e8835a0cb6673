import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  @Suite("Whoever has shown the identity is the one that is read and changed")
  struct OneConnectionTests {
    /// Two control planes, of which the record knows the first by the address that both may hold.
    private func start(
      _ subnet: Int
    ) async throws -> (harness: DriverHarness, own: ClusterRecord, shared: ClusterRecord) {
      let address = "127.1.\(subnet).5"
      let harness = try await DriverHarness.start(
        "127.1.\(subnet).10", controlPlanes: 2, workers: 1
      ) { $0.sharedAddress = address }
      let own = try await harness.importCluster()
      var shared = own
      shared.machines[0].address = address
      return (harness, own, shared)
    }

    /// Waits until the machines have been asked by the method more often than before.
    private func waitForCall(
      _ method: String, _ harness: DriverHarness, after before: Int
    ) async throws {
      for _ in 0..<1000 {
        if harness.cluster.calls[method, default: 0] > before { return }
        try await Task.sleep(for: .milliseconds(5))
      }
      Issue.record("nobody was asked by \(method)")
    }

    private func refusal(
      _ harness: DriverHarness, _ change: TrustChange, _ machine: Machine, _ access: ClusterAccess
    ) async -> DriverError? {
      do throws(DriverError) {
        _ = try await harness.driver.apply(change, to: machine, access: access)
        return nil
      } catch { return error }
    }

    private static let list = "/cosi.resource.State/List"
    private static let read = "/machine.MachineService/Read"

    @Test("A configuration does not go to the machine that takes the address over before the write")
    func write() async throws {
      let (harness, own, shared) = try await start(187)
      let (first, second) = (harness.cluster.nodes[0], harness.cluster.nodes[1])
      let change = try await harness.change(.kubernetesCA, own)
      let access = ClusterAccess(cluster: shared, rotation: change)
      let before = [await first.configuration, await second.configuration]
      // Between the look at the configuration and the write it is asked whether the other API server is ready.
      await second.setFaults { $0.latency = .milliseconds(400) }
      let lists = harness.cluster.calls[Self.list, default: 0]
      async let outcome = refusal(harness, change, shared.machines[0], access)
      try await waitForCall(Self.list, harness, after: lists)
      try await Task.sleep(for: .milliseconds(100))
      try await harness.cluster.moveSharedAddress(to: second)
      let refusal = await outcome
      #expect(refusal?.code == .conflict, "\(String(describing: refusal))")
      #expect(refusal?.message.contains(second.nodeID) == true)
      #expect([await first.configuration, await second.configuration] == before)
      await harness.cluster.stop()
    }

    @Test("What one machine and then another have answered at an address is believed of neither")
    func mixed() async throws {
      let (harness, _, shared) = try await start(188)
      let access = ClusterAccess(cluster: shared)
      let (machine, nodes) = (shared.machines[0], harness.cluster.nodes)
      let undisturbed = await names(of: machine, access, harness) {}
      #expect(undisturbed == [nodes[0].name, nodes[0].name])
      let mixed = await names(of: machine, access, harness) {
        try? await Task.sleep(for: .milliseconds(100))
        try? await harness.cluster.moveSharedAddress(to: nodes[1])
      }
      #expect(mixed == nil)
      await harness.cluster.stop()
    }

    /// What a machine says its node is called, asked twice in one step; nil where the step fails.
    private func names(
      of machine: Machine, _ access: ClusterAccess, _ harness: DriverHarness,
      _ between: @Sendable () async -> Void
    ) async -> [String?]? {
      try? await harness.driver.withReading(machine, access) { client async throws(TalosFailure) in
        let first = try await client.nodename()
        await between()
        return [first, try await client.nodename()]
      }
    }

    @Test(
      "A worker that takes long to answer shows its identity once more right before it is changed")
    func worker() async throws {
      let harness = try await DriverHarness.start("127.1.189.0", controlPlanes: 1, workers: 1)
      let record = try await harness.importCluster()
      let change = try await harness.change(.talosCA, record)
      let access = ClusterAccess(cluster: record, rotation: change)
      for machine in record.machines {
        await harness.cluster.nodes[machine.role == .worker ? 1 : 0].setFaults {
          $0.latency = .milliseconds(1100)
        }
        let before = harness.cluster.calls.values.reduce(0, +)
        let outcome = try await harness.driver.apply(change, to: machine, access: access)
        #expect(outcome == .changed)
        let asked = harness.cluster.calls.values.reduce(0, +) - before
        // A control plane is changed over the connection by which it has shown its identity.
        #expect(asked == (machine.role == .worker ? 4 : 3), "\(machine.id)")
        await harness.cluster.nodes[0].setFaults { $0.latency = .zero }
      }
      await harness.cluster.stop()
    }

    @Test(
      "The API server of the machine that takes the address over says nothing of the one before")
    func apiServer() async throws {
      let (harness, own, shared) = try await start(187)
      let (first, second) = (harness.cluster.nodes[0], harness.cluster.nodes[1])
      let change = try await harness.change(.kubernetesCA, own)
      #expect(try await harness.runStage(change, own) == [])
      let access = ClusterAccess(cluster: shared, rotation: change)
      let machine = shared.machines[0]
      let settled = await harness.verified(change, machine, shared)
      #expect(settled.filter { !$0.isSettled } == [])
      for node in [first, second] {
        await node.setFaults { $0.apiServerLatency = .milliseconds(300) }
      }
      let reads = harness.cluster.calls[Self.read, default: 0]
      let driver = harness.driver
      async let look = driver.verify(change, machine: machine, baseline: nil, access: access)
      try await waitForCall(Self.read, harness, after: reads)
      try await Task.sleep(for: .milliseconds(150))
      try await harness.cluster.moveSharedAddress(to: second)
      let results = await look
      #expect(results.map(\.name) == ["reachable"] && results.map(\.state) == [.failed])
      #expect(results.first?.detail.contains(second.nodeID) == true, "\(results)")
      await harness.cluster.stop()
    }

    @Test(
      "An API server is ready only if its machine still answers at the address after it has said so"
    )
    func readiness() async throws {
      let (harness, own, _) = try await start(188)
      let (first, second) = (harness.cluster.nodes[0], harness.cluster.nodes[1])
      let change = try await harness.change(.kubernetesCA, own)
      let access = ClusterAccess(cluster: own, rotation: change)
      // Its port is known from a look.
      _ = await harness.driver.verify(
        change, machine: own.machines[0], baseline: nil, access: access)
      await first.setFaults {
        $0.apiServerLatency = .milliseconds(300)
        $0.dropsClientsOnReload = true
        $0.staticPodsStuck = true
      }
      let before = await second.configuration
      let lists = harness.cluster.calls[Self.list, default: 0]
      async let outcome = refusal(harness, change, own.machines[1], access)
      // The configuration of the one that is to be changed, then the static pods of the other.
      try await waitForCall(Self.list, harness, after: lists + 1)
      try await Task.sleep(for: .milliseconds(100))
      // The connection to its apid ends while its API server is asked.
      await first.refreshCertificates()
      let refusal = await outcome
      #expect(refusal?.code == .refused && refusal?.sent == false, "\(String(describing: refusal))")
      #expect(await second.configuration == before)
      await harness.cluster.stop()
    }
  }
}
