import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  @Suite("What a start asks first")
  struct PreflightTests {
    @Test("A configuration that is tried or staged is found, and apply waits for it to be over")
    func pending() async throws {
      let harness = try await DriverHarness.start("127.1.85.0", controlPlanes: 1, workers: 1)
      let record = try await harness.importCluster()
      for machine in record.machines {
        let node = try #require(harness.cluster.node(machine.id))
        let original = await node.configuration
        // A comment is not a change.
        try await node.write(Array("# another\n".utf8) + original, mode: .staged)
        #expect(try await harness.findings(record, .talosCA) == [])
        let other = Array(
          String(decoding: original, as: UTF8.self).replacing("65535", with: "1024").utf8)
        #expect(other != original)
        for mode in [SimulatedNode.WriteMode.staged, .trial(.seconds(60))] {
          try await node.write(original)
          try await node.write(other, mode: mode)
          let findings = try await harness.findings(record, .talosCA)
          #expect(findings.map(\.kind) == [.pendingConfig] && findings[0].subject == machine.id)
          for component in SecretComponent.allCases {
            let change = try await harness.change(component, record)
            let access = ClusterAccess(cluster: record, rotation: change)
            let active = await node.configuration
            let error = await #expect(throws: DriverError.self) {
              try await harness.driver.apply(change, to: machine, access: access)
            }
            #expect(error?.code == .conflict && error?.sent == false)
            #expect(await node.configuration == active)
          }
        }
        try await node.write(original)
        #expect(try await harness.findings(record, .talosCA) == [])
      }
      await harness.cluster.stop()
    }

    @Test("A clock that is off by two minutes is found; one that reaches no time server is a note")
    func clocks() async throws {
      let harness = try await DriverHarness.start("127.1.86.0", controlPlanes: 1, workers: 1)
      let record = try await harness.importCluster()
      let access = ClusterAccess(cluster: record)
      for machine in record.machines {
        let node = try #require(harness.cluster.node(machine.id))
        for offset in [-120, 120] {
          await node.setFaults { $0.clockOffset = .seconds(offset) }
          let findings = try await harness.findings(record, .talosCA)
          #expect(
            findings.map(\.kind) == [.clock] && findings[0].subject == machine.id, "\(findings)")
          #expect(findings.first?.message.contains("clock") == true)
          #expect(!RotationOptions(removeForeign: true, allowUnready: true).allows(.clock))
        }
        // Less than a minute is none; the earliest clock is what a new CA may be stamped with.
        await node.setFaults { $0.clockOffset = .seconds(machine.role == .worker ? 20 : -20) }
        let preflight = try await harness.driver.preflight(
          .talosCA, options: RotationOptions(), access: access)
        #expect(preflight.findings.filter { $0.subject == machine.id } == [])
        if machine.role == .controlPlane {
          let earliest = try #require(preflight.earliestClock)
          let host = Instant(secondsSince1970: DriverHarness.now())
          #expect(earliest.duration(to: host) >= .seconds(19))
        }
        await node.setFaults { faults in
          faults = Faults()
          faults.timeServerDown = true
        }
        let silent = try await harness.driver.preflight(
          .talosCA, options: RotationOptions(), access: access)
        #expect(silent.findings == [])
        #expect(silent.notes.contains { $0.contains(machine.id) && $0.contains("clock") })
        await node.setFaults { $0 = Faults() }
      }
      await harness.cluster.stop()
    }

    @Test("What is unwell before is named, and not waited for when that is allowed")
    func unready() async throws {
      let harness = try await DriverHarness.start("127.1.87.0", controlPlanes: 2, workers: 1)
      let record = try await harness.importCluster()
      let (plane, worker) = (harness.cluster.nodes[1], harness.cluster.nodes[2])
      await worker.setFaults { $0.notReady = true }
      await plane.setFaults { $0.controllerManagerDown = true }
      _ = await harness.cluster.settle()
      let preflight = try await harness.driver.preflight(
        .kubernetesCA, options: RotationOptions(), access: ClusterAccess(cluster: record))
      #expect(Set(preflight.findings.map(\.kind)) == [.unready])
      #expect(
        preflight.unready == ["node/\(worker.name)", "pod/kube-controller-manager-\(plane.name)"])
      #expect(Set(preflight.findings.map(\.subject)) == [worker.name, plane.name])
      #expect(preflight.obstacles(RotationOptions(allowUnready: true)) == [])
      var change = try await harness.change(.kubernetesCA, record)
      change.options = RotationOptions(allowUnready: true, unready: preflight.unready)
      for phase in RotationPhase.allCases {
        change.phase = phase
        let open = try await harness.runStage(change, record)
        #expect(open == [])
      }
      await harness.cluster.stop()
    }

    @Test("Nodes without a machine and members that one control plane does not know are found")
    func coverage() async throws {
      let harness = try await DriverHarness.start("127.1.88.0", controlPlanes: 2, workers: 2)
      let record = try await harness.importCluster()
      await harness.cluster.setStrayNodes([StrayNode(name: "stray-1", address: "192.0.2.7")])
      var findings = try await harness.findings(record, .kubernetesCA)
      #expect(findings.map(\.kind) == [.unmanagedNode] && findings[0].subject == "stray-1")
      #expect(RotationOptions(allowUnmanagedNodes: true).allows(.unmanagedNode))
      #expect(try await harness.discovered().warnings.contains { $0.contains("stray-1") })
      await harness.cluster.setStrayNodes([])
      let hidden = harness.cluster.nodes[3]
      for plane in harness.cluster.nodes.prefix(2) {
        await plane.setMemberLies([.hide(hidden.name)])
        findings = try await harness.findings(record, .talosCA)
        #expect(
          findings.contains { $0.kind == .notCovered && $0.subject == hidden.name }, "\(findings)")
        let refusal = try #require(await harness.refusal())
        #expect(refusal.code == .conflict && refusal.message.contains(hidden.name))
        await plane.setMemberLies([])
      }
      // Nobody knows it, but its address is an endpoint of the talosconfig.
      await harness.cluster.setMemberLies([.hide(hidden.name)])
      var outside = record
      outside.machines.removeLast()
      outside.endpoints.append("\(hidden.address):\(harness.cluster.port)")
      findings = try await harness.findings(outside, .talosCA)
      #expect(
        findings.contains { $0.kind == .notCovered && $0.message.contains(hidden.nodeID) },
        "\(findings)")
      // Its Kubernetes node gives it away as well, at the start and at the last gate.
      outside.endpoints.removeLast()
      findings = try await harness.findings(outside, .kubernetesCA)
      #expect(findings.map(\.kind) == [.unmanagedNode] && findings[0].subject == hidden.name)
      let change = try await harness.change(.talosCA, outside)
      #expect(try await harness.runStage(change, outside) == [])
      var last = change
      last.phase = .postRotate
      let report = await harness.driver.verifyCluster(
        last, baselines: [:], access: ClusterAccess(cluster: outside, rotation: last))
      #expect(
        report.cluster.contains {
          $0.name == "coverage" && $0.state == .failed && $0.detail.contains(hidden.name)
        })
      await harness.cluster.stop()
    }

    @Test("An expired Kubernetes CA is refused with its date, an expired Talos CA at the import")
    func expired() async throws {
      let harness = try await DriverHarness.start("127.1.89.0", controlPlanes: 1, workers: 0) {
        $0.kubernetesCALifetime = .zero
      }
      let record = try await harness.importCluster()
      let sealed = try #require(record.authorities[.kubernetesCA])
      let ends = try #require(harness.driver.describe(sealed)?.notAfter)
      for component in SecretComponent.allCases {
        let findings = try await harness.findings(record, component)
        #expect(
          findings.contains { $0.kind == .expiredAuthority && $0.message.contains("\(ends)") },
          "\(findings)")
      }
      await harness.cluster.stop()
      let late = try await DriverHarness.start("127.1.90.0", controlPlanes: 1, workers: 0) {
        $0.talosCALifetime = .zero
      }
      let refusal = try #require(await late.refusal())
      #expect(refusal.code == .unauthenticated && refusal.message.contains("expired on"))
      await late.cluster.stop()
    }

    @Test("A machine that is off is named, a control plane with its address")
    func off() async throws {
      let harness = try await DriverHarness.start("127.0.106.0", controlPlanes: 2, workers: 1)
      let record = try await harness.importCluster()
      for index in [0, 2] {
        let node = harness.cluster.nodes[index]
        await node.powerOff()
        let findings = try await harness.findings(record, .talosCA)
        #expect(
          findings.contains {
            $0.kind == .unreachable && $0.subject == node.name
              && $0.message.contains(node.isControlPlane ? node.address : node.name)
          }, "\(findings)")
        try await node.powerOn()
        _ = await harness.cluster.settle()
      }
      await harness.cluster.stop()
    }
  }
}
