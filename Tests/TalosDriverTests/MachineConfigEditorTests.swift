import Crypto
import Encodings
import Orchestrator
import Rotation
import Testing
import YAML

@testable import TalosDriver

/// One way of writing one kind of configuration.
struct ConfigCase: Sendable, CustomTestStringConvertible {
  var component: SecretComponent
  var role: MachineRole
  var layout: Layout
  var style: ConfigStyle

  static let all: [ConfigCase] = SecretComponent.allCases.flatMap { component in
    MachineRole.allCases.flatMap { role in
      Layout.allCases.flatMap { layout in
        ConfigStyle.allCases.map {
          ConfigCase(component: component, role: role, layout: layout, style: $0)
        }
      }
    }
  }

  var testDescription: String {
    "\(component.rawValue) \(role.rawValue) \(layout.rawValue) \(style.rawValue)"
  }

  func config(_ authorities: Authorities, accepted: [Certificate] = []) -> ConfigText {
    ConfigFixtures.make(
      component, role, layout, style, issuing: authorities.old, accepted: accepted,
      other: authorities.other)
  }
}

@Suite("Editing the CA fields of machine configs")
struct MachineConfigEditorTests {
  /// Everything an edited configuration has to be.
  private func check(
    _ edited: [UInt8], _ original: ConfigText, _ wanted: WantedTrust, _ kind: ConfigCase,
    foreign: [Certificate] = []
  ) throws {
    let text = String(decoding: edited, as: UTF8.self)
    #expect(text.hasPrefix(original.before), "what stands before the CA fields has changed")
    #expect(text.hasSuffix(original.after), "what stands behind the CA fields has changed")
    let config = try MachineConfig(edited)
    let trust = try config.trust(kind.component)
    #expect(trust.accepted == Set(wanted.accepted + foreign))
    #expect(Set(trust.listed).count == trust.listed.count)
    if kind.role == .controlPlane {
      #expect(trust.issuing == wanted.issuing)
      #expect(trust.issuingKey?.unprotectedText == wanted.issuingKey?.unprotectedText)
      #expect(trust.listed.contains(wanted.issuing) == false)
    }
    let second = try MachineConfigEditor.apply(wanted, to: edited)
    #expect(second == .init(bytes: edited, changed: false), "a second edit changes something")
    // The other component is as it was.
    let other: SecretComponent = kind.component == .talosCA ? .kubernetesCA : .talosCA
    let before = try MachineConfig(original.bytes).trust(other)
    #expect(try config.trust(other).accepted == before.accepted)
  }

  @Test("Every stage holds what it should and touches nothing else", arguments: ConfigCase.all)
  func stages(kind: ConfigCase) throws {
    let authorities = try Authorities(kind.component)
    let original = kind.config(authorities)
    var bytes = original.bytes
    for phase in RotationPhase.allCases {
      let wanted = authorities.wanted(kind.component, phase, kind.role)
      let result = try MachineConfigEditor.apply(wanted, to: bytes)
      #expect(result.changed)
      bytes = result.bytes
      try check(bytes, original, wanted, kind)
    }
  }

  @Test(
    "A whole rotation gives the config that the new CA would have had", arguments: ConfigCase.all)
  func whole(kind: ConfigCase) throws {
    guard kind.style != .nullList else { return }
    let authorities = try Authorities(kind.component)
    var bytes = kind.config(authorities).bytes
    for phase in RotationPhase.allCases {
      let wanted = authorities.wanted(kind.component, phase, kind.role)
      bytes = try MachineConfigEditor.apply(wanted, to: bytes).bytes
    }
    let renewed = ConfigFixtures.make(
      kind.component, kind.role, kind.layout, kind.style, issuing: authorities.new,
      other: authorities.other)
    #expect(String(decoding: bytes, as: UTF8.self) == renewed.text)
  }

  @Test(
    "From any state to any other, there and back",
    arguments: ConfigCase.all.filter { $0.style != .nullList && $0.style != .handwritten })
  func anyToAny(kind: ConfigCase) throws {
    let authorities = try Authorities(kind.component)
    let original = kind.config(authorities)
    var targets: [WantedTrust] = []
    for phase in RotationPhase.allCases {
      for direction in RotationDirection.allCases {
        targets.append(authorities.wanted(kind.component, phase, kind.role, direction))
      }
    }
    for first in targets {
      let middle = try MachineConfigEditor.apply(first, to: original.bytes).bytes
      try check(middle, original, first, kind)
      for second in targets {
        let result = try MachineConfigEditor.apply(second, to: middle).bytes
        try check(result, original, second, kind)
      }
    }
  }

  @Test("Authorities that others accept are kept, wherever they stand", arguments: ConfigCase.all)
  func foreign(kind: ConfigCase) throws {
    let authorities = try Authorities(kind.component)
    let lists: [[Certificate]] = [
      [authorities.foreign.certificate],
      [authorities.foreign.certificate, authorities.new.certificate],
      [authorities.new.certificate, authorities.foreign.certificate],
    ]
    for list in lists {
      let original = kind.config(authorities, accepted: list)
      var bytes = original.bytes
      for phase in RotationPhase.allCases {
        let wanted = authorities.wanted(kind.component, phase, kind.role)
        bytes = try MachineConfigEditor.apply(wanted, to: bytes).bytes
        try check(bytes, original, wanted, kind, foreign: [authorities.foreign.certificate])
      }
    }
  }

  @Test(
    "Line endings, a byte order mark and a missing last line break stay",
    arguments: ConfigCase.all.filter { $0.style != .flow })
  func bytesAround(kind: ConfigCase) throws {
    let authorities = try Authorities(kind.component)
    let plain = kind.config(authorities)
    func crlf(_ text: String) -> String {
      text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
    }
    let windows = ConfigText(
      before: crlf(plain.before), fields: crlf(plain.fields), after: crlf(plain.after))
    let marked = ConfigText(
      before: "\u{FEFF}" + plain.before, fields: plain.fields, after: plain.after)
    let open = ConfigText(
      before: plain.before, fields: plain.fields, after: String(plain.after.dropLast()))
    for original in [windows, marked, open] {
      var bytes = original.bytes
      for phase in RotationPhase.allCases {
        let wanted = authorities.wanted(kind.component, phase, kind.role)
        bytes = try MachineConfigEditor.apply(wanted, to: bytes).bytes
        try check(bytes, original, wanted, kind)
      }
      let text = String(decoding: bytes, as: UTF8.self)
      #expect(text.unicodeScalars.contains("\r") == (original.text == windows.text))
      if original.text == windows.text {
        #expect(text.replacing("\r\n", with: "").unicodeScalars.contains("\n") == false)
      }
    }
  }

  @Test("The same certificate in another text is no other certificate")
  func comparedByDER() throws {
    let kind = ConfigCase(
      component: .talosCA, role: .controlPlane, layout: .legacy, style: .generated)
    let authorities = try Authorities(.talosCA)
    let original = kind.config(authorities, accepted: [authorities.new.certificate])
    let unended = String(authorities.new.certificate.pem.dropLast())
    let other = original.text.replacing(
      Base64.encode(authorities.new.certificate.pem), with: Base64.encode("# note\n" + unended))
    #expect(other != original.text)
    let wanted = authorities.wanted(.talosCA, .preRotate, .controlPlane)
    // Another entry follows this one, so it gets a line break, and nothing else.
    let ended = other.replacing(
      Base64.encode("# note\n" + unended), with: Base64.encode("# note\n" + unended + "\n"))
    let result = try MachineConfigEditor.apply(wanted, to: Array(other.utf8))
    #expect(String(decoding: result.bytes, as: UTF8.self) == ended)
    #expect(
      try MachineConfigEditor.apply(wanted, to: result.bytes)
        == .init(bytes: result.bytes, changed: false))
  }

  @Test("Values that Talos gets end in a line break")
  func pemEndsInNewline() throws {
    for kind in ConfigCase.all where kind.style == .generated {
      let authorities = try Authorities(kind.component)
      let wanted = authorities.wanted(kind.component, .preRotate, kind.role)
      let bytes = try MachineConfigEditor.apply(wanted, to: kind.config(authorities).bytes).bytes
      let config = try MachineConfig(bytes)
      switch try config.place(of: kind.component) {
      case .section(let name):
        let item = config.root.node(at: [.key(name), "acceptedCAs", 0, "crt"])?.text ?? ""
        #expect(Base64.decode(item)?.last == UInt8(ascii: "\n"))
      case .document(let index):
        let items = config.documents[index]["acceptedCAs"]?.items ?? []
        #expect(!items.isEmpty && items.allSatisfy { $0.text?.hasSuffix("-----\n") == true })
      }
    }
  }

  @Test("A repeated authority can be listed and taken out again")
  func repeated() throws {
    for kind in ConfigCase.all where kind.component == .talosCA && kind.role == .worker {
      let authorities = try Authorities(.talosCA)
      for phase in RotationPhase.allCases {
        let wanted = authorities.wanted(.talosCA, phase, .worker)
        let before = try MachineConfigEditor.apply(wanted, to: kind.config(authorities).bytes)
        var twice = wanted
        twice.repeatsIssuing = true
        let repeated = try MachineConfigEditor.apply(twice, to: before.bytes)
        #expect(repeated.changed)
        let trust = try MachineConfig(repeated.bytes).trust(.talosCA)
        #expect(trust.listed.contains(wanted.issuing) && trust.accepted == Set(wanted.accepted))
        let back = try MachineConfigEditor.apply(wanted, to: repeated.bytes)
        let listed = try MachineConfig(before.bytes).trust(.talosCA).listed
        #expect(try back.changed && MachineConfig(back.bytes).trust(.talosCA).listed == listed)
      }
    }
  }

  @Test("A worker that only lists what it accepts is rotated in its list")
  func workerWithoutIssuing() throws {
    for component in SecretComponent.allCases {
      let authorities = try Authorities(component)
      let name = component == .talosCA ? "machine" : "cluster"
      let crt = Base64.encode(authorities.old.certificate.pem)
      let fields = "    acceptedCAs:\n        - crt: \(crt)\n"
      let type = component == .talosCA ? "    type: worker\n" : ""
      let head = component == .talosCA ? "" : "machine:\n    type: worker\n"
      let original = ConfigText(
        before: "version: v1alpha1\n\(head)\(name):\n\(type)", fields: fields, after: "    x: y\n")
      var bytes = original.bytes
      for phase in RotationPhase.allCases {
        let wanted = authorities.wanted(component, phase, .worker)
        let result = try MachineConfigEditor.apply(wanted, to: bytes)
        #expect(result.changed)
        bytes = result.bytes
        let trust = try MachineConfig(bytes).trust(component)
        #expect(trust.issuing == nil && trust.listed == wanted.accepted)
      }
      #expect(
        String(decoding: bytes, as: UTF8.self)
          == original.text.replacing(crt, with: Base64.encode(authorities.new.certificate.pem)))
    }
  }
}

@Suite("Refusing machine configs")
struct MachineConfigRefusalTests {
  private func refusal(_ text: String, _ component: SecretComponent) throws -> DriverError? {
    let authorities = try Authorities(component)
    return refusal(text, authorities.wanted(component, .preRotate, .controlPlane))
  }

  private func refusal(_ text: String, _ wanted: WantedTrust) -> DriverError? {
    do throws(DriverError) {
      _ = try MachineConfigEditor.apply(wanted, to: Array(text.utf8))
      return nil
    } catch { return error }
  }

  @Test(
    "What is no machine config is refused",
    arguments: [
      "", "not: [closed", "kind: HostnameConfig\n", "version: v1alpha1\n", "[]\n",
      "machine:\n  type: robot\n", "machine: {}\nmachine: {}\n",
      "machine: {type: worker}\n---\nmachine: {type: worker}\n",
      "machine:\n  type: controlplane\n", "machine: {type: controlplane, ca: {crt: x, key: y}}\n",
      "machine: {type: controlplane, ca: {crt: AAAA, key: AAAA}}\n",
      "machine: {type: worker, ca: {}}\n",
    ])
  func notAConfig(text: String) throws {
    let error = try #require(try refusal(text, .talosCA))
    #expect(error.code == .invalidConfig)
    #expect(!error.message.isEmpty)
  }

  @Test("A redacted config is refused, whatever is redacted")
  func redacted() throws {
    let authorities = try Authorities(.talosCA)
    let config = ConfigFixtures.make(
      .talosCA, .controlPlane, .legacy, .generated, issuing: authorities.old,
      other: authorities.other)
    let wanted = authorities.wanted(.talosCA, .preRotate, .controlPlane)
    let keys = [
      Base64.encode(authorities.old.key.pem), Base64.encode(authorities.other.key.pem),
      "d8cwfa.eyvpi0xwxyarbfid",
    ]
    for key in keys {
      let error = try #require(
        refusal(config.text.replacing(key, with: "'******'"), wanted))
      #expect(error.code == .invalidConfig && error.message.contains("redacted"))
    }
  }

  @Test("The Kubernetes CA in both places is refused")
  func ambiguous() throws {
    let authorities = try Authorities(.kubernetesCA)
    let legacy = ConfigFixtures.make(
      .kubernetesCA, .controlPlane, .legacy, .generated, issuing: authorities.old,
      other: authorities.other)
    let multi = ConfigFixtures.make(
      .kubernetesCA, .controlPlane, .multiDocument, .generated, issuing: authorities.old,
      other: authorities.other)
    let start = try #require(
      multi.text.ranges(of: "---\napiVersion: v1alpha1\nkind: KubeAPI").first?.lowerBound)
    let document = String(multi.text[start...]).replacing(multi.after, with: "")
    let wanted = authorities.wanted(.kubernetesCA, .preRotate, .controlPlane)
    let error = try #require(refusal(legacy.text + document, wanted))
    #expect(error.code == .invalidConfig && error.message.contains("both"))
    let twice = multi.text + "---\napiVersion: v1alpha1\nkind: KubeAPIServerCAConfig\n"
    #expect(refusal(twice, wanted)?.code == .invalidConfig)
  }

  @Test("A worker that holds a key is refused, and told to remove it first")
  func workerKeys() throws {
    for layout in Layout.allCases {
      let authorities = try Authorities(.kubernetesCA)
      let config = ConfigFixtures.make(
        .kubernetesCA, .controlPlane, layout, .generated, issuing: authorities.old,
        other: authorities.other)
      let worker = config.text.replacing("type: controlplane", with: "type: worker")
      let error = refusal(worker, authorities.wanted(.kubernetesCA, .preRotate, .worker))
      #expect(error?.code == .invalidConfig)
      #expect(error?.message.contains("remove") == true, "\(error?.message ?? "")")
    }
  }

  @Test("An authority that has no part in the rotation is a conflict")
  func strangers() throws {
    let authorities = try Authorities(.talosCA)
    let config = ConfigFixtures.make(
      .talosCA, .controlPlane, .legacy, .generated, issuing: authorities.foreign,
      other: authorities.other)
    let error = refusal(config.text, authorities.wanted(.talosCA, .preRotate, .controlPlane))
    #expect(error?.code == .conflict)
  }

  @Test("Merge keys and shared anchors in the CA fields are refused, elsewhere they do not matter")
  func anchors() throws {
    let authorities = try Authorities(.talosCA)
    let config = ConfigFixtures.make(
      .talosCA, .controlPlane, .legacy, .generated, issuing: authorities.old,
      other: authorities.other)
    let wanted = authorities.wanted(.talosCA, .rotate, .controlPlane)
    let crt = Base64.encode(authorities.old.certificate.pem)
    let merged =
      "base: &b {x: y}\n"
      + config.text.replacing(
        "    ca:\n        crt: \(crt)", with: "    ca:\n        <<: *b\n        crt: \(crt)")
    #expect(refusal(merged, wanted)?.code == .invalidConfig)
    let inside = config.text.replacing("crt: \(crt)", with: "crt: &c \(crt)")
      .replacing("cluster:\n", with: "copy: *c\ncluster:\n")
    #expect(refusal(inside, wanted)?.code == .invalidConfig)
    let harmless = "x-base: &b {x: y}\nx-use: *b\nx-more: {<<: *b}\n" + config.text
    #expect(refusal(harmless, wanted) == nil)
  }

  @Test("No refusal quotes what it refuses")
  func noSecrets() throws {
    let authorities = try Authorities(.talosCA)
    let config = ConfigFixtures.make(
      .talosCA, .controlPlane, .legacy, .generated, issuing: authorities.old,
      other: authorities.other)
    let key = Base64.encode(authorities.old.key.pem)
    let wanted = authorities.wanted(.talosCA, .preRotate, .controlPlane)
    let broken = [
      config.text.replacing(key, with: key + "!"), config.text.replacing("key: ", with: "key: ["),
      config.text.replacing("key: ", with: "key "), config.text.replacing(key, with: "'" + key),
      config.text.replacing(key, with: String(key.dropLast(7))),
    ]
    for text in broken {
      guard let error = refusal(text, wanted) else { continue }
      #expect(!error.message.contains(key.prefix(12)))
      #expect(!error.message.contains("PRIVATE"))
    }
  }
}

@Suite("Reading machine configs")
struct MachineConfigTests {
  @Test("Role, endpoint, name and API server port are found in both layouts")
  func facts() throws {
    let legacy = try MachineConfig(
      Array(
        """
        machine: {type: init}
        cluster:
          clusterName: demo
          controlPlane: {endpoint: "https://10.0.0.1:6443", localAPIServerPort: 7443}
        """.utf8))
    #expect(legacy.role == .controlPlane)
    #expect(legacy.clusterEndpoint == "https://10.0.0.1:6443")
    #expect(legacy.clusterName == "demo")
    #expect(legacy.apiServerPort == 7443)
    let multi = try MachineConfig(
      Array(
        """
        kind: KubeClusterConfig
        clusterName: other
        endpoint: https://k:6443
        ---
        kind: KubeAPIServerConfig
        apiPort: 8443
        ---
        machine: {type: worker}
        """.utf8))
    #expect(multi.role == .worker)
    #expect(multi.clusterEndpoint == "https://k:6443")
    #expect(multi.clusterName == "other")
    #expect(multi.apiServerPort == 8443)
    #expect(try MachineConfig(Array("machine: {}\n".utf8)).apiServerPort == 6443)
  }
}
