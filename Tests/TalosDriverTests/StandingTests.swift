import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  @Suite("Records that are older than their machines, and what machines call themselves")
  struct StandingTests {
    @Test(
      "A record from before a rotation is outdated and starts nothing; the new one is current and clean",
      arguments: SecretComponent.allCases)
    func outdated(component: SecretComponent) async throws {
      let harness = try await DriverHarness.start(
        component == .talosCA ? "127.1.81.0" : "127.1.82.0", controlPlanes: 2, workers: 1)
      let record = try await harness.importCluster()
      #expect(await harness.driver.standing(ClusterAccess(cluster: record)) == .current)
      #expect(try await harness.findings(record, component) == [])
      let (change, open) = try await harness.rotate(component, record)
      #expect(open == [])
      guard
        case .outdated(component, let text) = await harness.driver.standing(
          ClusterAccess(cluster: record))
      else {
        Issue.record("the old record counts as current")
        return
      }
      #expect(text.contains("rotated since") && text.contains("demo"))
      do throws(DriverError) {
        let preflight = try await harness.driver.preflight(
          component, options: RotationOptions(), access: ClusterAccess(cluster: record))
        let kinds = Set(preflight.findings.map(\.kind))
        #expect(kinds.isSuperset(of: [component == .talosCA ? .unreachable : .rotatedElsewhere]))
        #expect(preflight.findings.contains { $0.message.contains("rotated since") })
      } catch {
        #expect(error.message.contains("rotated since"), "\(error.message)")
      }
      var renewed = record
      renewed.authorities[component] = change.new
      #expect(await harness.driver.standing(ClusterAccess(cluster: renewed)) == .current)
      for other in SecretComponent.allCases {
        #expect(try await harness.findings(renewed, other) == [])
      }
      await harness.cluster.nodes[0].powerOff()
      await harness.cluster.nodes[1].powerOff()
      guard case .unknown = await harness.driver.standing(ClusterAccess(cluster: renewed)) else {
        Issue.record("machines that are off say something")
        return
      }
      await harness.cluster.stop()
    }

    @Test(
      "A member with an absurd name is refused by its node id, without a character that steers a terminal",
      arguments: [
        "w\u{202E}gnp", "w\u{1B}[2J", "w\u{9B}31m", "w\nSUCCEEDED", "w\u{2066}x", "w\u{0}x",
        "../../etc",
        String(repeating: "x", count: 100_000), "a b",
      ])
    func absurd(name: String) async throws {
      let harness = try await DriverHarness.start("127.1.83.0", controlPlanes: 1, workers: 1)
      let record = try await harness.importCluster()
      let worker = harness.cluster.nodes[1]
      await harness.cluster.setMemberLies([.change(worker.name) { $0.hostname = name }])
      let refusal = try #require(await harness.refusal())
      let members = await #expect(throws: DriverError.self) {
        try await harness.driver.members(ClusterAccess(cluster: record))
      }
      for error in [refusal, try #require(members)] {
        #expect(error.code == .refused && error.message.contains(worker.nodeID))
        #expect(error.message.utf8.count < 2_000)
        #expect(error.message == PeerText.clean(error.message))
      }
      await harness.cluster.stop()
    }

    @Test("A cluster without Kubernetes is imported with the Talos CA alone, and rotates it")
    func withoutKubernetes() async throws {
      let harness = try await DriverHarness.start(
        "127.1.84.0", layout: .multidoc, controlPlanes: 2, workers: 1
      ) { $0.withoutKubernetes = true }
      let found = try await harness.discovered()
      #expect(Set(found.record.authorities.keys) == [.talosCA])
      #expect(found.warnings.contains { $0.contains("no Kubernetes") })
      #expect(try await harness.findings(found.record, .talosCA) == [])
      let (change, open) = try await harness.rotate(.talosCA, found.record)
      #expect(open == [])
      var record = found.record
      record.authorities[.talosCA] = change.new
      #expect(try await harness.findings(record, .talosCA) == [])
      #expect(await harness.driver.standing(ClusterAccess(cluster: record)) == .current)
      await harness.cluster.stop()
    }
  }
}
