internal import Crypto

/// What a machine does after a change, in the background, as Talos' controllers do.
extension SimulatedNode {
  /// Carries out effects of the state.
  func perform(_ effects: [NodeState.Effect]) {
    render()
    for effect in effects {
      switch effect {
      case .renewAPICertificates: start(.apiCertificates)
      case .renewKubernetesCertificates: start(.kubernetesCertificates)
      case .restartKubelet: start(.kubelet)
      case .scheduleRollback(let generation, let delay):
        Task {
          try? await Task.sleep(for: delay)
          perform(state.rollbackDue(generation: generation))
        }
      }
    }
  }

  /// Starts a job, or has it run again after the run that is under way.
  func start(_ kind: Work) {
    guard work[kind] == nil else {
      work[kind] = .runningAndAskedAgain
      return
    }
    work[kind] = .running
    Task {
      while true {
        work[kind] = .running
        switch kind {
        case .apiCertificates: await renewAPICertificates()
        case .kubernetesCertificates: await renewKubernetesCertificates()
        case .kubelet: await restartKubelet()
        case .pod(let component): await runPod(component)
        }
        if work[kind] == .running { break }
      }
      work[kind] = nil
    }
  }

  /// Issues everything that is issued from time to time even if nothing changed: what Talos does
  /// every twelve hours.
  public func refreshCertificates() {
    start(.apiCertificates)
    if isControlPlane { start(.kubernetesCertificates) }
  }

  /// First certificates of a machine that boots into an existing cluster.
  ///
  /// - Parameter atOnce: without the time that the containers take.
  func bootControlPlane(atOnce: Bool) async throws {
    let certificates = try issueAPICertificates()
    state.apiCertificatesIssued(certificates)
    try issueKubernetesCertificates()
    state.secretsWritten()
    state.staticPodsWritten()
    staticPodsChangedAt = .now
    try servers.apidCertificatesChanged(certificates, outage: .zero, dropClients: false)
    if !faults.apiServerDown { try await startPods(atOnce: atOnce) }
    render()
  }

  func bootWorker() async throws {
    guard let certificates = try await requestAPICertificates() else {
      throw SimulatorError.setup("\(name): no trustd answers")
    }
    state.apiCertificatesIssued(certificates)
    try servers.apidCertificatesChanged(certificates, outage: .zero, dropClients: false)
    render()
  }

  /// The kubelet's first certificate.
  func bootKubelet() async throws {
    let trust = state.kubeletTrust
    guard
      let client = await hub.bootstrapKubelet(
        node: name, token: trust.bootstrapToken, trust: trust)
    else { throw SimulatorError.setup("\(name): the kubelet cannot bootstrap") }
    state.kubeletBecameHealthy(client: client)
    render()
  }

  // MARK: apid

  private func renewAPICertificates() async {
    try? await Task.sleep(for: options.timing.apidReload)
    if isInMaintenance { return }
    do {
      let certificates: APICertificates
      if isControlPlane {
        certificates = try issueAPICertificates()
      } else {
        guard let answer = try await requestAPICertificates() else {
          // Nobody answered. Talos tries again until somebody does.
          work[.apiCertificates] = .runningAndAskedAgain
          try? await Task.sleep(for: options.timing.trustdRetry)
          return
        }
        certificates = answer
      }
      try servers.apidCertificatesChanged(
        certificates, outage: options.timing.proxyOutage,
        dropClients: faults.dropsClientsOnReload)
      state.apiCertificatesIssued(certificates)
      render()
    } catch {
      // A CA that cannot be read or cannot sign: the last good certificates stay in use.
    }
  }

  private func issueAPICertificates() throws -> APICertificates {
    let root = state.osRoot
    guard let ca = root.issuing else { throw SimulatorError.setup("\(name): no issuing CA") }
    let sans = root.certificateSANs + options.certifiedAddresses
    let server = try issuing.machineServer(ca, name: name, address: address, sans: sans)
    trustdServer = try issuing.machineServer(ca, name: name, address: address, sans: sans)
    return APICertificates(
      server: server, client: try issuing.impersonator(ca, name: name), accepted: root.accepted)
  }

  private func requestAPICertificates() async throws -> APICertificates? {
    try? await Task.sleep(for: options.timing.trustd)
    let root = state.osRoot
    let request = TrustdRequest(
      name: name, address: address, sans: root.certificateSANs, token: root.token,
      accepted: root.accepted)
    guard let answer = await hub.requestCertificate(request) else { return nil }
    return APICertificates(server: answer.server, client: nil, accepted: [answer.accepted])
  }

  /// trustd's side: signs with the issuing CA of this machine's config and tells the worker to
  /// accept what this machine accepts. Nil when the worker would not get an answer.
  func trustdSign(_ request: TrustdRequest) -> ClusterHub.TrustdAnswer? {
    let root = state.osRoot
    guard isUp, !isInMaintenance, !faults.trustdDown, let ca = root.issuing,
      root.token == request.token,
      let own = trustdServer, let certificate = try? Certificate(pem: own.certificate),
      ChainVerification.accepts(
        certificate, roots: TrustPool.certificates(request.accepted), purpose: .server, at: now())
    else { return nil }
    // The worker makes its key of the kind of the last CA it accepts.
    let kind = TrustPool.certificates(request.accepted).last?.keyAlgorithm
    guard
      let server = try? issuing.machineServer(
        ca, name: request.name, address: request.address, sans: request.sans, key: kind)
    else { return nil }
    return ClusterHub.TrustdAnswer(server: server, accepted: (root.accepted + handedOn).joined())
  }

  // MARK: Kubernetes control plane

  /// New secrets for the static pods: files first, by which the running API server goes on at once,
  /// then the resources. The kubelet restarts the pods when it looks.
  private func renewKubernetesCertificates() async {
    let timing = options.timing
    try? await Task.sleep(for: timing.kubernetesSecrets)
    do { try issueKubernetesCertificates() } catch {
      // As for apid: the last good certificates stay in use.
      return
    }
    render()
    if faults.staticPodsStuck { return }
    try? await Task.sleep(for: timing.apiServerReload)
    await reloadKubernetes()
    try? await Task.sleep(for: timing.secretStatus)
    state.secretsWritten()
    render()
    try? await Task.sleep(for: timing.staticPods)
    state.staticPodsWritten()
    staticPodsChangedAt = .now
    render()
    startPodJobs()
  }

  private func issueKubernetesCertificates() throws {
    guard let root = state.kubernetesRoot else { return }
    state.kubernetesCertificatesIssued(
      try issuing.kubernetes(
        root, name: name, addresses: [address] + options.certifiedAddresses))
  }

  // MARK: kubelet

  private func restartKubelet() async {
    guard state.service("kubelet") != nil else { return }
    state.kubeletStopped(certificateStillAccepted: kubeletCertificateIsAccepted())
    readySince = WallClock.seconds()
    render()
    try? await Task.sleep(for: options.timing.kubeletRestart)
    if faults.kubeletStuck { return }
    state.kubeletStarted()
    kubeletStartedAt = .now
    reportPods()
    startPodJobs()
    render()
    var client: PEMPair?
    while state.kubeletClient == nil && client == nil {
      let trust = state.kubeletTrust
      client = await hub.bootstrapKubelet(node: name, token: trust.bootstrapToken, trust: trust)
      if client == nil {
        if work[.kubelet] == .runningAndAskedAgain { return }
        try? await Task.sleep(for: .milliseconds(100))
      }
    }
    readyAt = .now + options.timing.nodeReady
    readySince = WallClock.seconds()
    state.kubeletBecameHealthy(client: client)
    render()
    await hub.kubeletStarted(name)
    await hub.connectionsChanged()
  }

  private func kubeletCertificateIsAccepted() -> Bool {
    guard let client = state.kubeletClient,
      let certificate = try? Certificate(pem: client.certificate)
    else { return false }
    return ChainVerification.accepts(
      certificate, roots: TrustPool.certificates(state.kubeletTrust.accepted), purpose: .any,
      at: now())
  }
}
