import Crypto
import Orchestrator
import Rotation
import Synchronization

/// Proofs at the Kubernetes API servers and kubelets.
extension TalosDriver {
  /// The port of a control plane's API server, from its configuration.
  func apiServerPort(_ machine: Machine, _ access: ClusterAccess) async -> Int {
    if let known = notes.withLock({ $0.apiServerPorts[machine.address] }) { return known }
    let config = try? await withMachine(machine, access, within: .zero) {
      client async throws(TalosFailure) in try await client.machineConfig()
    }
    guard let config, let parsed = try? MachineConfig(config) else { return 6443 }
    notes.withLock { $0.apiServerPorts[machine.address] = parsed.apiServerPort }
    return parsed.apiServerPort
  }

  /// What an API server serves and whom it lets in.
  ///
  /// - Parameter isUnready: whether it was unwell before the rotation and need not be there.
  func probeAPIServer(
    _ change: TrustChange, _ trust: ChangeTrust, _ machine: Machine, _ access: ClusterAccess,
    isUnready: Bool
  ) async -> [CheckResult] {
    var results: [CheckResult] = []
    let port = await apiServerPort(machine, access)
    let newest = trust.accepted.contains(trust.new) ? change.new : change.old
    let other = newest == change.new ? change.old : change.new
    async let first = askNodes(machine, port, as: newest, trust)
    async let second =
      trust.accepted.count > 1 ? askNodes(machine, port, as: other, trust) : nil
    // Trusting the issuing authority alone proves the leaf; readiness comes with it.
    let ready = await ask(machine, port, "/readyz", as: newest, trusting: [trust.issuing])
    if case .unreachable = ready, isUnready {
      return [
        CheckResult(
          .apiServerReady, .notApplicable,
          "did not run before the rotation and does not now; not waited for")
      ]
    }
    switch ready {
    case .status(let code, _):
      results.append(
        CheckResult(.apiServerLeaf, .passed, "issued by \(trust.name(trust.issuing))"))
      results.append(
        code == 200
          ? CheckResult(.apiServerReady, .passed, "ready")
          : CheckResult(.apiServerReady, .waiting, "/readyz: HTTP \(code)"))
    case .untrusted(let text), .rejected(let text):
      results.append(CheckResult(.apiServerLeaf, .waiting, text))
    case .unreachable(let text):
      results.append(CheckResult(.apiServerReady, .waiting, text))
    }
    let control = await first
    results.append(acceptance(.apiServerAcceptsNew, control, newest, change))
    if let answer = await second {
      results.append(acceptance(.apiServerAcceptsOld, answer, other, change))
    }
    if !trust.dropped.isEmpty {
      let answer = await askNodes(machine, port, as: other, trust)
      results.append(refusal(.oldRefused, answer, control: control))
    }
    return results
  }

  private func acceptance(
    _ name: CheckName, _ answer: KubernetesAnswer, _ authority: SealedAuthority,
    _ change: TrustChange
  ) -> CheckResult {
    let which = authority == change.new ? "new" : "old"
    if case .status(200, _) = answer {
      return CheckResult(name, .passed, "a client of the \(which) CA is let in")
    }
    return CheckResult(name, .waiting, "a client of the \(which) CA gets \(answer.summary)")
  }

  /// A client of a dropped authority has to get 401. 403 would mean that the server took it for an
  /// anonymous one, which proves nothing.
  private func refusal(
    _ name: CheckName, _ answer: KubernetesAnswer, control: KubernetesAnswer
  ) -> CheckResult {
    guard case .status(200, _) = control else {
      return CheckResult(name, .waiting, "cannot be proved while an accepted client is not let in")
    }
    switch answer {
    case .status(401, _):
      return CheckResult(name, .passed, "a client of the dropped CA gets HTTP 401")
    case .rejected(let text):
      return CheckResult(name, .passed, "a client of the dropped CA is refused (\(text))")
    case .status(403, _):
      return CheckResult(name, .waiting, "no clear refusal: HTTP 403, as for anonymous clients")
    case .status(let code, _) where (200..<300).contains(code):
      return CheckResult(name, .waiting, "a client of the dropped CA is still let in")
    default: return CheckResult(name, .waiting, "no clear refusal: \(answer.summary)")
    }
  }

  private func askNodes(
    _ machine: Machine, _ port: Int, as authority: SealedAuthority, _ trust: ChangeTrust
  ) async -> KubernetesAnswer {
    await ask(
      machine, port, "/api/v1/nodes?limit=1", as: authority, trusting: Array(trust.managed))
  }

  /// One request on a fresh connection.
  func ask(
    _ machine: Machine, _ port: Int, _ path: String, as authority: SealedAuthority,
    trusting roots: [Certificate], timeout: Duration? = nil
  ) async -> KubernetesAnswer {
    do {
      let client = try keyring.client(.kubernetesAdmin, from: authority, trusting: roots)
      let timeout = timeout ?? settings.callTimeout
      return try await KubernetesClient.with(
        machine.address, port, client, timeout: timeout
      ) { client async throws(DriverError) in await client.send("GET", path) }
    } catch { return .unreachable(error.message) }
  }

  /// The kubelet's API, where it can be reached: a client of the dropped authority has to get 401
  /// there too. Its serving certificate is its own, signed by nobody, so it is not verified; nothing
  /// is sent but the certificate.
  func probeKubelet(_ change: TrustChange, _ machine: Machine) async -> CheckResult {
    let name = CheckName.kubeletOldRefused
    guard let port = settings.kubeletPort else {
      return CheckResult(name, .notApplicable, "kubelets are not probed")
    }
    let accepted = change.bundle(for: machine.role).issuing
    let dropped: AuthorityGeneration = accepted == .new ? .old : .new
    let control = await ask(
      machine, port, "/healthz", as: change.authority(accepted), trusting: [],
      timeout: settings.probeTimeout)
    guard case .status(let code, _) = control, code != 401 else {
      return CheckResult(
        name, .notApplicable, "the kubelet's port cannot be asked directly: \(control.summary)")
    }
    let answer = await ask(
      machine, port, "/healthz", as: change.authority(dropped), trusting: [],
      timeout: settings.probeTimeout)
    return refusal(name, answer, control: .status(200, []))
  }

  /// Calls the first API server that can be reached, as the driver itself.
  func withKubernetes<Result: Sendable>(
    _ access: ClusterAccess, preferring machine: Machine? = nil,
    _ body: (KubernetesClient) async throws(DriverError) -> Result
  ) async throws(DriverError) -> Result {
    let trust = try ClusterTrust(.kubernetesCA, access, keyring)
    var failure = DriverError(.unreachable, "cluster \(access.cluster.name) has no control plane")
    let planes = access.cluster.controlPlanes
    for plane in planes.filter({ $0 == machine }) + planes.filter({ $0 != machine }) {
      let port = await apiServerPort(plane, access)
      for signer in trust.signers {
        do {
          let client = try keyring.client(.kubernetesAdmin, from: signer, trusting: trust.roots)
          return try await KubernetesClient.with(
            plane.address, port, client, timeout: settings.callTimeout, body)
        } catch {
          failure = error
          guard error.code == .unauthenticated else { break }
        }
      }
      guard failure.code == .unreachable || failure.code == .unauthenticated else { break }
    }
    throw failure
  }

  /// Whether the machine's own node is Ready. Other nodes are none of this machine's business.
  func nodeReady(
    _ nodename: String, _ machine: Machine, _ options: RotationOptions, _ access: ClusterAccess
  ) async -> CheckResult {
    let name = CheckName.nodeReady
    if options.unready.contains("node/" + nodename) {
      return CheckResult(name, .notApplicable, "was not Ready before the rotation; not waited for")
    }
    do {
      let node = try await withKubernetes(
        access, preferring: machine.role == .controlPlane ? machine : nil
      ) { client async throws(DriverError) in
        try await client.get("/api/v1/nodes/" + KubernetesClient.escaped(nodename))
      }
      guard let node else { return CheckResult(name, .waiting, "there is no node \(nodename)") }
      guard let ready = node.condition("Ready") else {
        return CheckResult(name, .waiting, "node \(nodename) has no Ready condition yet")
      }
      return ready.status == "True"
        ? CheckResult(name, .passed, "node \(nodename) is Ready")
        : CheckResult(
          name, .waiting,
          "node \(nodename) is not Ready (\(PeerText.clean(ready.reason))): kubectl describe node "
            + nodename)
    } catch { return CheckResult(name, .waiting, error.message) }
  }
}
