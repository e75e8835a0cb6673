internal import Crypto

/// Kubelets and their nodes, as the API servers and the node controller see them.
extension ClusterHub {
  func podDeleted(_ name: String) {
    kubernetes.podDeleted(name, now: WallClock.nanoseconds() / 1_000_000_000)
  }

  func nodeDeleted(_ name: String) { deletedNodes.insert(name) }

  func kubeletStarted(_ name: String) { deletedNodes.remove(name) }

  /// Bootstraps a kubelet: an API server must be there, know the token and be trusted by the
  /// kubelet; the leading controller-manager signs.
  func bootstrapKubelet(node: String, token: String, trust: KubeletTrust) async -> PEMPair? {
    guard let leader = kubernetes.leader,
      let signer = nodes.first(where: { $0.name == leader.node }),
      await reachableAPIServer(trusted: trust.accepted, client: nil) != nil,
      await signer.bootstrapToken == token, let issuing = await signer.runningRoot?.issuing
    else { return nil }
    return try? CertificateIssuing(now: signer.servers.clock()).kubernetesClient(
      issuing, user: "system:node:\(node)", group: "system:nodes")
  }

  /// An API server that runs, whose certificate the CAs verify and, if a client certificate is
  /// given, that accepts it.
  private func reachableAPIServer(
    trusted: [String], client: PEMPair?
  ) async -> KubernetesState.APIServer? {
    let roots = TrustPool.certificates(trusted)
    let now = WallClock.seconds()
    for controlPlane in kubernetes.apiServers {
      guard let node = nodes.first(where: { $0.name == controlPlane.name }),
        let serving = await node.apiServerCertificate(), let leaf = serving.first,
        ChainVerification.accepts(
          leaf, intermediates: Array(serving.dropFirst()), roots: roots, purpose: .server, at: now)
      else { continue }
      guard let client else { return controlPlane }
      guard let certificate = TrustPool.certificates([client.certificate]).first else { return nil }
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
    defer {
      if lostSince[node.name] == nil {
        leaseRenewals[node.name] = node.servers.clockNanoseconds()
      }
    }
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
        : heardOf ? view.complaint : "Kubelet stopped posting node status."
      shown.append(
        KubernetesSnapshot.Node(
          name: node.name, address: node.address, isControlPlane: node.isControlPlane,
          ready: ready ? .yes : heardOf ? .no : .unknown, reason: reason, message: message,
          readySince: view.readySince, talosVersion: view.talosVersion,
          pods: view.pods, clock: node.servers.clockNanoseconds(),
          leaseRenewed: leaseRenewals[node.name] ?? created * 1_000_000_000))
    }
    for stray in strayNodes where !deletedNodes.contains(stray.name) {
      shown.append(
        KubernetesSnapshot.Node(
          name: stray.name, address: stray.address, isControlPlane: false,
          ready: stray.isReady ? .yes : .unknown,
          reason: stray.isReady ? "KubeletReady" : "NodeStatusUnknown",
          message: stray.isReady
            ? "kubelet is posting ready status" : "Kubelet stopped posting node status.",
          readySince: created, talosVersion: options.effectiveTalosVersion,
          leaseRenewed: stray.isReady ? WallClock.nanoseconds() : created * 1_000_000_000))
    }
    return KubernetesSnapshot(
      clusterName: options.name, kubernetesVersion: options.kubernetesVersion, nodes: shown,
      state: kubernetes, created: created)
  }
}
