internal import Crypto

/// The static pods of a control plane, as its kubelet runs them.
extension SimulatedNode {
  private var timing: Timing { options.timing }

  /// Whether this is still the boot of that number: whoever has slept asks before going on.
  private func isAlive(_ boot: Int) -> Bool { isUp && boots == boot }

  /// Whether a fault keeps the container from running.
  private func isDown(_ component: StaticPod.Component) -> Bool {
    faults.apiServerDown
      || (faults.controllerManagerDown && component == .controllerManager)
      || (faults.schedulerDown && component == .scheduler)
  }

  /// What the kubelet last told the API servers; nothing changes in it while the kubelet is away.
  func reportPods() {
    if state.service("kubelet")?.isRunning == true { reportedPods = pods }
  }

  /// Every pod that does not run what it should is brought there, each by a job of its own.
  func startPodJobs() {
    for pod in pods { start(.pod(pod.component)) }
  }

  private func pod(_ component: StaticPod.Component) -> StaticPod? {
    pods.first { $0.component == component }
  }

  private func change(
    _ component: StaticPod.Component, _ change: (inout StaticPod) -> Void
  ) {
    guard let index = pods.firstIndex(where: { $0.component == component }) else { return }
    change(&pods[index])
    reportPods()
  }

  // MARK: One pod's job

  /// Takes up new secrets: the kubelet looks, writes the mirror pod, ends the container and starts
  /// another one.
  func runPod(_ component: StaticPod.Component) async {
    let boot = boots
    guard isUp, let pod = pod(component) else { return }
    if pod.secretsVersion != state.staticPodVersion {
      guard await kubeletLooks(boot), !faults.staticPodsStuck else { return }
      try? await Task.sleep(for: timing.mirrorPod)
      guard isAlive(boot) else { return }
      let version = state.staticPodVersion
      change(component) { $0.mirrored(secretsVersion: version) }
      try? await Task.sleep(for: timing.podEnd)
      guard isAlive(boot) else { return }
      await endContainer(component, failed: false)
    } else if case .running = pod.phase {
      return
    }
    await runContainer(component)
  }

  /// Waits for the kubelet's first look after the static pods changed: at its start, or when it polls.
  ///
  /// - Returns: false when there is nobody to wait for.
  private func kubeletLooks(_ boot: Int) async -> Bool {
    let tick = max(timing.kubeletPoll / 50, .milliseconds(1))
    while isAlive(boot) {
      if state.service("kubelet")?.isRunning == true {
        var look = kubeletStartedAt
        while look < staticPodsChangedAt { look += max(timing.kubeletPoll, .milliseconds(1)) }
        look += faults.kubeletLookDelay
        if look <= .now { return true }
        try? await Task.sleep(for: min(tick, look - .now))
      } else {
        if faults.kubeletStuck { return false }
        try? await Task.sleep(for: tick)
      }
    }
    return false
  }

  /// Starts containers until one is ready.
  private func runContainer(_ component: StaticPod.Component) async {
    let boot = boots
    while isAlive(boot) {
      try? await Task.sleep(for: timing.containerStart)
      guard isAlive(boot), !isDown(component) else { return }
      beginContainer(component)
      if await becomesReady(component, boot) { return }
      guard isAlive(boot) else { return }
      await endContainer(component, failed: true)
      guard case .backingOff(let wait)? = pod(component)?.phase else { return }
      try? await Task.sleep(for: wait)
      // What failed is started with what is there now.
      let version = state.staticPodVersion
      change(component) { $0.mirrored(secretsVersion: version) }
    }
  }

  private func beginContainer(_ component: StaticPod.Component) {
    containerStartedAt[component] = .now
    let id = "containerd://" + Token.hexadecimal(bytes: 32)
    let now = now()
    change(component) { $0.started(containerID: id, now: now) }
  }

  private func becomesReady(_ component: StaticPod.Component, _ boot: Int) async -> Bool {
    switch component {
    case .apiServer:
      try? await Task.sleep(for: timing.apiServerStart)
      guard isAlive(boot), !isDown(component), (try? await serveKubernetes()) != nil else {
        return false
      }
    case .controllerManager, .scheduler:
      let patience =
        component == .scheduler ? timing.schedulerPatience : timing.controllerManagerPatience
      let end = ContinuousClock.now + patience
      while running == nil {
        guard isAlive(boot), ContinuousClock.now < end else { return false }
        try? await Task.sleep(for: max(patience / 100, .milliseconds(1)))
      }
      try? await Task.sleep(for: timing.leaderStart)
      guard isAlive(boot), !isDown(component) else { return false }
    }
    await isReady(component)
    return true
  }

  private func isReady(_ component: StaticPod.Component) async {
    change(component) { $0.becameReady() }
    if let led = component.led {
      await hub.processStarted(led, on: self, issuing: runningRoot?.issuing)
    }
  }

  func endContainer(_ component: StaticPod.Component, failed: Bool) async {
    let (now, timing) = (now(), timing)
    let ran = containerStartedAt[component].map { ContinuousClock.now - $0 } ?? .zero
    change(component) { $0.ended(failed: failed, now: now, ranFor: ran, timing: timing) }
    if let led = component.led {
      await hub.processStopped(led, on: self)
    } else {
      running = nil
      await servers.stopAPIServer()
      await hub.apiServerStopped(name)
    }
  }

  // MARK: The API server

  /// Opens the API server's port with the files that are there now.
  ///
  /// - Throws: when the port is taken, or the files cannot be read.
  private func serveKubernetes() async throws {
    guard let certificates = state.kubernetesCertificates, let root = state.kubernetesRoot else {
      throw SimulatorError.setup("\(name): no Kubernetes secrets")
    }
    guard !TrustPool.certificates(root.accepted).isEmpty else {
      throw SimulatorError.setup("\(name): the list of client CAs holds no certificate")
    }
    try await servers.startAPIServer(certificates, accepted: root.accepted)
    running = certificates
    runningRoot = root
    await hub.apiServerServes(
      KubernetesState.APIServer(name: name, accepted: root.accepted.joined()))
  }

  /// A running API server reads its files again. What cannot be read leaves the last good ones.
  func reloadKubernetes() async {
    guard running != nil, let certificates = state.kubernetesCertificates,
      let root = state.kubernetesRoot, !TrustPool.certificates(root.accepted).isEmpty,
      (try? servers.reloadAPIServer(certificates, accepted: root.accepted)) != nil
    else { return }
    running = certificates
    runningRoot = root
    await hub.apiServerServes(
      KubernetesState.APIServer(name: name, accepted: root.accepted.joined()))
  }

  // MARK: All of them

  /// The static pods end: the API server is gone, and another controller-manager may take the lead.
  ///
  /// - Parameter failed: whether they ended by themselves.
  func stopPods(failed: Bool) async {
    for pod in pods { await endContainer(pod.component, failed: failed) }
  }

  /// The static pods start with the secrets that are on disk now; controller-manager and scheduler
  /// once the API server answers.
  ///
  /// - Parameter atOnce: without the time that a container takes.
  /// - Throws: when the port is taken, or the files cannot be read.
  func startPods(atOnce: Bool) async throws {
    let boot = boots
    guard isUp, state.kubernetesCertificates != nil else { return }
    if pods.isEmpty {
      pods = StaticPod.Component.allCases.map {
        StaticPod($0, secretsVersion: state.staticPodVersion)
      }
    }
    for component in StaticPod.Component.allCases where !isDown(component) {
      if case .running? = pod(component)?.phase { continue }
      let version = state.staticPodVersion
      change(component) { $0.mirrored(secretsVersion: version) }
      beginContainer(component)
      if component == .apiServer {
        if !atOnce {
          try? await Task.sleep(for: timing.containerStart + timing.apiServerStart)
          guard isAlive(boot) else { return }
        }
        try await serveKubernetes()
      }
      await isReady(component)
    }
    reportedPods = pods
  }

  /// What the running API server shows: its leaf first.
  func apiServerCertificate() -> [Certificate]? {
    guard isUp, let running else { return nil }
    return TrustPool.certificates([running.apiServer.certificate])
  }
}
