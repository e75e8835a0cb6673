import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  @Suite("Clusters whose discovery is off, their machines named by a person")
  struct ListedMachinesTests {
    private func discover(
      _ harness: DriverHarness, _ listing: MachineListing?
    ) async -> Result<DiscoveredCluster, DriverError> {
      do throws(DriverError) {
        return .success(
          try await harness.driver.discover(
            DiscoveryRequest(
              name: "demo", talosconfig: harness.cluster.talosconfig, listing: listing)))
      } catch { return .failure(error) }
    }

    private func refusal(_ harness: DriverHarness, _ listing: MachineListing?) async -> DriverError?
    {
      if case .failure(let error) = await discover(harness, listing) { error } else { nil }
    }

    private func addresses(_ base: String, _ range: ClosedRange<Int>) -> [String] {
      range.map { base.dropLast() + "\($0)" }
    }

    @Test("Machines that are named are asked who they are, and rotated like any others")
    func rotates() async throws {
      let base = "127.1.96.0"
      let harness = try await DriverHarness.start(base, controlPlanes: 2, workers: 2) {
        $0.withoutDiscovery = true
      }
      let withoutList = await refusal(harness, nil)
      #expect(withoutList?.message.contains("--control-planes") == true, "\(withoutList as Any)")
      let listing = MachineListing(
        controlPlanes: addresses(base, 1...2), workers: addresses(base, 3...4))
      var found = try await discover(harness, listing).get()
      #expect(found.record.isListed && found.warnings == [])
      let machines = found.record.machines
      #expect(machines.map(\.role) == [.controlPlane, .controlPlane, .worker, .worker])
      #expect(Set(machines.map(\.identity)).count == 4 && machines.allSatisfy { $0.identity != "" })
      #expect(machines.allSatisfy { !$0.id.hasPrefix("127.") }, "\(machines.map(\.id))")
      for component in SecretComponent.allCases {
        let access = ClusterAccess(cluster: found.record)
        let preflight = try await harness.driver.preflight(
          component, options: RotationOptions(), access: access)
        #expect(preflight.findings == [] && preflight.machines.count == 4)
        var change = try await harness.change(component, found.record)
        for phase in RotationPhase.allCases {
          change.phase = phase
          #expect(try await harness.runStage(change, found.record) == [], "\(component) \(phase)")
          #expect(await harness.gate(change, found.record).filter { !$0.isSettled } == [])
        }
        found.record.authorities[component] = change.new
      }
      await harness.cluster.stop()
    }

    @Test(
      "A machine that the list leaves out is told of at the import, and found by its Kubernetes node"
    )
    func incomplete() async throws {
      let base = "127.1.97.0"
      let harness = try await DriverHarness.start(base, controlPlanes: 1, workers: 2) {
        $0.withoutDiscovery = true
      }
      let found = try await discover(
        harness,
        MachineListing(controlPlanes: addresses(base, 1...1), workers: addresses(base, 2...2))
      ).get()
      #expect(found.warnings.count == 1 && found.warnings[0].contains("that no Talos machine"))
      let members = try await harness.driver.members(ClusterAccess(cluster: found.record))
      #expect(members.count == 3 && Set(members.map(\.identity)).count == 3)
      let preflight = try await harness.driver.preflight(
        .talosCA, options: RotationOptions(), access: ClusterAccess(cluster: found.record))
      #expect(preflight.findings == [] && preflight.machines.count == 3)
      await harness.cluster.stop()
    }

    @Test(
      "A list that names a machine twice, as what it is not, or where nobody answers, is refused by name"
    )
    func wrongLists() async throws {
      let base = "127.1.98.0"
      let harness = try await DriverHarness.start(base, controlPlanes: 1, workers: 1) {
        $0.withoutDiscovery = true
      }
      let (plane, worker) = (addresses(base, 1...1), addresses(base, 2...2))
      for (listing, word) in [
        (MachineListing(controlPlanes: plane + plane, workers: worker), "named twice"),
        (MachineListing(controlPlanes: plane + worker), "a worker by its configuration"),
        (MachineListing(controlPlanes: plane, workers: worker + ["127.1.98.9"]), "127.1.98.9"),
        (MachineListing(controlPlanes: plane, workers: ["no address"]), "no address"),
      ] {
        let error = await refusal(harness, listing)
        #expect(error?.message.contains(word) == true, "\(listing): \(error as Any)")
      }
      await harness.cluster.stop()
    }

    @Test("An address that a kubelet has registered is dialled only if it looks like one")
    func addresses() {
      for good in ["10.0.0.1", "fd00::1", "::ffff:10.0.0.1"] {
        #expect(NetworkAddress.looksLikeAddress(good))
      }
      for bad in ["", "a", "host", "10.0.0.1\nnode: x", "10.0.0.1/x", "evil.example", "1.1.1.1 "] {
        #expect(!NetworkAddress.looksLikeAddress(bad), "\(bad)")
      }
    }

    @Test("In the midst of a rotation a machine that is gone, with its node, is no member any more")
    func departure() async throws {
      let base = "127.1.99.0"
      let harness = try await DriverHarness.start(base, controlPlanes: 1, workers: 2) {
        $0.withoutDiscovery = true
      }
      let record = try await discover(
        harness,
        MachineListing(controlPlanes: addresses(base, 1...1), workers: addresses(base, 2...3))
      ).get().record
      let change = try await harness.change(.talosCA, record)
      let gone = record.machines[2]
      await harness.cluster.node(gone.id)?.powerOff()
      let access = ClusterAccess(cluster: record, rotation: change)
      #expect(try await harness.driver.members(access).count == 3)
      _ = try await harness.driver.withKubernetes(access) {
        client async throws(DriverError) in await client.send("DELETE", "/api/v1/nodes/\(gone.id)")
      }
      #expect(
        try await harness.driver.members(access).map(\.id) == record.machines.prefix(2).map(\.id))
      #expect(await harness.hasLeft(gone, access))
      // Before a rotation nobody is left out because of silence.
      #expect(try await harness.driver.members(ClusterAccess(cluster: record)).count == 3)
      await harness.cluster.stop()
    }
  }
}
