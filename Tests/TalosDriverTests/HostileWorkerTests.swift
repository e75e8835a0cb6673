import Crypto
import Encodings
import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  @Suite("A worker that says it is a control plane")
  struct HostileWorkerTests {
    private func lie(_ worker: SimulatedNode, _ harness: DriverHarness) async {
      let port = harness.cluster.kubernetesPort
      await harness.cluster.setMemberLies([
        .change(worker.name) {
          $0.type = .controlPlane
          $0.apiServerPort = port
        }
      ])
    }

    @Test(
      "By discovery, by its configuration or by both: no import, no member, no key",
      arguments: [nil, SimulatedNode.ClaimedKey.none, .wrong], ClusterOptions.Layout.allCases)
    func claims(key: SimulatedNode.ClaimedKey?, layout: ClusterOptions.Layout) async throws {
      let kind = key.map { $0 == .none ? 1 : 2 } ?? 0
      let subnet = 74 + kind * 2 + (layout == .legacy ? 0 : 1)
      let harness = try await DriverHarness.start(
        "127.1.\(subnet).0", layout: layout, controlPlanes: 2, workers: 1)
      let record = try await harness.importCluster()
      let worker = harness.cluster.nodes[2]
      try await worker.claimControlPlane(key)
      for isListed in key == nil ? [true] : [false, true] {
        if isListed { await lie(worker, harness) }
        let refusal = try #require(await harness.refusal())
        // Without any entry for the Kubernetes CA the configuration is no control plane's at all.
        #expect(
          refusal.code == .conflict
            || (key == SimulatedNode.ClaimedKey.none && refusal.code == .invalidConfig))
        #expect(refusal.message.contains(worker.name), "\(refusal.message)")
        for component in SecretComponent.allCases {
          var change = try await harness.change(component, record)
          for phase in RotationPhase.allCases {
            change.phase = phase
            let access = ClusterAccess(cluster: record, rotation: change)
            if isListed {
              let error = await #expect(throws: DriverError.self) {
                try await harness.driver.members(access)
              }
              #expect(error?.code == .conflict)
              #expect(error?.message.contains(worker.name) == true)
            } else {
              #expect(try await harness.driver.members(access) == record.machines)
            }
            var believed = record.machines[2]
            if key != nil {
              // Known as the worker that it is, and taken for what it says.
              await refused(change, believed, access, harness)
            }
            believed.role = .controlPlane
            await refused(change, believed, access, harness)
          }
          let preflight = try? await harness.driver.preflight(
            component, options: RotationOptions(), access: ClusterAccess(cluster: record))
          #expect(preflight.map { !$0.obstacles(RotationOptions()).isEmpty } ?? true)
        }
      }
      #expect(await worker.received == [])
      await harness.cluster.stop()
    }

    @Test(
      "With the leaked key of the CA it is no control plane either, because the record has it as a worker"
    )
    func stolenKey() async throws {
      let harness = try await DriverHarness.start("127.1.110.0", controlPlanes: 2, workers: 1)
      let record = try await harness.importCluster()
      let worker = harness.cluster.nodes[2]
      await worker.claimControlPlane(showing: await harness.cluster.nodes[0].configuration)
      await lie(worker, harness)
      for component in SecretComponent.allCases {
        var change = try await harness.change(component, record)
        for phase in RotationPhase.allCases {
          change.phase = phase
          let access = ClusterAccess(cluster: record, rotation: change)
          let error = await #expect(throws: DriverError.self) {
            try await harness.driver.members(access)
          }
          #expect(error?.code == .conflict)
          #expect(error?.message.contains("has it as a worker") == true)
          await refused(change, record.machines[2], access, harness)
        }
      }
      #expect(await worker.received == [])
      await harness.cluster.stop()
    }

    private func refused(
      _ change: TrustChange, _ machine: Machine, _ access: ClusterAccess, _ harness: DriverHarness
    ) async {
      let error = await #expect(throws: DriverError.self) {
        try await harness.driver.apply(change, to: machine, access: access)
      }
      #expect(error?.sent == false, "\(String(describing: error))")
      #expect(error?.code == .conflict || error?.code == .invalidConfig)
    }

    @Test("A CA that a worker has made up is an intruder's, not another rotation, and is taken out")
    func inventedCA() async throws {
      let harness = try await DriverHarness.start("127.1.109.0", controlPlanes: 1, workers: 1)
      let record = try await harness.importCluster()
      let worker = harness.cluster.nodes[1]
      let ca = try ForeignCA(.talos, organization: "mallory")
      let own = try #require(record.authorities[.talosCA]).certificatePEM
      let before = String(decoding: await worker.configuration, as: UTF8.self)
      let after = before.replacing(
        Base64.encode(own), with: Base64.encode(ca.certificate + own))
      #expect(after != before)
      try await worker.write(Array(after.utf8))
      _ = await harness.cluster.settle()
      let findings = try await harness.findings(record, .talosCA)
      #expect(findings.map(\.kind) == [.foreignAuthority], "\(findings)")
      #expect(findings.first?.message.contains(ca.fingerprint.prefix(12)) == true)

      var change = try await harness.change(.talosCA, record)
      let access = ClusterAccess(cluster: record, rotation: change)
      let error = await #expect(throws: DriverError.self) {
        try await harness.driver.apply(change, to: record.machines[1], access: access)
      }
      #expect(error?.code == .conflict)
      change.options.removeForeign = true
      #expect(try await harness.runStage(change, record) == [])
      let config = try MachineConfig(await worker.configuration)
      #expect(try config.trust(.talosCA).written.count == 2)
      await harness.cluster.stop()
    }

    @Test("A control plane that joins with the key is a member, without it a conflict")
    func joins() async throws {
      let harness = try await DriverHarness.start("127.1.80.0", controlPlanes: 2, workers: 0)
      let record = try await harness.importCluster()
      var before = record
      before.machines.removeLast()
      for phase in RotationPhase.allCases {
        var change = try await harness.change(.talosCA, record)
        change.phase = phase
        let access = ClusterAccess(cluster: before, rotation: change)
        guard phase == .postRotate else {
          #expect(try await harness.driver.members(access) == record.machines)
          continue
        }
        // From now on the retired CA's key proves nothing: whoever it leaked to would be given the new one.
        #expect(try await harness.driver.members(access) == before.machines)
        let report = await harness.driver.verifyCluster(change, baselines: [:], access: access)
        let coverage = report.cluster.first { $0.isNamed(.coverage) }
        #expect(coverage?.state == .failed)
        #expect(coverage?.detail.contains(record.machines[1].id) == true)
      }
      await harness.cluster.stop()
    }
  }
}
