/// One simulated machine without its sockets, clocks and keys: what it holds, and what it has to do
/// when something changes. Every method is named for what happened and returns the effects, which
/// the caller carries out and reports back.
struct NodeState: Sendable {
  /// A config as it was submitted and as it was understood.
  struct StoredConfig: Sendable, Equatable {
    var source: [UInt8]
    var config: MachineConfig
  }

  /// What is to be done because of a change.
  enum Effect: Sendable, Equatable {
    /// Issue apid's certificates anew: a control plane itself, a worker by asking a trustd.
    case renewAPICertificates
    /// Issue the Kubernetes control plane's certificates anew, then restart its pods.
    case renewKubernetesCertificates
    case restartKubelet
    /// Put the configuration from before back after a time, unless another apply comes first.
    case scheduleRollback(generation: Int, after: Duration)
  }

  /// A running service as `ServiceList` and the `Services` resources show it.
  struct ServiceState: Sendable, Equatable {
    var id: String
    var state: String
    var healthy: Bool
    var isRunning: Bool { state == "Running" }
  }

  let name: String
  let address: String
  let talosMinor: Int
  private(set) var active: StoredConfig
  private(set) var persisted: StoredConfig
  private(set) var staged: StoredConfig?
  private(set) var apiCertificates: APICertificates?
  private(set) var kubernetesCertificates: KubernetesCertificates?
  /// Counts the times that secrets were made for the static pods.
  private var kubernetesSecrets = 0
  /// The version of the secrets whose files are written (`SecretStatuses`), and the one that the
  /// static pods name (`StaticPods`). Zero before the first.
  private(set) var secretsVersion = 0
  private(set) var staticPodVersion = 0
  private(set) var services: [ServiceState]
  /// kubelet-client-current.pem; nil until the first bootstrap and after it was thrown away.
  private(set) var kubeletClient: PEMPair?
  private var applying = false
  private var rollback: (generation: Int, to: StoredConfig)?
  private var rollbackGeneration = 0

  /// - Parameter hasKubernetes: whether it runs a kubelet, and on a control plane etcd.
  init(
    name: String, address: String, talosMinor: Int, config: StoredConfig,
    hasKubernetes: Bool = true
  ) {
    self.name = name
    self.address = address
    self.talosMinor = talosMinor
    active = config
    persisted = config
    var ids = ["apid", "auditd", "containerd", "cri", "dashboard", "machined", "udevd"]
    if hasKubernetes { ids.append("kubelet") }
    if config.config.type.isControlPlane { ids += hasKubernetes ? ["etcd", "trustd"] : ["trustd"] }
    services = ids.sorted().map { ServiceState(id: $0, state: "Running", healthy: true) }
  }

  var type: MachineType { active.config.type }
  var osRoot: OSRoot { OSRoot(active.config) }
  var kubernetesRoot: KubernetesRoot? { KubernetesRoot(active.config, talosMinor: talosMinor) }
  var kubeletTrust: KubeletTrust { KubeletTrust(active.config) }
  var isRollbackPending: Bool { rollback != nil }

  func service(_ id: String) -> ServiceState? { services.first { $0.id == id } }

  // MARK: ApplyConfiguration

  /// One config is applied at a time.
  mutating func applyBegan() -> Bool {
    if applying { return false }
    applying = true
    return true
  }

  mutating func applyEnded() { applying = false }

  /// Any request that does not try ends a trial: what was tried stays. Talos does this before it
  /// looks at the config, so even a refused one has this effect.
  mutating func applyRequested(mode: ApplyMode) {
    if mode != .tryOut { rollback = nil }
  }

  /// The config has passed all checks and takes effect.
  mutating func configApplied(
    _ new: StoredConfig, mode: ApplyMode, tryFor timeout: Duration
  )
    -> [Effect]
  {
    switch mode {
    case .staged:
      staged = new
      persisted = new
      return []
    case .tryOut:
      rollbackGeneration += 1
      rollback = (rollbackGeneration, active)
      return activate(new) + [.scheduleRollback(generation: rollbackGeneration, after: timeout)]
    case .noReboot:
      persisted = new
      return activate(new)
    }
  }

  /// The time of a trial is over.
  mutating func rollbackDue(generation: Int) -> [Effect] {
    guard let pending = rollback, pending.generation == generation else { return [] }
    rollback = nil
    return activate(pending.to)
  }

  /// The machine has booted: what is on disk counts.
  mutating func rebooted() {
    // Versions are counted in memory.
    kubernetesSecrets = 0
    secretsVersion = 0
    staticPodVersion = 0
    rollback = nil
    applying = false
    staged = nil
    active = persisted
  }

  /// Makes a config the active one and finds out which controllers see a change.
  private mutating func activate(_ new: StoredConfig) -> [Effect] {
    let before = (osRoot, kubernetesRoot, kubeletTrust)
    active = new
    var effects: [Effect] = []
    if osRoot != before.0 { effects.append(.renewAPICertificates) }
    if kubernetesRoot != before.1, kubernetesRoot != nil {
      effects.append(.renewKubernetesCertificates)
    }
    if kubeletTrust != before.2 { effects.append(.restartKubelet) }
    return effects
  }

  // MARK: What came of the effects

  mutating func apiCertificatesIssued(_ certificates: APICertificates) {
    apiCertificates = certificates
  }

  mutating func kubernetesCertificatesIssued(_ certificates: KubernetesCertificates) {
    kubernetesCertificates = certificates
    kubernetesSecrets += 1
  }

  mutating func secretsWritten() { secretsVersion = kubernetesSecrets }

  mutating func staticPodsWritten() { staticPodVersion = secretsVersion }

  /// The kubelet stops for a restart. Its client certificate is thrown away when no accepted CA
  /// verifies it any more.
  mutating func kubeletStopped(certificateStillAccepted: Bool) {
    setService("kubelet", state: "Finished", healthy: false)
    if !certificateStillAccepted { kubeletClient = nil }
  }

  /// The kubelet runs, but has not yet been found healthy.
  mutating func kubeletStarted() { setService("kubelet", state: "Running", healthy: false) }

  /// The kubelet is healthy; it may have got a new client certificate on the way.
  mutating func kubeletBecameHealthy(client: PEMPair?) {
    if let client { kubeletClient = client }
    setService("kubelet", state: "Running", healthy: true)
  }

  /// The machine was reset: what needs a configuration does not run.
  mutating func enteredMaintenance() {
    rollback = nil
    kubeletClient = nil
    services.removeAll { ["kubelet", "etcd", "trustd", "cri"].contains($0.id) }
  }

  private mutating func setService(_ id: String, state: String, healthy: Bool) {
    guard let index = services.firstIndex(where: { $0.id == id }) else { return }
    services[index].state = state
    services[index].healthy = healthy
  }
}

/// How a config is to be applied; AUTO means ``noReboot`` on a running machine.
enum ApplyMode: Sendable, Equatable { case noReboot, staged, tryOut }
