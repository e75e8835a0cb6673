/// What all control planes of the cluster share through etcd, as far as CAs leave traces in it.
///
/// A pure value: control planes report what they do, and the traces follow the measured behaviour
/// of the components (who publishes what, and what stays behind).
struct KubernetesState: Sendable {
  /// An API server that runs.
  struct APIServer: Sendable, Equatable {
    var name: String
    /// The CAs that it accepts clients from, as one bundle.
    var accepted: String
  }

  /// A component of which one process leads.
  enum Led: String, Sendable, CaseIterable {
    case controllerManager = "kube-controller-manager"
    case scheduler = "kube-scheduler"
  }

  static let namespaces = ["default", "kube-node-lease", "kube-public", "kube-system"]

  /// The API servers that run, in the order they came up.
  private(set) var apiServers: [APIServer] = []
  private(set) var leases: [Led: LeaderLease] = [:]
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
  /// When `ca.crt` was last written, by namespace, in seconds since 1970.
  private(set) var rootCAWritten: [String: Int64] = [:]
  /// When a pod was started anew because somebody has deleted it, by name, in seconds since 1970.
  private(set) var podsStarted: [String: Int64] = [:]

  // MARK: API servers

  /// An API server has started, or has read its list of client CAs again.
  mutating func apiServerServes(_ server: APIServer) {
    if let index = apiServers.firstIndex(where: { $0.name == server.name }) {
      apiServers[index] = server
    } else {
      apiServers.append(server)
    }
    mergeExtensionCAs(from: server)
  }

  mutating func apiServerStopped(_ name: String) { apiServers.removeAll { $0.name == name } }

  // MARK: Leaders

  /// A process has started. Returns whether it leads.
  mutating func started(
    _ led: Led, _ process: LeaderLease.Process, leaseHasRunOut: Bool, now: Int64
  ) -> Bool {
    leases[led, default: LeaderLease()].started(process, hasRunOut: leaseHasRunOut, now: now)
  }

  /// A process has ended. Returns whether it led: its lease has to run out.
  mutating func stopped(_ led: Led, node: String, now: Int64) -> Bool {
    leases[led]?.stopped(node: node, now: now) ?? false
  }

  /// A lease has run out. Returns whether another process leads now.
  mutating func leaseRanOut(_ led: Led, now: (String) -> Int64) -> Bool {
    leases[led]?.ranOut(now: now) ?? false
  }

  /// The controller-manager that leads; nil while nobody does.
  var leader: LeaderLease.Process? {
    guard let lease = leases[.controllerManager], lease.isHeld else { return nil }
    return lease.holder
  }

  /// The leader writes its root CA into every namespace where it is not there yet.
  mutating func leaderPublished(now: Int64) {
    guard let issuing = leader?.issuing else { return }
    for namespace in Self.namespaces where rootCA[namespace] != issuing.certificate {
      rootCA[namespace] = issuing.certificate
      rootCAWritten[namespace] = now
      touch("\(namespace)/kube-root-ca.crt")
    }
  }

  /// Somebody has deleted a pod, and its controller starts another one, which bears the same name here.
  mutating func podDeleted(_ name: String, now: Int64) {
    podsStarted[name] = now
    revision += 1
  }

  // MARK: The ConfigMap of client CAs

  /// Somebody deleted the ConfigMap of client CAs.
  mutating func extensionDeleted() {
    extensionExists = false
    extensionClientCAs = []
    touch("kube-system/extension-apiserver-authentication")
  }

  /// The API servers have noticed that the ConfigMap is gone: it comes back with what they accept.
  mutating func extensionRestored() {
    for server in apiServers { mergeExtensionCAs(from: server) }
  }

  private mutating func mergeExtensionCAs(from server: APIServer) {
    let new = PEMText.blocks(server.accepted).map(\.text)
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
