import Crypto
import Orchestrator
import Rotation
import Synchronization

/// Ways to the Kubernetes API servers.
extension TalosDriver {
  /// The port of a control plane's API server, from its configuration: as it was read last, or read now where nobody has
  /// answered at that port.
  func apiServerPort(_ machine: Machine, _ access: ClusterAccess) async -> Int {
    let now = ContinuousClock.now
    let known = notes.withLock { $0.apiServerPorts[Self.portKey(machine, access)] }
    if let known, !known.isDoubted || now - known.readAt < settings.portRereading {
      return known.port
    }
    let config = try? await withMachine(machine, access, within: .zero) {
      client async throws(TalosFailure) in try await client.machineConfig()
    }
    guard let config, let parsed = try? MachineConfig(config) else {
      // A machine that is down is not waited for at every call.
      if let known { note(port: known.port, of: machine, access, isDoubted: true) }
      return known?.port ?? 6443
    }
    note(port: parsed.apiServerPort, of: machine, access)
    return parsed.apiServerPort
  }

  /// Takes the port from a configuration that was read anyway.
  func notePort(in config: [UInt8], of machine: Machine, _ access: ClusterAccess) {
    guard machine.role == .controlPlane, let config = try? MachineConfig(config) else { return }
    note(port: config.apiServerPort, of: machine, access)
  }

  private func note(
    port: Int, of machine: Machine, _ access: ClusterAccess, isDoubted: Bool = false
  ) {
    notes.withLock { notes in
      if notes.apiServerPorts.count >= Notes.maximumPorts { notes.apiServerPorts = [:] }
      notes.apiServerPorts[Self.portKey(machine, access)] = Notes.APIServerPort(
        port: port, isDoubted: isDoubted, readAt: .now)
    }
  }

  /// Nobody has answered at the port: it may be another one by now.
  func doubtPort(of machine: Machine, _ access: ClusterAccess) {
    notes.withLock { $0.apiServerPorts[Self.portKey(machine, access)]?.isDoubted = true }
  }

  /// The ports of a cluster's API servers are read anew.
  func forgetPorts(of cluster: String) {
    notes.withLock { notes in
      notes.apiServerPorts = notes.apiServerPorts.filter { !$0.key.hasPrefix("\(cluster)/") }
    }
  }

  /// By the identity, because addresses are given to other machines.
  private static func portKey(_ machine: Machine, _ access: ClusterAccess) -> String {
    "\(access.cluster.name)/\(machine.identity.isEmpty ? machine.address : machine.identity)"
  }

  /// One request on a fresh connection.
  func ask(
    _ machine: Machine, _ port: Int, _ path: String, as authority: SealedAuthority,
    trusting roots: [Certificate], timeout: Duration? = nil
  ) async -> KubernetesAnswer {
    await ask(
      machine.address, port, path, as: authority, trusting: roots, timeout: timeout)
  }

  /// One request on a fresh connection to a host, whoever it is.
  ///
  /// - Parameter verifiesName: whether its certificate has to name the host.
  func ask(
    _ host: String, _ port: Int, _ path: String, as authority: SealedAuthority,
    trusting roots: [Certificate], timeout: Duration? = nil, verifiesName: Bool = true
  ) async -> KubernetesAnswer {
    do {
      var client = try keyring.client(.kubernetesAdmin, from: authority, trusting: roots)
      if !verifiesName { client = client.withoutName }
      let timeout = timeout ?? settings.callTimeout
      return try await KubernetesClient.with(host, port, client, timeout: timeout) {
        client async throws(DriverError) in await client.send("GET", path)
      }
    } catch { return .unreachable(error.message) }
  }

  /// Calls the API servers as the driver itself, one after the other until one answers as it should: one that is
  /// overloaded, has lost its etcd or refuses us says nothing of the others.
  ///
  /// - Throws: what the first one that answered at all has said, else why the last one did not answer.
  func withKubernetes<Result: Sendable>(
    _ access: ClusterAccess, preferring machine: Machine? = nil,
    _ body: (KubernetesClient) async throws(DriverError) -> Result
  ) async throws(DriverError) -> Result {
    let trust = try ClusterTrust(.kubernetesCA, access, keyring)
    var failures: [DriverError] = []
    let planes = access.cluster.controlPlanes
    for plane in planes.filter({ $0 == machine }) + planes.filter({ $0 != machine }) {
      let port = await apiServerPort(plane, access)
      var failure: DriverError?
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
      if let failure { failures.append(failure) }
      if failure?.code == .unreachable { doubtPort(of: plane, access) }
      guard !Task.isCancelled else { break }
    }
    throw failures.first { $0.code != .unreachable } ?? failures.last
      ?? DriverError(.unreachable, "cluster \(access.cluster.name) has no control plane")
  }
}

extension TalosDriver.Notes {
  /// The port of an API server, as a configuration had it.
  struct APIServerPort {
    var port: Int
    /// Whether nobody has answered there since.
    var isDoubted = false
    var readAt: ContinuousClock.Instant
  }

  /// More control planes than any set of clusters has.
  fileprivate static let maximumPorts = 16_384
}
