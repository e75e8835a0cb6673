internal import Encodings
internal import YAML

extension MachineConfig {
  /// Decodes a submitted config and checks it as a running machine does.
  ///
  /// - Parameter talosMinor: the machine's minor version, which decides which documents it knows.
  /// - Throws: the refusal that becomes INVALID_ARGUMENT.
  init(submitted source: [UInt8], talosMinor: Int) throws(ConfigRefusal) {
    let documents = try ConfigDocuments(parsing: source, talosMinor: talosMinor)
    guard let root = documents.v1alpha1 else {
      throw ConfigRefusal([
        "the applied machine configuration doesn't contain v1alpha1 config, did you mean to patch "
          + "the machine config instead?"
      ])
    }
    var decoder = FieldDecoder()
    let problems = ConfigValidation.problems(
      documents: documents, root: root, talosMinor: talosMinor, decoder: &decoder)
    if !decoder.problems.isEmpty { throw ConfigRefusal(decoder.problems) }
    if !problems.isEmpty { throw ConfigRefusal(problems) }
    guard let type = MachineType(rawValue: root["machine"]?["type"]?.text ?? "") else {
      throw ConfigRefusal(["unknown machine type"])
    }
    self.init(type: type, root: root, documents: documents, decoder: &decoder)
  }

  private init(
    type: MachineType, root: YAMLNode, documents: ConfigDocuments, decoder: inout FieldDecoder
  ) {
    let machine = root["machine"]
    let cluster = root["cluster"]
    self.type = type
    token = machine?["token"]?.text ?? ""
    certificateSANs = (machine?["certSANs"]?.items ?? []).compactMap(\.text)
    talosCA = decoder.pair(machine?["ca"], "machine.ca")
    talosAccepted = decoder.certificates(machine?["acceptedCAs"], "machine.acceptedCAs")
    clusterName = cluster?["clusterName"]?.text ?? "default"
    endpoint = cluster?["controlPlane"]?["endpoint"]?.text ?? ""
    dnsDomain = cluster?["network"]?["dnsDomain"]?.text ?? "cluster.local"
    bootstrapToken = cluster?["token"]?.text ?? ""
    secretboxSecret = cluster?["secretboxEncryptionSecret"]?.text ?? ""
    timeServer =
      machine?["time"]?["servers"]?[0]?.text
      ?? documents.first("TimeSyncConfig")?["ntp"]?["servers"]?[0]?.text ?? "time.cloudflare.com"
    hostname =
      documents.first("HostnameConfig")?["hostname"]?.text
      ?? machine?["network"]?["hostname"]?.text

    discovery = Self.discovery(cluster?["discovery"], documents: documents)

    if let document = documents.first("KubeAPIServerCAConfig") {
      layout = .multidoc
      kubernetesIssuing = Self.documentPair(document["issuingCA"])
      kubernetesAccepted =
        [kubernetesIssuing?.certificate].compactMap { $0 }
        + (document["acceptedCAs"]?.items ?? []).compactMap(\.text)
    } else {
      layout = .legacy
      let ca = decoder.pair(cluster?["ca"], "cluster.ca")
      kubernetesIssuing = ca.flatMap { $0.key.isEmpty ? nil : $0 }
      kubernetesAccepted =
        [ca?.certificate].compactMap { $0 }.filter { !$0.isEmpty }
        + decoder.certificates(cluster?["acceptedCAs"], "cluster.acceptedCAs")
    }
    aggregatorCA =
      Self.documentPair(documents.first("KubeAggregatorCAConfig")?["issuingCA"])
      ?? decoder.pair(cluster?["aggregatorCA"], "cluster.aggregatorCA")
    serviceAccountKey =
      documents.first("KubeServiceAccountConfig")?["issuer"]?["privateKey"]?.text
      ?? decoder.base64(cluster?["serviceAccount"]?["key"], "cluster.serviceAccount.key")
  }

  private static func discovery(
    _ node: YAMLNode?, documents: ConfigDocuments
  ) -> Discovery {
    if documents.first("DiscoveryServiceConfig") != nil { return .shared }
    guard node?["enabled"].flatMap(ConfigShape.Scalar.bool) == true else { return .off }
    let registries = ["service", "kubernetes"]
    let hasRegistry = registries.contains {
      node?["registries"]?[$0]?["disabled"].flatMap(ConfigShape.Scalar.bool) != true
    }
    return hasRegistry ? .shared : .alone
  }

  private static func documentPair(_ node: YAMLNode?) -> PEMPair? {
    guard let node, !node.isNull else { return nil }
    return PEMPair(certificate: node["cert"]?.text ?? "", key: node["key"]?.text ?? "")
  }
}

/// Decodes the fields that hold base64, and remembers which did not.
struct FieldDecoder {
  private(set) var problems: [String] = []

  mutating func base64(_ node: YAMLNode?, _ path: String) -> String {
    guard let text = node?.text, !text.isEmpty else { return "" }
    if let decoded = Base64.text(behind: text) { return decoded }
    problems.append("\(path): illegal base64 data")
    return ""
  }

  mutating func pair(_ node: YAMLNode?, _ path: String) -> PEMPair? {
    guard let node, !node.isNull else { return nil }
    return PEMPair(
      certificate: base64(node["crt"], path + ".crt"), key: base64(node["key"], path + ".key"))
  }

  mutating func certificates(_ node: YAMLNode?, _ path: String) -> [String] {
    var list: [String] = []
    for (index, item) in (node?.items ?? []).enumerated() {
      list.append(base64(item["crt"], "\(path)[\(index)].crt"))
    }
    return list
  }
}
