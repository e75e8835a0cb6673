import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

@Suite("Addresses beside those at which machines are known")
struct FurtherAddressTests {
  private let plane = Machine(id: "cp-1", address: "10.0.0.1", role: .controlPlane, identity: "A")
  private let worker = Machine(id: "w-1", address: "10.0.0.2", role: .worker, identity: "B")
  private let address = FurtherAddress(host: "10.0.0.5", port: 50000, owner: "cp-1")
  private let other = FurtherAddress(host: "fd00::5", port: 50000, owner: "w-1")

  @Test("Every address of every machine and every endpoint is asked once, the known ones not again")
  func talos() {
    let found = FurtherAddresses.ofTalos(
      [plane, worker],
      [
        "A": ["10.0.0.1", "10.0.0.5"], "B": ["10.0.0.5", "fd00::5", "10.0.0.2"], "C": ["10.0.0.9"],
      ],
      endpoints: ["10.0.0.1", "lb.example.org:50001", "10.0.0.5:50000", "a b"])
    #expect(
      found.map(\.description) == [
        "lb.example.org:50001 (endpoint of the talosconfig)",
        "10.0.0.5:50000 (endpoint of the talosconfig)", "[fd00::5]:50000 (w-1)",
      ])
  }

  @Test("Of API servers it is the control planes' addresses and the cluster's endpoint")
  func apiServers() {
    func found(_ endpoint: String) -> [String] {
      FurtherAddresses.ofAPIServers(
        [(plane, 6443)], ["A": ["10.0.0.1", "10.0.0.5"], "B": ["10.0.0.6"]], endpoint: endpoint
      ).map(\.description)
    }
    #expect(
      found("https://lb.example.org") == [
        "lb.example.org:443 (endpoint of the cluster)", "10.0.0.5:6443 (cp-1)",
      ])
    #expect(found("https://10.0.0.1:6443") == ["10.0.0.5:6443 (cp-1)"])
    #expect(found("") == ["10.0.0.5:6443 (cp-1)"])
  }

  @Test("One address at which the dropped client is let in, or may be, keeps the check open")
  func open() {
    let stillIn = AddressAnswer.check([(address, .refused), (other, .stillIn)])
    #expect(
      stillIn.state == .waiting && stillIn.detail.contains("let in at [fd00::5]:50000 (w-1): "))
    let unclear = AddressAnswer.check([(address, .unclear("HTTP 500")), (other, .refused)])
    #expect(unclear.state == .waiting && unclear.detail.contains("10.0.0.5:50000 (cp-1): HTTP 500"))
  }

  @Test("Addresses at which nobody of the cluster answers are told and not waited for")
  func told() {
    #expect(AddressAnswer.check([]).isSettled)
    let silent = AddressAnswer.check([(address, .silent), (other, .foreign)], unasked: 3)
    #expect(silent.state == .passed && !silent.detail.contains("refused"))
    #expect(AddressAnswer.check([(address, .closed)]).detail.hasSuffix("in: \(address)"))
    #expect(
      silent.detail.hasSuffix(
        "not reachable from here: 10.0.0.5:50000 (cp-1); not this cluster's: [fd00::5]:50000 (w-1); 3 more were not asked"
      ))
    let refused = AddressAnswer.check(Array(repeating: (address, .refused), count: 10))
    #expect(refused.detail.hasSuffix("and 2 more"))
  }
}

extension LivingMachines {
  @Suite("The last gate at further addresses")
  struct FurtherAddressGateTests {
    private func result(
      _ harness: DriverHarness, _ change: TrustChange, _ record: ClusterRecord,
      reaching rotation: TrustChange? = nil
    ) async -> CheckResult {
      let access = ClusterAccess(cluster: record, rotation: rotation ?? change)
      let found = await harness.driver.coverageChecks(change, access)
      return await harness.driver.furtherAddressCheck(
        change, access, addresses: found.addresses)
    }

    /// Stages of a rotation of the machines in the record alone, whatever the gate says of others.
    private func rotate(
      _ component: SecretComponent, _ harness: DriverHarness, _ record: ClusterRecord
    ) async throws -> TrustChange {
      var change = try await harness.change(component, record)
      for phase in RotationPhase.allCases {
        change.phase = phase
        let access = ClusterAccess(cluster: record, rotation: change)
        for machine in record.machines {
          let baseline = try await harness.driver.prepare(change, machine: machine, access: access)
          try await harness.applied(change, to: machine, access)
          let results = await harness.verified(change, machine, record, baseline: baseline)
          #expect(results.filter { !$0.isSettled } == [])
        }
      }
      return change
    }

    @Test(
      "The old client is refused at the shared address; before it is, the gate stays shut",
      arguments: SecretComponent.allCases)
    func shared(component: SecretComponent) async throws {
      let subnet = component == .talosCA ? 106 : 107
      let harness = try await DriverHarness.start(
        "127.1.\(subnet).10", controlPlanes: 2, workers: 1
      ) { $0.sharedAddress = "127.1.\(subnet).5" }
      let record = try await harness.importCluster()
      let (change, open) = try await harness.rotate(component, record)
      #expect(open == [])
      let report = await harness.gate(change, record)
      #expect(report.contains { $0.isNamed(.furtherAddresses) }, "\(report)")
      let passed = await result(harness, change, record)
      #expect(passed.state == .passed && passed.detail.contains("refused at 127.1.\(subnet).5:"))

      // Asked as if the new CA were the one that went.
      var undone = change
      (undone.old, undone.new) = (change.new, change.old)
      let shut = await result(harness, undone, record, reaching: change)
      #expect(shut.state == .waiting, "\(shut.detail)")
      await harness.cluster.stop()
    }

    @Test(
      "A forgotten machine behind an address that its certificate does not name is found",
      arguments: SecretComponent.allCases)
    func unnamed(component: SecretComponent) async throws {
      let subnet = component == .talosCA ? 158 : 159
      let shared = "127.1.\(subnet).5"
      let harness = try await DriverHarness.start(
        "127.1.\(subnet).10", controlPlanes: 2, workers: 0
      ) {
        $0.sharedAddress = shared
        $0.namesSharedAddress = false
      }
      var record = try await harness.importCluster()
      let hidden = record.machines.removeLast()
      record.endpoints = [record.machines[0].address, shared].map {
        "\($0):\(harness.cluster.port)"
      }
      await harness.cluster.setMemberLies([.hide(hidden.id)])
      // A controller-manager with the old CA would sign certificates for the kubelets of the others.
      await harness.cluster.node(hidden.id)?.setFaults { $0.controllerManagerDown = true }
      let change = try await rotate(component, harness, record)
      let refused = await result(harness, change, record)
      #expect(refused.state == .passed && refused.detail.contains("refused at \(shared):"))

      try await harness.cluster.moveSharedAddress(to: harness.cluster.node(hidden.id))
      let found = await result(harness, change, record)
      #expect(found.state == .waiting, "\(found.detail)")
      #expect(found.detail.contains("still let in at \(shared):"), "\(found.detail)")
      let coverage = await harness.driver.coverageChecks(
        change, ClusterAccess(cluster: record, rotation: change))
      #expect(coverage.check.state == .failed)
      #expect(
        coverage.check.detail.contains("\(shared):\(harness.cluster.port) of the talosconfig"),
        "\(coverage.check.detail)")
      await harness.cluster.stop()
    }

    @Test("A machine that was left out and stands behind another's address is found")
    func leftOut() async throws {
      let harness = try await DriverHarness.start("127.1.108.0", controlPlanes: 1, workers: 2)
      var record = try await harness.importCluster()
      let hidden = record.machines.removeLast()
      let nodes = harness.cluster.nodes
      let address = hidden.address
      await harness.cluster.setMemberLies([
        .hide(nodes[2].name), .change(nodes[1].name) { $0.addresses.append(address) },
      ])
      let change = try await rotate(.talosCA, harness, record)
      let found = await result(harness, change, record)
      #expect(found.state == .waiting)
      #expect(
        found.detail.contains(
          "still let in at \(address):\(harness.cluster.port) (\(nodes[1].name))"))

      await harness.cluster.setMemberLies([
        .hide(nodes[2].name), .change(nodes[1].name) { $0.addresses.append("127.1.108.77") },
      ])
      let silent = await result(harness, change, record)
      #expect(silent.state == .passed && silent.detail.contains("not reachable from here"))
      await harness.cluster.stop()
    }
  }
}
