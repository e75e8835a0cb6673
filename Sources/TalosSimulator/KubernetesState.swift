/// What all control planes of the cluster share through etcd, as far as CAs leave traces in it.
///
/// A pure value: control planes report what they do, and the traces follow the measured behaviour
/// of the components (who publishes what, and what stays behind).
struct KubernetesState: Sendable {
  /// A control plane whose pods run.
  struct ControlPlane: Sendable, Equatable {
    var name: String
    /// The CA its controller-manager publishes and signs with.
    var issuing: PEMPair
    /// The CAs its API server accepts clients from, as one bundle.
    var accepted: String
  }

  static let namespaces = ["default", "kube-node-lease", "kube-public", "kube-system"]

  /// The control planes whose pods run, in the order they came up.
  private(set) var running: [ControlPlane] = []
  /// The control plane whose controller-manager leads; nil while nobody does.
  private(set) var leader: String?
  /// `ca.crt` of ConfigMap kube-root-ca.crt, by namespace.
  private(set) var rootCA: [String: String] = [:]
  /// `client-ca-file` of ConfigMap kube-system/extension-apiserver-authentication: every CA that any
  /// API server has ever written, until somebody deletes the ConfigMap.
  private(set) var extensionClientCAs: [String] = []
  private(set) var extensionExists = false
  /// Grows with every change, as etcd's revision does.
  private(set) var revision: UInt64 = 1000
  /// The revision at which each ConfigMap last changed.
  private(set) var changedAt: [String: UInt64] = [:]

  /// A control plane's pods have started with these secrets. If it was the leader, it has lost the
  /// lead meanwhile. Returns whether somebody new leads and has to publish its root CA.
  mutating func podsStarted(_ controlPlane: ControlPlane) -> Bool {
    let hadLeader = leader
    _ = podsStopped(controlPlane.name)
    running.append(controlPlane)
    mergeExtensionCAs(from: controlPlane)
    if leader == nil { leader = running.first?.name }
    return leader != hadLeader || leader == controlPlane.name
  }

  /// A control plane's pods have stopped. Returns whether another one took the lead.
  mutating func podsStopped(_ name: String) -> Bool {
    running.removeAll { $0.name == name }
    guard leader == name else { return false }
    leader = running.first?.name
    return leader != nil
  }

  /// The leader writes its root CA into every namespace where it is not there yet.
  mutating func leaderPublished() {
    guard let lead = running.first(where: { $0.name == leader }) else { return }
    for namespace in Self.namespaces where rootCA[namespace] != lead.issuing.certificate {
      rootCA[namespace] = lead.issuing.certificate
      touch("\(namespace)/kube-root-ca.crt")
    }
  }

  /// Somebody deleted the ConfigMap of client CAs.
  mutating func extensionDeleted() {
    extensionExists = false
    extensionClientCAs = []
    touch("kube-system/extension-apiserver-authentication")
  }

  /// The API servers have noticed that the ConfigMap is gone: it comes back with what they accept.
  mutating func extensionRestored() {
    for controlPlane in running { mergeExtensionCAs(from: controlPlane) }
  }

  /// The CA that signs kubelets' certificates just now.
  var signer: ControlPlane? { running.first { $0.name == leader } }

  private mutating func mergeExtensionCAs(from controlPlane: ControlPlane) {
    let new = PEMText.blocks(controlPlane.accepted).map(\.text)
      .filter { !extensionClientCAs.contains($0) }
    if extensionExists && new.isEmpty { return }
    extensionExists = true
    extensionClientCAs += new
    touch("kube-system/extension-apiserver-authentication")
  }

  private mutating func touch(_ key: String) {
    revision += 1
    changedAt[key] = revision
  }
}
