internal import Crypto
internal import YAML

/// The checks of a config that concern CAs and machine types, as Talos makes them on a running
/// machine (siderolabs/talos, pkg/machinery/config: v1alpha1_validation.go, container/validate.go,
/// types/k8s/apiserver_ca.go). What has nothing to do with trust is not checked here.
enum ConfigValidation {
  private static let controlPlaneOnly: Set<String> = [
    "KubeAPIServerConfig", "KubeAdmissionControlConfig", "KubeAggregatorCAConfig",
    "KubeAuditPolicyConfig", "KubeAuthenticationConfig", "KubeAuthorizerConfig",
    "KubeControllerManagerConfig", "KubeCoreDNSConfig", "KubeEtcdEncryptionConfig",
    "KubeFlannelCNIConfig",
    "KubeProxyConfig", "KubeSchedulerConfig", "KubeServiceAccountConfig",
    "KubeTalosAPIAccessConfig",
  ]

  /// Every rule the config breaks; empty when it is good.
  static func problems(
    documents: ConfigDocuments, root: YAMLNode, talosMinor: Int, decoder: inout FieldDecoder
  ) -> [String] {
    guard let machine = root["machine"], !machine.isNull else {
      return ["v1alpha1.Config: machine instructions are required"]
    }
    let type = MachineType(rawValue: machine["type"]?.text ?? "")
    let ca = decoder.pair(machine["ca"], "machine.ca")
    let accepted = decoder.certificates(machine["acceptedCAs"], "machine.acceptedCAs")
    let clusterCA = decoder.pair(root["cluster"]?["ca"], "cluster.ca")

    var found = cluster(
      root["cluster"], clusterCA: clusterCA, type: type, talosMinor: talosMinor)
    found += talosAuthority(ca, accepted: accepted, type: type)
    if type == .worker, let clusterCA, !clusterCA.key.isEmpty {
      found.append(
        "issuing Kubernetes API CA key is not allowed on non-controlplane nodes (.cluster.ca)")
    }
    if type == nil { found.append("unknown machine type \"\(machine["type"]?.text ?? "")\"") }
    if root["persist"]?.bool == false { found.append(".persist should be enabled") }
    let labels = NodeLabels.problems(machine["nodeLabels"])
    if !labels.isEmpty {
      found.append(
        "invalid machine node labels: " + ConfigRefusal.counted(labels))
    }
    found = found.map { "v1alpha1.Config: " + $0 }

    if let document = documents.first("KubeAPIServerCAConfig") {
      found += caDocument(document).map { "KubeAPIServerCAConfig: " + $0 }
      if clusterCA != nil {
        found.append("kube-apiserver CA is already set in v1alpha1 config (.cluster.ca)")
      }
    }
    if type != .controlPlane {
      let kinds = Set(documents.others.map(\.kind)).intersection(controlPlaneOnly).sorted()
      if !kinds.isEmpty {
        found.append(
          "the following document kinds are only allowed on control plane machines: \(kinds)")
      }
    }
    return found
  }

  private static func cluster(
    _ node: YAMLNode?, clusterCA: PEMPair?, type: MachineType?, talosMinor: Int
  ) -> [String] {
    guard let node, !node.isNull else { return ["cluster instructions are required"] }
    var found: [String] = []
    if let controlPlane = node["controlPlane"] {
      guard let endpoint = controlPlane["endpoint"]?.text, !endpoint.isEmpty else {
        return ["cluster controlplane endpoint is required"]
      }
      if let complaint = (try? GoURL(endpoint))?.endpointComplaint {
        found.append("invalid controlplane endpoint: \(complaint)")
      }
    } else if talosMinor < 14 {
      return ["cluster controlplane endpoint is required"]
    }
    if type != .controlPlane, let clusterCA, !clusterCA.key.isEmpty {
      found.append("cluster CA key is not allowed on non-controlplane nodes (.cluster.ca)")
    }
    return found
  }

  private static func talosAuthority(
    _ ca: PEMPair?, accepted: [String], type: MachineType?
  ) -> [String] {
    guard ca != nil || !accepted.isEmpty else {
      var found = [
        "issuing CA or some accepted CAs are required (.machine.ca, machine.acceptedCAs)"
      ]
      if type == .controlPlane { found.append("issuing CA is required (.machine.ca)") }
      return found
    }
    switch (type, ca) {
    case (.controlPlane, nil):
      return ["issuing CA is required (.machine.ca)"]
    case (.controlPlane, let ca?) where ca.key.isEmpty:
      return ["issuing CA key is required for controlplane nodes (.machine.ca.key)"]
    case (.worker, let ca?):
      var found: [String] = []
      if !ca.key.isEmpty {
        found.append(
          "issuing Talos API CA key is not allowed on non-controlplane nodes (.machine.ca)")
      }
      if ca.certificate.isEmpty && accepted.isEmpty {
        found.append(
          "trusted CA certificates are required on non-controlplane nodes "
            + "(.machine.ca.crt, .machine.acceptedCAs)")
      }
      return found
    default:
      return []
    }
  }

  private static func caDocument(_ document: YAMLNode) -> [String] {
    var found: [String] = []
    if let issuing = document["issuingCA"], !issuing.isNull {
      found += issuingPair(issuing).map { "issuing CA: " + $0 }
    }
    for (index, item) in (document["acceptedCAs"]?.items ?? []).enumerated() {
      let blocks = PEMText.blocks(item.text ?? "")
      if blocks.isEmpty {
        found.append("accepted CA #\(index): no PEM blocks found")
      } else if let other = blocks.first(where: { $0.label != "CERTIFICATE" }) {
        found.append("accepted CA #\(index): unexpected PEM block type \"\(other.label)\"")
      }
    }
    return found
  }

  private static func issuingPair(_ node: YAMLNode) -> [String] {
    guard let certificate = node["cert"]?.text, !certificate.isEmpty else {
      return ["certificate is required"]
    }
    guard let key = node["key"]?.text, !key.isEmpty else { return ["key is required"] }
    let blocks = PEMText.blocks(certificate)
    guard !blocks.isEmpty else { return ["certificate: no PEM blocks found"] }
    guard blocks.allSatisfy({ $0.label == "CERTIFICATE" }) else {
      return ["certificate: unexpected PEM block type"]
    }
    guard !PEMText.blocks(key).isEmpty else { return ["key: no PEM blocks found"] }
    if (try? Certificate(pem: certificate)) == nil { return ["certificate is invalid"] }
    if (try? PrivateKey(pem: key)) == nil { return ["key is invalid"] }
    return []
  }
}
