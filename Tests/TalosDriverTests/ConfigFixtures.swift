import Crypto
import Encodings
import Rotation

@testable import TalosDriver

/// A machine's configuration as a text in three parts: what stands before a component's CA fields, the
/// fields, and what follows. An edit may only touch the middle.
struct ConfigText: Sendable {
  var before: String
  var fields: String
  var after: String

  var text: String { before + fields + after }
  var bytes: [UInt8] { Array(text.utf8) }
}

/// Authorities for one test.
struct Authorities {
  let old: Authority
  let new: Authority
  let foreign: Authority
  /// The authority of the component that is not rotated.
  let other: Authority

  init(_ component: SecretComponent) throws {
    let kind: AuthorityKind = component == .talosCA ? .talos : .kubernetes
    old = try Authority.generate(kind, now: 1_700_000_000)
    new = try Authority.generate(kind, now: 1_700_000_000)
    foreign = try Authority.generate(kind, now: 1_700_000_000)
    other = try Authority.generate(kind == .talos ? .kubernetes : .talos, now: 1_700_000_000)
  }

  /// What a machine is to hold in a stage.
  func wanted(
    _ component: SecretComponent, _ phase: RotationPhase, _ role: MachineRole,
    _ direction: RotationDirection = .forward
  ) -> WantedTrust {
    let bundle = TrustPlan.bundle(component, phase, role, direction)
    func authority(_ generation: AuthorityGeneration) -> Authority {
      generation == .old ? old : new
    }
    return WantedTrust(
      component: component, issuing: authority(bundle.issuing).certificate,
      issuingKey: bundle.holdsIssuingKey ? authority(bundle.issuing).key.secretPEM : nil,
      accepted: bundle.accepted.map { authority($0).certificate },
      managed: [old.certificate, new.certificate])
  }
}

/// Ways in which people and programs write the same configuration.
enum ConfigStyle: String, CaseIterable, Sendable {
  /// As Talos itself writes it.
  case generated
  /// Comments everywhere, quotes, sequences at their key's column, two spaces.
  case handwritten
  /// The CA fields in flow style.
  case flow
  /// An empty list of accepted authorities is written out.
  case emptyList
  /// The list is there but null.
  case nullList
}

enum Layout: String, CaseIterable, Sendable {
  /// Everything in the v1alpha1 document.
  case legacy
  /// The Kubernetes CA in a document of its own.
  case multiDocument
}

enum ConfigFixtures {
  /// A configuration in which the authority is `issuing`.
  static func make(
    _ component: SecretComponent, _ role: MachineRole, _ layout: Layout, _ style: ConfigStyle,
    issuing: Authority, accepted: [Certificate] = [], other: Authority
  ) -> ConfigText {
    let step = style == .handwritten ? 2 : 4
    let pad = String(repeating: " ", count: step)
    func section(_ authority: Authority, _ accepted: [Certificate]) -> String {
      legacyFields(authority, accepted, role, style, pad: pad)
    }
    let head =
      style == .handwritten
      ? "# machine \u{00fc}ber alles\nversion: \"v1alpha1\" # keep\ndebug: false\n"
      : "version: v1alpha1\ndebug: false\npersist: true\n"
    let type = role == .controlPlane ? "controlplane" : "worker"
    let machineHead = head + "machine:\n\(pad)type: \(type)\n\(pad)token: d8cwfa.eyvpi0xwxyarbfid\n"
    let machineTail =
      "\(pad)certSANs:\n\(pad)\(style == .handwritten ? "" : pad)- 10.0.0.1 # a comment\n"
      + "\(pad)kubelet: {image: \"k:v1\", extraArgs: {a: 'b'}}\n\n"
    let clusterHead =
      "cluster:\n\(pad)id: abc=\n\(pad)controlPlane:\n\(pad)\(pad)endpoint: "
      + "https://10.0.0.9:6443\n\(pad)\(pad)localAPIServerPort: 6444\n\(pad)clusterName: demo\n"
    let clusterTail = "\(pad)token: inn7ol.u4ehnti8qyls9ymo\n\(pad)# the end\n"
    let documents = "---\napiVersion: v1alpha1\nkind: HostnameConfig\nauto: stable # yes\n"
    switch (component, layout) {
    case (.talosCA, .legacy):
      return ConfigText(
        before: machineHead, fields: section(issuing, accepted),
        after: machineTail + clusterHead
          + legacyFields(other, [], role, .generated, pad: pad) + clusterTail)
    case (.talosCA, .multiDocument):
      return ConfigText(
        before: machineHead, fields: section(issuing, accepted),
        after: machineTail + clusterHead + clusterTail + documents
          + "---\napiVersion: v1alpha1\nkind: KubeAPIServerCAConfig\n"
          + documentFields(other, [], role, .generated))
    case (.kubernetesCA, .legacy):
      return ConfigText(
        before: machineHead + legacyFields(other, [], role, .generated, pad: pad) + machineTail
          + clusterHead,
        fields: section(issuing, accepted), after: clusterTail + documents)
    case (.kubernetesCA, .multiDocument):
      return ConfigText(
        before: documents + "---\napiVersion: v1alpha1\nkind: KubeAPIServerCAConfig # the CA\n",
        fields: documentFields(issuing, accepted, role, style),
        after: "---\n" + machineHead + legacyFields(other, [], role, .generated, pad: pad)
          + machineTail + clusterHead + clusterTail)
    }
  }

  private static func legacyFields(
    _ authority: Authority, _ accepted: [Certificate], _ role: MachineRole, _ style: ConfigStyle,
    pad: String
  ) -> String {
    let crt = Base64.encode(authority.certificate.pem)
    let key = role == .controlPlane ? Base64.encode(authority.key.pem) : "\"\""
    let items = accepted.map { Base64.encode($0.pem) }
    switch style {
    case .flow:
      let list = items.map { "{crt: \($0)}" }.joined(separator: ", ")
      return "\(pad)ca: {crt: \(crt), key: \(key)} # flow\n"
        + (items.isEmpty ? "" : "\(pad)acceptedCAs: [\(list)]\n")
    case .handwritten:
      return "\(pad)# the CA\n\(pad)ca:\n\(pad)\(pad)crt: \"\(crt)\" # certificate\n"
        + "\(pad)\(pad)# and its key\n\(pad)\(pad)key: \(key)\n"
        + (items.isEmpty ? "" : "\(pad)acceptedCAs: # more\n")
        + items.map { "\(pad)- crt: \($0) # extra\n" }.joined()
    case .generated, .emptyList, .nullList:
      let empty = style == .emptyList ? " []" : style == .nullList ? " null # none" : nil
      return "\(pad)ca:\n\(pad)\(pad)crt: \(crt)\n\(pad)\(pad)key: \(key)\n"
        + (items.isEmpty ? empty.map { "\(pad)acceptedCAs:\($0)\n" } ?? "" : "\(pad)acceptedCAs:\n")
        + items.map { "\(pad)\(pad)- crt: \($0)\n" }.joined()
    }
  }

  private static func documentFields(
    _ authority: Authority, _ accepted: [Certificate], _ role: MachineRole, _ style: ConfigStyle
  ) -> String {
    func block(_ pem: String, _ indent: Int) -> String {
      "|\n"
        + pem.split(separator: "\n").map { String(repeating: " ", count: indent) + $0 + "\n" }
        .joined()
    }
    func quoted(_ pem: String) -> String {
      "\"" + pem.split(separator: "\n").map { $0 + "\\n" }.joined() + "\""
    }
    let certificates = role == .worker ? [authority.certificate] + accepted : accepted
    let pems = certificates.map(\.pem)
    switch style {
    case .flow:
      let issuing =
        role == .worker
        ? ""
        : "issuingCA: {cert: \(quoted(authority.certificate.pem)), key: \(quoted(authority.key.pem))}\n"
      return issuing
        + (pems.isEmpty ? "" : "acceptedCAs: [\(pems.map(quoted).joined(separator: ", "))]\n")
    case .generated, .handwritten, .emptyList, .nullList:
      let step = style == .handwritten ? 2 : 4
      let pad = String(repeating: " ", count: step)
      let note = style == .handwritten ? "# note\n" : ""
      let issuing =
        role == .worker
        ? ""
        : "issuingCA:\n\(pad)cert: \(block(authority.certificate.pem, step * 2))\(pad)key: "
          + block(authority.key.pem, step * 2)
      let empty = style == .emptyList ? " []" : style == .nullList ? " ~" : nil
      return note + issuing
        + (pems.isEmpty ? empty.map { "acceptedCAs:\($0)\n" } ?? "" : "acceptedCAs:\n")
        + pems.map { "\(pad)- \(block($0, step + 2))" }.joined()
    }
  }
}
