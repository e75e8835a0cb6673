import Crypto
import Encodings
import Orchestrator
import Rotation
import Testing

@testable import TalosDriver

@Suite("What a machine config says beside its authorities")
struct MachineConfigFactsTests {
  private func config(_ text: String) throws -> MachineConfig {
    try MachineConfig(Array(text.utf8))
  }

  @Test("Virtual addresses of interfaces, VLANs and documents are found, none twice")
  func virtualAddresses() throws {
    let config = try config(
      """
      machine:
        type: controlplane
        network:
          interfaces:
            - interface: eth0
              vip: {ip: 10.0.0.9}
              vlans:
                - vlanId: 7
                  vip: {ip: "fd00::9"}
                - vlanId: 8
            - interface: eth1
      cluster: {id: abc=}
      ---
      apiVersion: v1alpha1
      kind: Layer2VIPConfig
      name: 10.0.0.10
      link: eth0
      ---
      apiVersion: v1alpha1
      kind: HCloudVIPConfig
      name: 10.0.0.9
      ---
      apiVersion: v1alpha1
      kind: HostnameConfig
      name: 10.0.0.99
      """)
    #expect(config.virtualAddresses == ["10.0.0.9", "fd00::9", "10.0.0.10"])
    #expect(config.clusterID == "abc=")
    #expect(try self.config("machine: {}\n").virtualAddresses.isEmpty)
    #expect(try self.config("machine: {}\n").clusterID == nil)
    let multi = "machine: {}\n---\nkind: DiscoveryIdentityConfig\nclusterID: xyz=\n"
    #expect(try self.config(multi).clusterID == "xyz=")
  }

  @Test(
    "Two texts of one meaning mean the same",
    arguments: [
      "machine: {type: worker, token: abc}\n---\nkind: B\nb: [1, two]\n---\nkind: A\na: true\n",
      "---\nkind: A # first\na: True\n---\nkind: B\nb:\n- 1\n- 'two'\n---\n# m\nmachine:\n  token: \"abc\"\n"
        + "  type: worker\n",
      "x-t: null\nmachine: {type: &t worker, token: abc}\n---\n---\nkind: A\na: true\n---\nkind: B\nb: [1, "
        + "\"two\"]\n",
    ])
  func same(text: String) throws {
    let first = try config(
      "machine:\n  type: worker\n  token: abc\n---\nkind: A\na: true\n---\nkind: B\nb: [1, two]\n")
    #expect(try first.means(sameAs: config(text)))
    #expect(try config(text).means(sameAs: first))
  }

  @Test(
    "Two texts of another meaning do not",
    arguments: [
      "machine: {type: worker, token: abc}\nx: [1, 3]\n",
      "machine: {type: worker, token: abd}\nx: [1, 2]\n",
      "machine: {type: worker, token: abc}\nx: [2, 1]\n",
      "machine: {type: worker, token: abc}\nx: [1, 2]\n---\nkind: A\n",
      "machine: {type: worker, token: abc, more: 1}\nx: [1, 2]\n",
      "machine: {type: worker}\nx: [1, 2]\n",
    ])
  func different(text: String) throws {
    let first = try config("machine: {type: worker, token: abc}\nx: [1, 2]\n")
    #expect(try !first.means(sameAs: config(text)))
    #expect(try !config(text).means(sameAs: first))
  }

  @Test("Six stars in a value that is no secret are that value")
  func stars() throws {
    let authorities = try Authorities(.talosCA)
    let config = ConfigFixtures.make(
      .talosCA, .controlPlane, .legacy, .generated, issuing: authorities.old,
      other: authorities.other)
    let hints = "machine:\n    env:\n        HINT: \"******\"\n        MORE: ['******']\n"
    let text =
      config.text.replacing("machine:\n", with: hints) + "---\nkind: Other\nkey: '******'\n"
    let wanted = authorities.wanted(.talosCA, .preRotate, .controlPlane)
    let result = try MachineConfigEditor.apply(wanted, to: Array(text.utf8))
    #expect(String(decoding: result.bytes, as: UTF8.self).contains(hints))
    let secrets = [
      "machine: {registries: {config: {r.io: {auth: {password: '******'}}}}}\n",
      "machine: {network: {interfaces: [{wireguard: {privateKey: '******'}}]}}\n",
      "machine: {}\n---\nkind: HCloudVIPConfig\napiToken: '******'\n",
      "machine: {ca: {key: KioqKioq}}\n",
    ]
    for text in secrets {
      let error = #expect(throws: DriverError.self) { try MachineConfig(Array(text.utf8)) }
      #expect(error?.message.contains("redacted") == true, "\(text)")
    }
  }

  @Test("A control plane without Kubernetes has a Talos CA and no Kubernetes CA")
  func withoutKubernetes() throws {
    let authorities = try Authorities(.talosCA)
    let full = ConfigFixtures.make(
      .talosCA, .controlPlane, .legacy, .generated, issuing: authorities.old,
      other: authorities.other)
    #expect(try MachineConfig(full.bytes).hasKubernetes)
    let ca =
      "    ca:\n        crt: \(Base64.encode(authorities.other.certificate.pem))\n"
      + "        key: \(Base64.encode(authorities.other.key.pem))\n"
    try #require(full.text.contains(ca))
    let section = try #require(full.text.ranges(of: "cluster:\n").first?.lowerBound)
    for text in [full.text.replacing(ca, with: ""), String(full.text[..<section])] {
      let config = try config(text)
      #expect(try !config.hasKubernetes)
      #expect(try config.trust(.talosCA).issuing == authorities.old.certificate)
      let error = #expect(throws: DriverError.self) { try config.trust(.kubernetesCA) }
      #expect(error?.message == "this control plane has no Kubernetes CA")
    }
    let multi = ConfigFixtures.make(
      .talosCA, .worker, .multiDocument, .generated, issuing: authorities.old,
      other: authorities.other)
    #expect(try MachineConfig(multi.bytes).hasKubernetes)
  }

  @Test("A configuration that cannot be read says that Talos may read it, and what to do")
  func unreadable() {
    let error = #expect(throws: DriverError.self) {
      try MachineConfig(Array("machine:\n  a: &\u{E4} c\n".utf8))
    }
    #expect(error?.message.contains("line 2") == true)
    #expect(error?.message.contains("Talos may read it") == true)
    #expect(error?.message.contains("double quotes") == true)
    #expect(error?.message.contains("rename it") == true)
  }
}
