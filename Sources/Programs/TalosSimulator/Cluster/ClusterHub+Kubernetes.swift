/// What the control planes' processes do through etcd: serve, lead, publish.
extension ClusterHub {
  /// An API server has started, or goes on with other files.
  func apiServerServes(_ server: KubernetesState.APIServer) async {
    kubernetes.apiServerServes(server)
    await connectionsChanged()
  }

  func apiServerStopped(_ name: String) async {
    kubernetes.apiServerStopped(name)
    await connectionsChanged()
  }

  /// A controller-manager or scheduler is ready to lead.
  func processStarted(_ led: KubernetesState.Led, on node: SimulatedNode, issuing: PEMPair?) {
    let process = LeaderLease.Process(
      node: node.name, identity: "\(node.name)_\(Token.uuid())", issuing: issuing)
    let leads = kubernetes.started(
      led, process, leaseHasRunOut: freeLeases.contains(led),
      now: node.servers.clockNanoseconds())
    if leads { leaderChanged(led) }
  }

  /// It is gone; if it led, its lease runs out first.
  func processStopped(_ led: KubernetesState.Led, on node: SimulatedNode) {
    guard kubernetes.stopped(led, node: node.name, now: node.servers.clockNanoseconds()) else {
      return
    }
    Task {
      try? await Task.sleep(for: options.timing.leaseDuration)
      freeLeases.insert(led)
      let clocks = Dictionary(
        uniqueKeysWithValues: nodes.map { ($0.name, $0.servers.clockNanoseconds()) })
      if kubernetes.leaseRanOut(led, now: { clocks[$0] ?? 0 }) { leaderChanged(led) }
    }
  }

  private func leaderChanged(_ led: KubernetesState.Led) {
    freeLeases.remove(led)
    guard led == .controllerManager else { return }
    Task {
      try? await Task.sleep(for: options.timing.rootCAPublish)
      kubernetes.leaderPublished(now: WallClock.nanoseconds() / 1_000_000_000)
    }
  }

  /// At the first boot there is nothing to wait for.
  func leaderPublishedNow() {
    kubernetes.leaderPublished(now: WallClock.nanoseconds() / 1_000_000_000)
  }

  /// Somebody deleted the ConfigMap of client CAs; an API server writes it anew.
  func extensionDeleted() {
    kubernetes.extensionDeleted()
    Task {
      try? await Task.sleep(for: options.timing.extensionRestore)
      kubernetes.extensionRestored()
    }
  }
}
