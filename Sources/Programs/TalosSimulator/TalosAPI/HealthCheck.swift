internal import ProtoCodec
internal import RPC
internal import Schema

/// `cluster.ClusterService/HealthCheck`: looks at one thing after another until each is well, and says so
/// on the way (siderolabs/talos, pkg/cluster/check).
struct HealthCheck: Sendable {
  let node: SimulatedNode

  /// How often what is not well yet is looked at again.
  private static let pollInterval = Duration.milliseconds(500)

  func register(in router: inout ServiceRouter) {
    router.handle(Talos.ClusterServiceMethods.healthCheck) {
      (request: Talos.HealthCheckRequest, writer: ResponseWriter<Talos.HealthCheckProgress>, _) in
      try await node.requireControlPlane("cluster health check")
      try await run(request, writer)
    }
  }

  private func run(
    _ request: Talos.HealthCheckRequest, _ writer: ResponseWriter<Talos.HealthCheckProgress>
  ) async throws {
    let deadline = ContinuousClock.now + (request.waitTimeout.map(Duration.init) ?? .zero)
    let view = await view(request.clusterInfo)
    let quoted = view.addresses.map { "\"\($0)\"" }.joined(separator: " ")
    try await report("discovered nodes: [\(quoted)]", writer)
    for condition in Condition.all {
      if ContinuousClock.now >= deadline { throw Self.late }
      var shown = "..."
      try await report("waiting for \(condition.description): \(shown)", writer)
      while true {
        let complaint = await condition.complaint(view)
        if complaint ?? "OK" != shown {
          shown = complaint ?? "OK"
          try await report("waiting for \(condition.description): \(shown)", writer)
        }
        if complaint == nil { break }
        if ContinuousClock.now >= deadline { throw Self.late }
        try await Task.sleep(for: min(Self.pollInterval, deadline - .now))
      }
    }
  }

  private static var late: RPCError { RPCError(.deadlineExceeded, "context deadline exceeded") }

  private func report(
    _ message: String, _ writer: ResponseWriter<Talos.HealthCheckProgress>
  ) async throws {
    var progress = Talos.HealthCheckProgress()
    progress.message = message
    try await writer.write(progress)
  }

  /// The machines that are looked at: those that the caller names, the members, or where there are none
  /// the Kubernetes nodes.
  private func view(_ info: Talos.ClusterInfo?) async -> ClusterView {
    var controlPlanes = info?.controlPlaneNodes ?? []
    var workers = info?.workerNodes ?? []
    if controlPlanes.isEmpty && workers.isEmpty {
      for member in await node.shownMembers {
        guard let address = member.addresses.last else { continue }
        if member.type.isControlPlane {
          controlPlanes.append(address)
        } else {
          workers.append(address)
        }
      }
    }
    if controlPlanes.isEmpty && workers.isEmpty {
      let nodes = await node.hub.snapshot().nodes
      controlPlanes = nodes.filter(\.isControlPlane).map(\.address)
      workers = nodes.filter { !$0.isControlPlane }.map(\.address)
    }
    return ClusterView(hub: node.hub, controlPlanes: controlPlanes, workers: workers)
  }
}

/// The machines that a health check looks at.
struct ClusterView: Sendable {
  let hub: ClusterHub
  let controlPlanes: [String]
  let workers: [String]

  var addresses: [String] { controlPlanes + workers }

  /// The first complaint about one of the machines.
  func complaint(
    about addresses: [String], _ look: (SimulatedNode) async -> String?
  ) async -> String? {
    for address in addresses {
      guard let machine = await hub.node(at: address), await machine.isUp,
        await !machine.isInMaintenance
      else {
        return
          "\(address): rpc error: code = Unavailable desc = connection error: connection refused"
      }
      if let complaint = await look(machine) { return complaint }
    }
    return nil
  }

  func complaint(aboutService id: String) async -> String? {
    await complaint(about: controlPlanes) { machine in
      guard let service = await machine.state.service(id) else {
        return "\(machine.address): no events recorded yet for service \"\(id)\""
      }
      if !service.isRunning {
        return "\(machine.address): service \"\(id)\" not in expected state \"Running\": "
          + "current state [\(service.state)]"
      }
      return service.healthy ? nil : "\(machine.address): service is not healthy: \(id)"
    }
  }

  /// A complaint about static pods, of which the pods are given that are not as they should be.
  func complaint(
    aboutPods what: (StaticPod) -> Bool, _ words: (String, [String]) -> String
  ) async -> String? {
    await complaint(about: controlPlanes) { machine in
      let wrong = await machine.kubeletView().pods.filter(what).map(\.component.rawValue)
      return wrong.isEmpty ? nil : words(machine.address, wrong)
    }
  }

  /// A complaint about the Kubernetes nodes of the machines.
  func complaint(
    aboutNodes isWrong: (KubernetesSnapshot.Node) -> Bool, _ words: ([String]) -> String
  ) async -> String? {
    let nodes = await hub.snapshot().nodes.filter { addresses.contains($0.address) }
    let wrong = nodes.filter(isWrong).map(\.name)
    return wrong.isEmpty ? nil : words(wrong)
  }
}

/// One thing that has to be well in a healthy cluster.
private struct Condition: Sendable {
  let description: String
  /// What is not well; nil when all is.
  let complaint: @Sendable (ClusterView) async -> String?

  init(_ description: String, _ complaint: @escaping @Sendable (ClusterView) async -> String?) {
    self.description = description
    self.complaint = complaint
  }

  /// In the order in which Talos looks.
  static let all: [Condition] = [
    Condition("etcd to be healthy") { await $0.complaint(aboutService: "etcd") },
    Condition("etcd members to be consistent across nodes") { view in
      await view.complaint(about: view.controlPlanes) { _ in nil }
    },
    Condition("etcd members to be control plane nodes") { _ in nil },
    Condition("apid to be ready") { view in await view.complaint(about: view.addresses) { _ in nil }
    },
    Condition("all nodes memory sizes") { _ in nil },
    Condition("all nodes disk sizes") { _ in nil },
    Condition("no diagnostics") { _ in nil },
    Condition("kubelet to be healthy") { await $0.complaint(aboutService: "kubelet") },
    Condition("all nodes to finish boot sequence") { view in
      await view.complaint(about: view.addresses) { _ in nil }
    },
    Condition("all k8s nodes to report") { view in
      let known = Set(await view.hub.snapshot().nodes.map(\.address))
      let missing = view.addresses.filter { !known.contains($0) }
      return missing.isEmpty
        ? nil : "can't find expected node with IPs [\(missing.joined(separator: " "))]"
    },
    Condition("all control plane static pods to be running") { view in
      await view.complaint(aboutPods: { if case .running = $0.phase { false } else { true } }) {
        "missing static pods on node \($0): [\($1.joined(separator: " "))]"
      }
    },
    Condition("all control plane components to be ready") { view in
      await view.complaint(aboutPods: { !$0.isReady }) { address, pods in
        "\(address): some pods are not ready: [\(pods.joined(separator: " "))]"
      }
    },
    Condition("all k8s nodes to report ready") { view in
      await view.complaint(aboutNodes: { !$0.isReady }) {
        "some nodes are not ready: [\($0.joined(separator: " "))]"
      }
    },
    Condition("kube-proxy to report ready") { view in
      await view.complaint(aboutNodes: { !$0.isReady }) {
        "some pods are not ready: [\($0.joined(separator: " "))]"
      }
    },
    Condition("coredns to report ready") { _ in nil },
    Condition("all k8s nodes to report schedulable") { _ in nil },
  ]
}
