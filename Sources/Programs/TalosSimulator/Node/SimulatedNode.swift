/// One simulated Talos machine.
///
/// Holds the machine's state, carries out what follows from a change, and keeps the resources that
/// the API shows in step with it. It has no sockets of its own: ``NodeServers`` serves it.
public actor SimulatedNode {
  public nonisolated let name: String
  public nonisolated let address: String
  public nonisolated let type: MachineType
  public nonisolated var isControlPlane: Bool { type.isControlPlane }

  /// The whole simulation runs on one thread of its own: an actor that borrowed a server's event
  /// loop would stand still for ever if that server is shut down.
  nonisolated let executor: SimulationExecutor
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    executor.asUnownedSerialExecutor()
  }

  nonisolated let hub: ClusterHub
  nonisolated let options: ClusterOptions
  nonisolated let servers: NodeServers
  /// The identity that the machine publishes in discovery.
  public nonisolated let nodeID: String

  var state: NodeState
  var resources = ResourceStore(definitions: ResourceCatalog.all)
  var bookmarks = BookmarkCoding()
  /// Tasks that wait for the next change of a resource.
  var resourceWaiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
  var nextWaiter: UInt64 = 0
  var log = MachineLog()
  public private(set) var faults = Faults()
  /// The static pods as they are, and as the kubelet last reported them; none on workers.
  var pods: [StaticPod] = []
  var reportedPods: [StaticPod] = []
  var containerStartedAt: [StaticPod.Component: ContinuousClock.Instant] = [:]
  var staticPodsChangedAt = ContinuousClock.now
  var kubeletStartedAt = ContinuousClock.now
  /// Counts the times that the machine was switched on or off.
  var boots = 0
  /// What the running API server serves and accepts by; nil while none runs.
  var running: KubernetesCertificates?
  var runningRoot: KubernetesRoot?
  var trustdServer: PEMPair?
  /// When the node last became Ready, or stopped being it; seconds since 1970.
  var readySince: Int64
  var readyAt = ContinuousClock.now
  /// Whether the machine runs. One that was just made does not.
  public internal(set) var isUp = false
  var work: [Work: WorkProgress] = [:]
  /// The true members, and what makes this machine's list of them differ.
  var members: [ClusterMember] = []
  var memberLies: [MemberLie] = []
  /// The machines that publish nothing of themselves, and whether this one did when last looked at.
  var unpublished: Set<String> = []
  var wasPublished = true
  /// CAs that trustd hands on beside those of the configuration.
  var handedOn: [String] = []
  var standing: StandingConfig?
  var claim: Claim?
  /// Configurations that a machine was given that claims to be a control plane or is in maintenance
  /// mode; the newest sixteen.
  public internal(set) var received: [[UInt8]] = []
  public internal(set) var isInMaintenance = false

  /// A background job of the machine. Each kind runs one at a time, and once more if it was asked
  /// for meanwhile.
  enum Work: Hashable {
    case apiCertificates, kubernetesCertificates, kubelet
    case pod(StaticPod.Component)
  }
  enum WorkProgress { case running, runningAndAskedAgain }

  init(
    name: String, address: String, config: NodeState.StoredConfig, hub: ClusterHub,
    options: ClusterOptions, servers: NodeServers, nodeID: String
  ) {
    self.name = name
    self.address = address
    self.type = config.config.type
    self.hub = hub
    executor = hub.executor
    self.options = options
    self.servers = servers
    self.nodeID = nodeID
    let minor = TalosVersion.minor(options.effectiveTalosVersion)
    state = NodeState(
      name: name, address: address, talosMinor: minor, config: config,
      hasKubernetes: !options.withoutKubernetes)
    readySince = WallClock.seconds()
  }

  // MARK: Clock

  /// The machine's own clock, in seconds since 1970.
  func now() -> Int64 { WallClock.seconds() + faults.clockOffset.components.seconds }

  func nowNanoseconds() -> Int64 {
    let (seconds, attoseconds) = faults.clockOffset.components
    return WallClock.nanoseconds() + seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }

  var issuing: CertificateIssuing { CertificateIssuing(now: now()) }

  // MARK: Faults

  /// Changes what is wrong with the machine.
  public func setFaults(_ change: @Sendable (inout Faults) -> Void) async {
    let before = faults
    change(&faults)
    servers.setClockOffset(faults.clockOffset.components.seconds)
    servers.setAPIServerFault(
      KubernetesEndpoint.Fault(status: faults.apiServerStatus, latency: faults.apiServerLatency))
    if before.apiServerDown != faults.apiServerDown {
      if faults.apiServerDown {
        await stopPods(failed: true)
      } else {
        try? await startPods(atOnce: true)
      }
    }
    if !faults.apiServerDown { await applyLeaderFaults(before) }
    if before.kubeletStuck && !faults.kubeletStuck { start(.kubelet) }
    if before.staticPodsStuck && !faults.staticPodsStuck { start(.kubernetesCertificates) }
    render()
  }

  private func applyLeaderFaults(_ before: Faults) async {
    let changes: [(StaticPod.Component, was: Bool, isDown: Bool)] = [
      (.controllerManager, before.controllerManagerDown, faults.controllerManagerDown),
      (.scheduler, before.schedulerDown, faults.schedulerDown),
    ]
    for (component, was, isDown) in changes where was != isDown {
      if isDown { await endContainer(component, failed: true) } else { start(.pod(component)) }
    }
  }

  /// The next apply's fault, used up by it.
  func takeApplyFault() -> Faults.ApplyFault? {
    faults.applies.isEmpty ? nil : faults.applies.removeFirst()
  }

  /// Whether the machine has nothing left to do because of a change.
  public var isSettled: Bool { work.isEmpty }

  // MARK: Being seen by the others

  struct KubeletView: Sendable {
    var isUp: Bool
    var isHealthy: Bool
    /// Why the node is not Ready although its kubelet is heard of.
    var complaint: String
    var client: PEMPair?
    var accepted: [String]
    var readySince: Int64
    var talosVersion: String
    var pods: [StaticPod]
  }

  func kubeletView() -> KubeletView {
    KubeletView(
      isUp: isUp && !isInMaintenance,
      isHealthy: state.service("kubelet")?.healthy == true && !faults.notReady && !faults.noNetwork
        && ContinuousClock.now >= readyAt && state.kubeletClient != nil,
      complaint: faults.noNetwork
        ? "container runtime network not ready: NetworkReady=false "
          + "reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not "
          + "initialized" : "the kubelet is restarting",
      client: state.kubeletClient, accepted: state.kubeletTrust.accepted, readySince: readySince,
      talosVersion: options.effectiveTalosVersion,
      pods: reportedPods)
  }

  var bootstrapToken: String { state.kubeletTrust.bootstrapToken }
}

/// Talos version strings such as `v1.13.4` or `v1.14.0-beta.1`.
enum TalosVersion {
  /// The minor version; 0 when the text is no version.
  static func minor(_ text: String) -> Int {
    let parts = text.drop { $0 == "v" }.split(separator: ".")
    return parts.count > 1 ? Int(parts[1]) ?? 0 : 0
  }
}
