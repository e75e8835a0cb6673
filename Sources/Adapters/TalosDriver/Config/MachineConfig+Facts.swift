import YAML

/// What a configuration says of its machine and cluster beside the authorities.
extension MachineConfig {
  /// The URL of the Kubernetes API.
  var clusterEndpoint: String? {
    documents(ofKind: "KubeClusterConfig").lazy.compactMap { documents[$0]["endpoint"]?.text }.first
      ?? root.node(at: ["cluster", "controlPlane", "endpoint"])?.text
  }

  var clusterName: String? {
    documents(ofKind: "KubeClusterConfig").lazy.compactMap { documents[$0]["clusterName"]?.text }
      .first ?? root.node(at: ["cluster", "clusterName"])?.text
  }

  /// The port at which this control plane's API server listens; what is no port counts as none.
  var apiServerPort: Int {
    let written =
      documents(ofKind: "KubeAPIServerConfig").lazy.compactMap { documents[$0]["apiPort"]?.integer }
      .first ?? root.node(at: ["cluster", "controlPlane", "localAPIServerPort"])?.integer
    return written.flatMap { (1...65_535).contains($0) ? $0 : nil } ?? 6443
  }

  /// The cluster's identity (`cluster.id`, or a `DiscoveryIdentityConfig` document's).
  var clusterID: String? {
    documents(ofKind: "DiscoveryIdentityConfig").lazy
      .compactMap { documents[$0]["clusterID"]?.text }.first
      ?? root.node(at: ["cluster", "id"])?.text
  }

  /// The virtual addresses that the machine may hold, as written, none twice: of interfaces and VLANs,
  /// and of documents `Layer2VIPConfig` and `HCloudVIPConfig`, whose name is the address.
  var virtualAddresses: [String] {
    let interfaces = root.node(at: ["machine", "network", "interfaces"])?.items ?? []
    let vlans = interfaces.flatMap { $0["vlans"]?.items ?? [] }
    let written = (interfaces + vlans).compactMap { $0.node(at: ["vip", "ip"])?.text }
    let named = ["Layer2VIPConfig", "HCloudVIPConfig"].flatMap { self.documents(ofKind: $0) }
      .compactMap { self.documents[$0]["name"]?.text }
    var seen: Set<String> = []
    return (written + named).filter { !$0.isEmpty && seen.insert($0).inserted }
  }
}
