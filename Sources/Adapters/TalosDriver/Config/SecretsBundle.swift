import Crypto
import Encodings
import Orchestrator
import Rotation
import YAML

/// The secrets of a cluster in the form of `talosctl gen secrets`, as a control plane's configuration holds them.
///
/// `talosctl gen config --with-secrets` and other generators make configurations from it. The fields, their names and
/// where each is read from are those of Talos' `secrets.NewBundleFromConfig`, for both layouts of a
/// configuration. A field that the configuration does not hold is left out, such as those of Kubernetes on machines
/// without it.
struct SecretsBundle {
  private let config: MachineConfig

  /// - Parameter config: a control plane's.
  init(_ config: MachineConfig) { self.config = config }

  /// The bundle as YAML. It holds private keys.
  ///
  /// - Throws: `.invalidConfig` for a configuration without the Talos CA, its key or the machine token, and for a
  ///   Kubernetes CA that stands in two places.
  func text() throws(DriverError) -> String {
    guard config.role == .controlPlane else {
      throw DriverError(.invalidConfig, "a worker does not hold the cluster's secrets")
    }
    let os = pair(config.root.node(at: ["machine", "ca"]))
    guard let os, os.key != nil, let token = value(["machine", "token"]) else {
      throw DriverError(
        .invalidConfig,
        "the configuration of this control plane holds no Talos CA with key, or no machine token")
    }
    let value: YAMLValue = .mapping([
      section("cluster", [("id", clusterID), ("secret", clusterSecret)]),
      section(
        "secrets",
        [
          ("bootstraptoken", self.value(["cluster", "token"])),
          ("aescbcencryptionsecret", self.value(["cluster", "aescbcEncryptionSecret"])),
          ("secretboxencryptionsecret", secretboxSecret),
        ]),
      section("trustdinfo", [("token", token)]),
      YAMLValue.Field(
        "certs",
        .mapping(
          [
            ("etcd", pair(config.root.node(at: ["cluster", "etcd", "ca"]))),
            ("k8s", try kubernetesCA()), ("k8saggregator", aggregatorCA),
            ("k8sserviceaccount", serviceAccount), ("os", os),
          ].compactMap { name, pair in
            pair.map { section(name, [("crt", $0.certificate), ("key", $0.key)]) }
          })),
    ])
    return value.document()
  }

  /// What is known of these fields.
  private func section(_ name: String, _ fields: [(String, String?)]) -> YAMLValue.Field {
    YAMLValue.Field(
      name,
      .mapping(
        fields.compactMap { field, value in value.map { YAMLValue.Field(field, .string($0)) } }))
  }

  /// Base64 of the PEM of a certificate and its key.
  private struct Pair {
    var certificate: String?
    var key: String?
  }

  private var clusterID: String? { config.clusterID.flatMap { $0.isEmpty ? nil : $0 } }

  private var clusterSecret: String? {
    document("DiscoveryIdentityConfig")?["clusterSecret"]?.text ?? value(["cluster", "secret"])
  }

  /// The field, or in a `KubeEtcdEncryptionConfig` document the first key of the provider that encrypts Secrets.
  private var secretboxSecret: String? {
    let resources =
      document("KubeEtcdEncryptionConfig")?.node(at: ["config", "resources"])?.items ?? []
    let ofSecrets = resources.filter {
      $0["resources"]?.items?.contains { $0.text == "secrets" } == true
    }
    for resource in ofSecrets {
      let keys = resource["providers"]?.items?.first?.node(at: ["secretbox", "keys"])?.items
      if let secret = keys?.first?["secret"]?.text { return secret }
    }
    return value(["cluster", "secretboxEncryptionSecret"])
  }

  private func kubernetesCA() throws(DriverError) -> Pair? {
    switch try config.place(of: .kubernetesCA) {
    case .section: pair(config.root.node(at: ["cluster", "ca"]))
    case .document(let index): documentPair(config.documents[index])
    }
  }

  private var aggregatorCA: Pair? {
    if let document = document("KubeAggregatorCAConfig") { return documentPair(document) }
    return pair(config.root.node(at: ["cluster", "aggregatorCA"]))
  }

  private var serviceAccount: Pair? {
    if let document = document("KubeServiceAccountConfig") {
      let key = text(document.node(at: ["issuer", "privateKey"]))
      return key.map { Pair(key: Base64.encode(Self.ended($0))) }
    }
    return value(["cluster", "serviceAccount", "key"]).map { Pair(key: Self.unfolded($0)) }
  }

  private func document(_ kind: String) -> YAMLNode? {
    config.documents(ofKind: kind).first.map { config.documents[$0] }
  }

  /// A pair of the v1alpha1 document: base64 of PEM.
  private func pair(_ node: YAMLNode?) -> Pair? {
    guard let node, !node.isNull else { return nil }
    let found = Pair(
      certificate: text(node["crt"]).map(Self.unfolded), key: text(node["key"]).map(Self.unfolded))
    return found.certificate == nil && found.key == nil ? nil : found
  }

  /// A pair of a document of its own: PEM as it is.
  private func documentPair(_ node: YAMLNode) -> Pair? {
    let issuing = node["issuingCA"]
    let found = Pair(
      certificate: text(issuing?["cert"]).map { Base64.encode(Self.ended($0)) },
      key: text(issuing?["key"]).map { Base64.encode(Self.ended($0)) })
    return found.certificate == nil && found.key == nil ? nil : found
  }

  private func value(_ path: [YAMLPathElement]) -> String? { text(config.root.node(at: path)) }

  private func text(_ node: YAMLNode?) -> String? {
    node?.text.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Base64 into which YAML has folded no white space.
  private static func unfolded(_ text: String) -> String { text.filter { !$0.isWhitespace } }

  /// PEM that ends with a line break, as Talos writes it: a text of several blocks is joined as it is.
  private static func ended(_ text: String) -> String { text.hasSuffix("\n") ? text : text + "\n" }
}
