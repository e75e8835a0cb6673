import Crypto
import Encodings
import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  @Suite("CAs on machines that are neither the old nor the new one")
  struct ForeignMachineTests {
    private func place(_ component: SecretComponent) -> TrustComponent {
      component == .talosCA ? .talos : .kubernetes
    }

    @Test(
      "One in a configuration is found before the start, with fingerprint, subject and machine",
      arguments: SecretComponent.allCases)
    func before(component: SecretComponent) async throws {
      let harness = try await DriverHarness.start(
        component == .talosCA ? "127.1.62.0" : "127.1.63.0", controlPlanes: 2, workers: 1)
      let record = try await harness.importCluster()
      for machine in [record.machines[1], record.machines[2]] {
        let node = try #require(harness.cluster.node(machine.id))
        let ca = try ForeignCA(place(component), organization: "mallory")
        try await node.accept(ca, for: place(component))
        _ = await harness.cluster.settle()
        for rotated in SecretComponent.allCases {
          let findings = try await harness.findings(record, rotated)
          #expect(findings.map(\.kind) == [.foreignAuthority], "\(findings)")
          let finding = try #require(findings.first)
          #expect(finding.subject == machine.id)
          for word in [machine.id, String(ca.fingerprint.prefix(12)), "O=mallory"] {
            #expect(finding.message.contains(word), "\(word): \(finding.message)")
          }
          #expect(!RotationOptions().allows(finding.kind))
          #expect(RotationOptions(removeForeign: true).allows(finding.kind))
        }
        let warnings = try await harness.discovered().warnings
        #expect(warnings.contains { $0.contains(machine.id) && $0.contains("O=mallory") })
        try await node.drop(ca.fingerprint, for: place(component))
        _ = await harness.cluster.settle()
      }
      #expect(try await harness.findings(record, component) == [])
      await harness.cluster.stop()
    }

    @Test(
      "One that is added in mid-rotation fails the check with its name, and goes when that is asked for",
      arguments: SecretComponent.allCases)
    func amid(component: SecretComponent) async throws {
      let harness = try await DriverHarness.start(
        component == .talosCA ? "127.1.64.0" : "127.1.65.0", controlPlanes: 1, workers: 1)
      let record = try await harness.importCluster()
      var change = try await harness.change(component, record)
      #expect(try await harness.runStage(change, record) == [])
      for phase in [RotationPhase.rotate, .postRotate] {
        change.phase = phase
        change.options = RotationOptions()
        for machine in record.machines {
          let node = try #require(harness.cluster.node(machine.id))
          let access = ClusterAccess(cluster: record, rotation: change)
          try await harness.applied(change, to: machine, access)
          #expect(await harness.verified(change, machine, record).filter { !$0.isSettled } == [])
          let ca = try ForeignCA(place(component), organization: "mallory")
          try await node.accept(ca, for: place(component))
          _ = await harness.cluster.settle()
          let results = await harness.verified(change, machine, record, within: .seconds(1))
          let failed = results.filter { $0.state == .failed }
          #expect(failed.contains { ["accepted", "listed"].contains($0.name) }, "\(results)")
          for result in failed {
            #expect(result.detail.contains(ca.fingerprint.prefix(12)))
            #expect(result.detail.contains("O=mallory"))
          }
          let report = await harness.driver.verifyCluster(change, baselines: [:], access: access)
          #expect(report.machines[machine.id]?.contains { $0.state == .failed } == true)
          // Offering the same change again changes nothing; asked to take it out, the driver does.
          #expect(try await harness.driver.apply(change, to: machine, access: access) == .unchanged)
          change.options.removeForeign = true
          let removing = ClusterAccess(cluster: record, rotation: change)
          #expect(
            await harness.driver.verify(change, machine: machine, baseline: nil, access: removing)
              .contains { $0.name == CheckName.configApplied.rawValue && $0.state == .failed })
          #expect(try await harness.driver.apply(change, to: machine, access: removing) == .changed)
          #expect(await harness.verified(change, machine, record).filter { !$0.isSettled } == [])
          if component == .talosCA {
            let issuing = try harness.driver.keyring.certificate(change.new)
            let answer = await harness.intrude(machine, as: ca, trusting: [issuing])
            guard case .failure(.rejected) = answer else {
              Issue.record("\(machine.id) lets the removed CA's client in: \(answer)")
              continue
            }
          }
          change.options = RotationOptions()
        }
        #expect(await harness.gate(change, record).filter { !$0.isSettled } == [])
      }
      await harness.cluster.stop()
    }

    @Test("One that a trustd hands on, and no configuration lists, is found before and during")
    func handedOn() async throws {
      let harness = try await DriverHarness.start("127.1.66.0", controlPlanes: 1, workers: 1)
      let record = try await harness.importCluster()
      let (plane, worker) = (harness.cluster.nodes[0], harness.cluster.nodes[1])
      let ca = try ForeignCA(.talos, organization: "mallory")
      await plane.handOn([ca])
      await worker.refreshCertificates()
      _ = await harness.cluster.settle()
      let findings = try await harness.findings(record, .talosCA)
      #expect(findings.map(\.kind) == [.foreignAuthority] && findings[0].subject == worker.name)
      #expect(findings.first?.message.contains("trustd") == true)
      let change = try await harness.change(.talosCA, record)
      let access = ClusterAccess(cluster: record, rotation: change)
      for machine in record.machines {
        try await harness.applied(change, to: machine, access)
      }
      _ = await harness.cluster.settle()
      let results = await harness.verified(change, record.machines[1], record, within: .seconds(1))
      let failed = results.filter { $0.state == .failed }
      #expect(failed.map(\.name) == ["accepted"])
      #expect(failed.first?.detail.contains(ca.fingerprint.prefix(12)) == true)
      #expect(failed.first?.detail.contains("trustd") == true)
      await harness.cluster.stop()
    }

    @Test(
      "A list entry of several blocks counts block by block, and one that cannot be read is named")
    func blocks() async throws {
      let harness = try await DriverHarness.start("127.1.67.0", controlPlanes: 1, workers: 1)
      let record = try await harness.importCluster()
      let cas = try ["mallory", "trudy"].map { try ForeignCA(.talos, organization: $0) }
      for machine in record.machines {
        let node = try #require(harness.cluster.node(machine.id))
        let original = await node.configuration
        try await node.accept(cas[0], for: .talos)
        let listing = String(decoding: await node.configuration, as: UTF8.self)
        func list(_ pem: String) -> [UInt8] {
          Array(listing.replacing(Base64.encode(cas[0].certificate), with: Base64.encode(pem)).utf8)
        }
        try await node.write(list(cas.map(\.certificate).joined()))
        _ = await harness.cluster.settle()
        let findings = try await harness.findings(record, .talosCA)
        #expect(findings.map(\.kind) == [.foreignAuthority, .foreignAuthority], "\(findings)")
        for (finding, ca) in zip(findings, cas) {
          #expect(finding.message.contains(ca.fingerprint.prefix(12)))
        }
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        try await node.write(list(cas[0].certificate + broken))
        _ = await harness.cluster.settle()
        let unreadable = try await harness.findings(record, .talosCA)
        #expect(unreadable.contains { $0.kind == .uneditableConfig && $0.subject == machine.id })
        #expect(
          RotationOptions(removeForeign: true, allowUnready: true).allows(.uneditableConfig)
            == false)
        try await node.write(original)
        _ = await harness.cluster.settle()
      }
      #expect(try await harness.findings(record, .talosCA) == [])
      await harness.cluster.stop()
    }
  }
}

extension DriverHarness {
  func findings(
    _ record: ClusterRecord, _ component: SecretComponent
  ) async throws -> [Finding] {
    try await driver.preflight(
      component, options: RotationOptions(), access: ClusterAccess(cluster: record)
    ).findings
  }

  /// Calls a machine with a certificate of a foreign CA.
  func intrude(
    _ machine: Machine, as ca: ForeignCA, trusting roots: [Certificate]
  ) async -> Result<String, TalosFailure> {
    do {
      let authority = try Authority(certificatePEM: ca.certificate, keyPEM: ca.key)
      let identity = try authority.issue(.talosClient(), now: Self.now())
      return .success(
        try await TalosConnection.with(
          TalosEndpoint(host: machine.address, port: machine.port),
          TLSClient(identity: identity, roots: roots), timeout: .seconds(5)
        ) { rpc throws(TalosFailure) in
          try await TalosClient(rpc: rpc, node: nil, timeout: .seconds(5)).version()
        })
    } catch let failure as TalosFailure {
      return .failure(failure)
    } catch { return .failure(.unreachable("\(error)")) }
  }
}
