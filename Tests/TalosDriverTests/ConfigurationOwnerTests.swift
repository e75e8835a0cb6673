import Orchestrator
import ProtoCodec
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

@Suite("Who owns the machines' configurations")
struct ConfigurationOwnerTests {
  private let machine = Machine(id: "cp-1", address: "10.0.0.1", role: .controlPlane)
  private let plain = "version: v1alpha1\nmachine:\n  type: controlplane\ncluster: {}\n"

  @Test("A machine that Omni manages is known by its document or its resource")
  func omni() throws {
    let document =
      plain
      + "---\napiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: https://omni.example.com\n"
    let byDocument = try #require(
      ConfigurationOwner.omni(machine, config: Array(document.utf8), endpoint: nil))
    #expect(byDocument.kind == .ownedConfig && byDocument.subject == "cp-1")
    #expect(byDocument.message.contains("Omni") && byDocument.message.contains("--owner-ack"))
    let byResource = try #require(
      ConfigurationOwner.omni(machine, config: Array(plain.utf8), endpoint: "omni.example.com:443"))
    #expect(byResource.message.contains("at omni.example.com:443"))
    #expect(ConfigurationOwner.omni(machine, config: Array(plain.utf8), endpoint: nil) == nil)
    // A configuration that cannot be read is somebody else's finding.
    #expect(
      ConfigurationOwner.omni(machine, config: Array("machine: [".utf8), endpoint: nil) == nil)
  }

  @Test("Nodes that Cluster API has made are known by their annotations")
  func clusterAPI() throws {
    func node(_ name: String, _ annotations: String) throws -> JSONValue {
      try JSONValue(
        parsing: Array(
          #"{"metadata": {"name": "\#(name)", "annotations": {\#(annotations)}}}"#.utf8))
    }
    let own = try node("a", #""node.alpha.kubernetes.io/ttl": "0""#)
    #expect(ConfigurationOwner.clusterAPI([]) == nil)
    #expect(ConfigurationOwner.clusterAPI([own]) == nil)
    let made = try node(
      "b", #""cluster.x-k8s.io/cluster-name": "prod", "cluster.x-k8s.io/machine": "b-1""#)
    let other = try node("c", #""cluster.x-k8s.io/owner-kind": "MachineSet""#)
    let finding = try #require(ConfigurationOwner.clusterAPI([own, made, other]))
    #expect(finding.kind == .ownedConfig)
    #expect(finding.message.contains("cluster prod") && finding.message.contains("b and 1 more"))
    #expect(finding.message.contains("prod-talos"))
    #expect(RotationOptions(acknowledgeOwner: true).allows(.ownedConfig))
    #expect(!RotationOptions().allows(.ownedConfig))
  }
}

extension LivingMachines {
  @Suite("A start where somebody else owns a configuration")
  struct OwnedConfigurationTests {
    @Test("A machine with Omni's document is found, before anything is touched")
    func refused() async throws {
      let harness = try await DriverHarness.start("127.1.84.0", controlPlanes: 1, workers: 1)
      let record = try await harness.importCluster()
      let worker = try #require(record.machines.last)
      let node = try #require(harness.cluster.node(worker.id))
      let document =
        "\n---\napiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: https://omni.example.com\n"
      try await node.write(await node.configuration + Array(document.utf8))
      let findings = try await harness.findings(record, .talosCA)
      #expect(findings.map(\.kind) == [.ownedConfig] && findings.first?.subject == worker.id)
      await harness.cluster.stop()
    }
  }
}
