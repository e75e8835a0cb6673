import Crypto
import Orchestrator
import Rotation
import Synchronization

/// Ways to the Kubernetes API servers.
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
      guard !Task.isCancelled else { break }
    }
    throw failures.first { $0.code != .unreachable } ?? failures.last
      ?? DriverError(.unreachable, "cluster \(access.cluster.name) has no control plane")
  }
}
