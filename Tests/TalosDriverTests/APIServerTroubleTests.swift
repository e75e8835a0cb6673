import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  @Suite("API servers that answer with errors, or not at all")
  struct APIServerTroubleTests {
    @Test(
      "One API server that answers with an error hides no other",
      arguments: [403, 429, 500, 503])
    func oneErrs(status: Int) async throws {
      let harness = try await DriverHarness.start("127.1.160.0", controlPlanes: 2, workers: 1)
      let record = try await harness.importCluster()
      let access = ClusterAccess(cluster: record)
      await harness.cluster.nodes[0].setFaults { $0.apiServerStatus = status }
      #expect(try await harness.driver.nodes(access).get().count == 3)
      let (plane, worker) = (record.machines[0], record.machines[2])
      #expect(try await harness.driver.mirrorPods(on: plane.id, plane, access).count == 3)
      let preflight = try await harness.driver.preflight(
        .kubernetesCA, options: RotationOptions(), access: access)
      #expect(preflight.findings.map(\.kind) == [.unready], "\(preflight.findings)")
      #expect(preflight.findings.map(\.subject) == [plane.id])
      await harness.cluster.node(worker.id)?.powerOff()
      let answer = try await harness.driver.withKubernetes(access, preferring: record.machines[1]) {
        client async throws(DriverError) in
        await client.send("DELETE", "/api/v1/nodes/\(worker.id)")
      }
      #expect(answer.summary == "HTTP 200")
      #expect(await harness.hasLeft(worker, access))
      await harness.cluster.stop()
    }

    @Test("Where all err, what one of them has answered is said")
    func allErr() async throws {
      let harness = try await DriverHarness.start("127.1.161.0", controlPlanes: 2, workers: 0)
      let record = try await harness.importCluster()
      await harness.cluster.nodes[0].setFaults { $0.apiServerStatus = 503 }
      await harness.cluster.nodes[1].setFaults { $0.apiServerDown = true }
      guard case .failure(let error) = await harness.driver.nodes(ClusterAccess(cluster: record))
      else {
        Issue.record("the nodes were listed")
        return
      }
      #expect(error.message.contains("HTTP 503"), "\(error.message)")
      await harness.cluster.stop()
    }

    @Test(
      "The Talos CA is rotated without any API server by whoever allows it, the Kubernetes CA is not"
    )
    func noneAnswers() async throws {
      let harness = try await DriverHarness.start("127.1.162.0", controlPlanes: 2, workers: 1)
      let record = try await harness.importCluster()
      let access = ClusterAccess(cluster: record)
      for node in harness.cluster.nodes.prefix(2) {
        await node.setFaults { $0.apiServerDown = true }
      }
      let allowed = RotationOptions(allowUnready: true)
      let kubernetes = try await harness.driver.preflight(
        .kubernetesCA, options: allowed, access: access)
      #expect(kubernetes.obstacles(allowed).map(\.kind) == [.unreachable])

      let preflight = try await harness.driver.preflight(.talosCA, options: allowed, access: access)
      #expect(preflight.findings.map(\.kind) == [.unready], "\(preflight.findings)")
      #expect(preflight.findings[0].message.contains("not compared with the nodes"))
      #expect(preflight.obstacles(allowed) == [])
      #expect(preflight.obstacles(RotationOptions()).count == 1)

      var change = try await harness.change(.talosCA, record)
      change.options = RotationOptions(allowUnready: true, unready: preflight.unready)
      for phase in RotationPhase.allCases {
        change.phase = phase
        #expect(try await harness.runStage(change, record) == [], "\(phase)")
      }
      let rotating = ClusterAccess(cluster: record, rotation: change)
      let coverage = await harness.driver.coverageChecks(change, rotating).check
      #expect(coverage.state == .passed && coverage.detail.contains("not compared"))
      // Without the permission of the start the gate stays shut.
      change.options = RotationOptions()
      #expect(await harness.driver.coverageChecks(change, rotating).check.state == .failed)
      // When an API server is back, the nodes are compared after all.
      await harness.cluster.nodes[0].setFaults { $0.apiServerDown = false }
      await harness.cluster.setStrayNodes([StrayNode(name: "stray-1", address: "192.0.2.7")])
      change.options = RotationOptions(allowUnready: true, unready: preflight.unready)
      let stray = await harness.driver.coverageChecks(change, rotating).check
      #expect(stray.state == .failed && stray.detail.contains("stray-1"))
      await harness.cluster.stop()
    }
  }
}
