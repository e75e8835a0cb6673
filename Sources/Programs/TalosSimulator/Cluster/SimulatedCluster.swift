internal import Crypto
internal import Synchronization

/// Why a simulated cluster could not be made.
public enum SimulatorError: Error, Sendable, CustomStringConvertible {
  /// An option makes no sense; the text says which and why.
  case options(String)
  /// An address or port is taken, or a file cannot be written.
  case setup(String)

  public var description: String {
    switch self {
    case .options(let text), .setup(let text): text
    }
  }
}

/// A Talos cluster on loopback addresses that speaks the same protocols with real TLS.
///
/// Every machine has an address of its own: apid listens there, and on control planes a Kubernetes
/// API server. Machines refuse what Talos refuses; what goes wrong beyond that is set with
/// ``SimulatedNode/setFaults(_:)``, ``SimulatedNode/powerOff()`` and ``SimulatedNode/powerOn()``.
public final class SimulatedCluster: Sendable {
  public let options: ClusterOptions
  /// The machines, control planes first.
  public let nodes: [SimulatedNode]
  /// The ports that are in use: those of the options, or the ones that were found free.
  public let port: Int
  public let kubernetesPort: Int
  /// The admin's client files as of the beginning.
  public let talosconfig: String
  public let kubeconfig: String
  public let secretsBundle: String
  let hub: ClusterHub

  /// Generates secrets, configs and machines. Nothing listens yet.
  ///
  /// - Throws: `SimulatorError.options` for options that make no sense, `.setup` when no port is
  ///   free.
  public init(_ options: ClusterOptions) async throws {
    self.options = options
    let plan = try await AddressPlan(options)
    port = plan.port
    kubernetesPort = plan.kubernetesPort
    let now = WallClock.seconds()
    let secrets = try ClusterSecrets.generate(
      now: now, talosValidity: Self.validity(options.talosCALifetime),
      kubernetesValidity: Self.validity(options.kubernetesCALifetime))
    let endpoint =
      "https://\(options.sharedAddress ?? plan.machines[0].address):\(plan.kubernetesPort)"
    hub = ClusterHub(options: options, created: now)

    var machines: [SimulatedNode] = []
    for machine in plan.machines {
      let template = ConfigTemplate(
        name: machine.name, address: machine.address, type: machine.type, index: machine.index,
        clusterName: options.name, endpoint: endpoint, kubernetesPort: plan.kubernetesPort,
        layout: options.layout, withoutKubernetes: options.withoutKubernetes,
        hasDiscovery: !options.withoutDiscovery,
        talosVersion: options.effectiveTalosVersion,
        kubernetesVersion: options.kubernetesVersion, secrets: secrets)
      let source = Array(template.render().utf8)
      let config = try MachineConfig(
        submitted: source, talosMinor: TalosVersion.minor(options.effectiveTalosVersion))
      machines.append(
        SimulatedNode(
          name: machine.name, address: machine.address,
          config: NodeState.StoredConfig(source: source, config: config), hub: hub,
          options: options,
          servers: NodeServers(
            address: machine.address, port: plan.port, kubernetesPort: plan.kubernetesPort,
            hub: hub),
          nodeID: Token.nodeID()))
    }
    nodes = machines
    await hub.attach(machines)

    let issuing = CertificateIssuing(now: now)
    let controlPlanes = plan.machines.filter { $0.type.isControlPlane }
    talosconfig = ClientConfigs.talosconfig(
      context: options.name,
      endpoints: controlPlanes.map {
        plan.port == 50000 ? $0.address : "\($0.address):\(plan.port)"
      },
      nodes: [], ca: secrets.talosCA.certificate,
      client: try issuing.talosClient(secrets.talosCA, roles: [Role.admin]))
    kubeconfig = ClientConfigs.kubeconfig(
      cluster: options.name, server: endpoint, ca: secrets.kubernetesCA.certificate,
      client: try issuing.kubernetesAdmin(secrets.kubernetesCA))
    secretsBundle = ClientConfigs.secretsBundle(secrets)
  }

  public func node(_ name: String) -> SimulatedNode? {
    nodes.first { $0.name == name || $0.address == name }
  }

  /// Boots every machine; returns when all of them serve and every node is Ready.
  ///
  /// - Throws: `SimulatorError.setup` when an address or port is taken.
  public func start() async throws {
    if options.sharedAddress != nil {
      try await moveSharedAddress(to: nodes.first)
    } else {
      await publishMembers()
    }
    for node in nodes where node.isControlPlane { try await node.powerOnFirstTime() }
    for node in nodes where !node.isControlPlane { try await node.powerOnFirstTime() }
    await hub.leaderPublishedNow()
    if !options.withoutKubernetes {
      for node in nodes { try await node.bootKubelet() }
    }
    if options.noNetwork {
      for node in nodes { await node.setFaults { $0.noNetwork = true } }
    }
    let lifetimes = [options.talosCALifetime, options.kubernetesCALifetime]
    if lifetimes.contains(where: { $0.map { $0 <= .zero } ?? false }) {
      // A cluster cannot boot with a CA that has expired, so it expires now.
      while WallClock.seconds() <= hub.created + Self.bootTime {
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  /// How long a CA lives that is to be expired when the cluster has started, in seconds.
  private static let bootTime: Int64 = 4

  private static func validity(_ lifetime: Duration?) -> Int64? {
    lifetime.map { max($0.components.seconds, bootTime) }
  }

  /// Ends everything.
  public func stop() async {
    for node in nodes { await node.powerOff() }
  }

  /// Waits until no machine has anything left to do because of a change.
  public func settle(within limit: Duration = .seconds(10)) async -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
      var busy = false
      for node in nodes where await !node.isSettled { busy = true }
      if !busy { return true }
      try? await Task.sleep(for: .milliseconds(5))
    }
    return false
  }

  /// The names of the Kubernetes nodes that are Ready.
  public func readyNodes() async -> Set<String> {
    Set(await hub.snapshot().nodes.filter(\.isReady).map(\.name))
  }
}
