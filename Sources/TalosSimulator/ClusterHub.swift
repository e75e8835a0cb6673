internal import Crypto

/// Where the machines of a cluster meet: the network between them, and etcd.
actor ClusterHub {
  nonisolated let executor = SimulationExecutor()
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private(set) var nodes: [SimulatedNode] = []
  private(set) var kubernetes = KubernetesState()
  let options: ClusterOptions
  /// When the cluster was made, in seconds since 1970.
  let created: Int64
  private var random: SeededGenerator
  /// Since when a kubelet has reached no API server that it and that trusts it.
  private var lostSince: [String: ContinuousClock.Instant] = [:]
  /// Nodes that somebody has deleted; a kubelet registers its own again when it starts.
  private var deletedNodes: Set<String> = []

  init(options: ClusterOptions, created: Int64) {
    self.options = options
    self.created = created
    random = SeededGenerator(seed: options.seed)
  }

  func attach(_ nodes: [SimulatedNode]) { self.nodes = nodes }

  // MARK: trustd

  /// What a worker gets from trustd: a certificate, and what to accept.
  struct TrustdAnswer: Sendable {
    var server: PEMPair
    var accepted: String
  }

  /// Asks a trustd on behalf of a worker: one of those that answer and that the worker trusts, by
  /// chance, as gRPC's load balancing does.
  func requestCertificate(_ request: TrustdRequest) async -> TrustdAnswer? {
    var candidates = nodes.filter(\.isControlPlane)
    while !candidates.isEmpty {
      let chosen = candidates.remove(at: Int(random.next() % UInt64(candidates.count)))
      if let answer = await chosen.trustdSign(request) { return answer }
    }
    return nil
  }

  // MARK: Kubernetes

  func podsStarted(_ controlPlane: KubernetesState.ControlPlane) async {
    if kubernetes.podsStarted(controlPlane) { leaderChanged() }
    await connectionsChanged()
  }

  func podsStopped(_ name: String) async {
    if kubernetes.podsStopped(name) { leaderChanged() }
    await connectionsChanged()
  }

  /// At the first boot there is nothing to wait for.
  func leaderPublishedNow() { kubernetes.leaderPublished() }

  private func leaderChanged() {
    Task {
      try? await Task.sleep(for: options.timing.rootCAPublish)
      kubernetes.leaderPublished()
    }
  }

  /// The ConfigMap comes back within a second, as measured.
  func extensionDeleted() {
    kubernetes.extensionDeleted()
    Task {
      try? await Task.sleep(for: .milliseconds(300))
      kubernetes.extensionRestored()
    }
  }

  func nodeDeleted(_ name: String) { deletedNodes.insert(name) }

  func kubeletStarted(_ name: String) { deletedNodes.remove(name) }

  /// Bootstraps a kubelet: an API server must be there, know the token and be trusted by the
  /// kubelet; the leading controller-manager signs.
  func bootstrapKubelet(node: String, token: String, trust: KubeletTrust) async -> PEMPair? {
    guard let signer = kubernetes.signer,
      await reachableAPIServer(trusted: trust.accepted, client: nil) != nil
    else { return nil }
    guard await nodes.first(where: { $0.name == signer.name })?.bootstrapToken == token else {
      return nil
    }
    return try? CertificateIssuing(now: WallClock.seconds()).kubernetesClient(
      signer.issuing, user: "system:node:\(node)", group: "system:nodes")
  }

  /// An API server that runs, whose certificate the CAs verify and, if a client certificate is
  /// given, that accepts it.
  private func reachableAPIServer(
    trusted: [String], client: PEMPair?
  ) async -> KubernetesState.ControlPlane? {
    let roots = TrustPool.certificates(trusted)
    let now = WallClock.seconds()
    for controlPlane in kubernetes.running {
      guard let node = nodes.first(where: { $0.name == controlPlane.name }),
        let serving = await node.apiServerCertificate(), let leaf = serving.first,
        ChainVerification.accepts(
          leaf, intermediates: Array(serving.dropFirst()), roots: roots, purpose: .server, at: now)
      else { continue }
      guard let client else { return controlPlane }
      guard let certificate = try? Certificate(pem: client.certificate) else { return nil }
      let accepted = TrustPool.certificates([controlPlane.accepted])
      if ChainVerification.accepts(certificate, roots: accepted, purpose: .client, at: now) {
        return controlPlane
      }
    }
    return nil
  }

  // MARK: Node controller

  /// Something happened that may have cut a kubelet off, or brought it back. Its node stays Ready for
  /// a while after it was last heard of, as the node controller has it.
  func connectionsChanged() async {
    for node in nodes { await noteConnection(of: node, await node.kubeletView()) }
  }

  private func noteConnection(of node: SimulatedNode, _ view: SimulatedNode.KubeletView) async {
    var connects = view.isUp
    if connects, let client = view.client {
      connects = await reachableAPIServer(trusted: view.accepted, client: client) != nil
    }
    if connects {
      lostSince[node.name] = nil
    } else if lostSince[node.name] == nil {
      lostSince[node.name] = .now
    }
  }

  private func isHeardOf(_ name: String) -> Bool {
    guard let lost = lostSince[name] else { return true }
    return lost + options.timing.nodeGrace > .now
  }

  func snapshot() async -> KubernetesSnapshot {
    var shown: [KubernetesSnapshot.Node] = []
    for node in nodes where !deletedNodes.contains(node.name) {
      let view = await node.kubeletView()
      await noteConnection(of: node, view)
      let heardOf = isHeardOf(node.name)
      let ready = view.isHealthy && heardOf
      let reason = ready ? "KubeletReady" : heardOf ? "KubeletNotReady" : "NodeStatusUnknown"
      let message =
        ready
        ? "kubelet is posting ready status"
        : heardOf ? "the kubelet is restarting" : "Kubelet stopped posting node status."
      shown.append(
        KubernetesSnapshot.Node(
          name: node.name, address: node.address, isControlPlane: node.isControlPlane,
          ready: ready ? .yes : heardOf ? .no : .unknown, reason: reason, message: message,
          readySince: view.readySince, talosVersion: view.talosVersion,
          staticPodSecrets: view.staticPodSecrets,
          podsRunning: kubernetes.running.contains { $0.name == node.name }))
    }
    return KubernetesSnapshot(
      clusterName: options.name, kubernetesVersion: options.kubernetesVersion, nodes: shown,
      state: kubernetes, created: created)
  }

  /// The machine behind an address or name.
  func node(at target: String) -> SimulatedNode? {
    nodes.first { $0.address == target || $0.name == target }
  }
}

/// What a worker asks trustd for.
struct TrustdRequest: Sendable {
  var name: String
  var address: String
  var sans: [String]
  var token: String
  /// What the worker accepts trustd's certificate from.
  var accepted: [String]
}

/// SplitMix64: chance that a seed repeats.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
