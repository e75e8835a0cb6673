import Testing

@testable import TalosSimulator

@Suite("Generated configs are what Talos accepts")
struct ConfigTemplateTests {
  @Test("Every machine's config decodes to the cluster's CAs", arguments: 0..<6)
  func legacy(index: Int) throws {
    for type in [MachineType.controlPlane, .worker] {
      let config = try Fixture.config(Fixture.template(type, index: index).render()).config
      #expect(config.type == type)
      #expect(config.layout == .legacy)
      #expect(config.talosCA?.certificate == Fixture.talos.certificate)
      #expect(config.talosCA?.key == (type.isControlPlane ? Fixture.talos.key : ""))
      #expect(config.kubernetesAccepted == [Fixture.kubernetes.certificate])
      #expect((config.kubernetesIssuing != nil) == type.isControlPlane)
      #expect(config.hostname == "demo-\(index)")
      #expect(config.endpoint == "https://127.0.20.1:6443")
      #expect(config.certificateSANs == ["127.0.20.\(index + 1)", "127.0.0.1"])
    }
  }

  @Test("The documents of Talos 1.14 decode to the same CAs", arguments: 0..<6)
  func multidoc(index: Int) throws {
    for type in [MachineType.controlPlane, .worker] {
      let text = Fixture.template(type, index: index, layout: .multidoc).render()
      let config = try Fixture.config(text, talosMinor: 14).config
      #expect(config.layout == .multidoc)
      #expect(config.kubernetesAccepted == [Fixture.kubernetes.certificate])
      #expect(config.kubernetesIssuing == (type.isControlPlane ? Fixture.kubernetes : nil))
      #expect(config.hostname == "demo-\(index)")
      #expect((config.aggregatorCA != nil) == type.isControlPlane)
    }
  }

  @Test("A CA document's issuing CA comes first among the accepted ones")
  func accepted() throws {
    let other = Fixture.otherKubernetes.certificate
    let block = other.split(separator: "\n").map { "    \($0)\n" }.joined()
    for type in [MachineType.controlPlane, .worker] {
      let text = Fixture.template(type, layout: .multidoc).render()
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      let start = try #require(lines.firstIndex(of: "kind: KubeAPIServerCAConfig"))
      let end = try #require(lines[start...].firstIndex(of: "---"))
      var document = lines[start..<end].joined(separator: "\n") + "\n"
      if !document.contains("acceptedCAs:") { document += "acceptedCAs:\n" }
      document += "  - |\n" + block
      document = document.replacing("    - |\n        ", with: "  - |\n        ")
      let edited =
        (lines[..<start] + [document + "---"] + lines[(end + 1)...]).joined(separator: "\n")
      let config = try Fixture.config(edited, talosMinor: 14).config
      #expect(config.kubernetesAccepted == [Fixture.kubernetes.certificate, other])
    }
  }

  @Test("A machine before 1.14 does not know the new documents")
  func tooOld() {
    let text = Fixture.template(layout: .multidoc).render()
    #expect(throws: ConfigRefusal.self) { try Fixture.config(text, talosMinor: 13) }
  }
}

@Suite("A machine refuses the configs that Talos refuses")
struct ConfigValidationTests {
  private func problems(_ text: String, talosMinor: Int = 13) -> String {
    do throws(ConfigRefusal) {
      _ = try MachineConfig(submitted: Array(text.utf8), talosMinor: talosMinor)
      return ""
    } catch { return error.message }
  }

  @Test("The smallest good configs pass")
  func good() {
    #expect(problems(Fixture.controlPlane()) == "")
    #expect(problems(Fixture.worker()) == "")
  }

  @Test("A control plane needs the Talos CA with its key")
  func controlPlaneKey() {
    let keyless = Fixture.controlPlane(
      ca: PEMPair(certificate: Fixture.talos.certificate, key: ""))
    #expect(problems(keyless).contains("issuing CA key is required for controlplane nodes"))
    let without = Fixture.controlPlane().split(separator: "\n").filter {
      !$0.hasPrefix("    crt") && !$0.hasPrefix("    key") && $0 != "  ca:"
    }.joined(separator: "\n")
    #expect(problems(without).contains("issuing CA or some accepted CAs are required"))
    #expect(problems(without).contains("issuing CA is required (.machine.ca)"))
  }

  @Test("A worker must not hold a CA's key")
  func workerKey() {
    let talos = Fixture.controlPlane().replacing("type: controlplane", with: "type: worker")
    #expect(
      problems(talos).contains(
        "issuing Talos API CA key is not allowed on non-controlplane nodes (.machine.ca)"))
    #expect(
      problems(talos).contains("cluster CA key is not allowed on non-controlplane nodes"))
  }

  @Test("A worker needs something to trust")
  func workerTrust() {
    let text = Fixture.worker(ca: PEMPair(certificate: "", key: ""))
    #expect(problems(text).contains("trusted CA certificates are required"))
    let accepted = Fixture.worker(
      ca: PEMPair(certificate: "", key: ""), accepted: [Fixture.talos])
    #expect(problems(accepted) == "")
  }

  @Test("Both layouts at once are refused")
  func bothLayouts() {
    let text =
      Fixture.controlPlane()
      + "---\napiVersion: v1alpha1\nkind: KubeAPIServerCAConfig\nacceptedCAs:\n  - |\n"
      + Fixture.kubernetes.certificate.split(separator: "\n").map { "    \($0)\n" }.joined()
    #expect(
      problems(text, talosMinor: 14).contains(
        "kube-apiserver CA is already set in v1alpha1 config (.cluster.ca)"))
  }

  @Test(
    "What cannot be decoded is refused, not guessed at",
    arguments: [
      ("machine: [", "decode error"),
      ("\u{1}", "decode error"),
      ("", "doesn't contain v1alpha1 config"),
      ("just text", "expected a YAML document"),
      ("apiVersion: v1alpha1\nkind: HostnameConfig\nhostname: a\n", "doesn't contain v1alpha1"),
      ("apiVersion: v1alpha1\nkind: NoSuchConfig\n", "not registered"),
      ("apiVersion: v1alpha1\nname: a\n", "missing kind"),
      ("kind: HostnameConfig\n", "missing apiVersion"),
      ("machine: {type: worker}\n---\nmachine: {type: worker}\n", "duplicate document"),
      ("machine: {type: worker, ca: {cert: x}}\n", "machine:\n    ca:\n        cert: x\n"),
      ("machine: {type: worker, acceptedCa: []}\n", "machine:\n    acceptedCa: []\n"),
      (
        "machine: {type: worker, acceptedCAs: [{cert: x}]}\n",
        "machine:\n    acceptedCAs:\n        - cert: x\n"
      ),
      ("machine: {type: toaster}\ncluster: {}\n", "unknown machine type \"toaster\""),
      ("version: v1alpha1\ndebug: false\n", "machine instructions are required"),
      ("machine: {type: worker, ca: {crt: '******'}}\n", "illegal base64"),
    ])
  func garbage(text: String, reason: String) {
    #expect(problems(text).contains(reason))
  }

  @Test("A CA document must hold PEM, and an issuing CA its key")
  func caDocument() {
    let base = Fixture.controlPlane().split(separator: "\n", omittingEmptySubsequences: false)
    guard let cluster = base.firstIndex(of: "cluster:") else { return #expect(Bool(false)) }
    let withoutCA =
      base[..<cluster].joined(separator: "\n")
      + "\ncluster:\n  controlPlane: {endpoint: \"https://127.0.20.1:6443\"}\n"
    let head = withoutCA + "---\napiVersion: v1alpha1\nkind: KubeAPIServerCAConfig\n"
    #expect(problems(head + "acceptedCAs: [x]\n", talosMinor: 14).contains("no PEM blocks found"))
    #expect(
      problems(head + "issuingCA: {cert: x}\n", talosMinor: 14).contains("key is required"))
    #expect(
      problems(head + "issuingCA: {crt: x, key: y}\n", talosMinor: 14).contains(
        "issuingCA:\n    crt: x\n"))
  }

  @Test("Certificates without a line break between them are lost, as they are on a machine")
  func joining() {
    let good = Fixture.talos.certificate
    let other = Fixture.otherTalos.certificate
    #expect(PEMText.certificates(joining: [good, other]) == [good, other])
    #expect(PEMText.certificates(joining: [String(good.dropLast()), other]) == [])
    #expect(PEMText.certificates(joining: ["junk\n" + good]) == [good])
    #expect(
      PEMText.certificates(joining: [good.replacing("\n", with: "\r\n"), other]) == [good, other])
    #expect(PEMText.blocks(Fixture.talos.key).map(\.label) == ["ED25519 PRIVATE KEY"])
  }
}
