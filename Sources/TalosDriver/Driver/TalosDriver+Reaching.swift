import Crypto
import Orchestrator
import RPC
import Rotation
import Synchronization

/// Ways to a machine.
extension TalosDriver {
  /// Calls a machine as the driver itself: a control plane directly, a worker through a control plane,
  /// one after the other until one passes the call on.
  ///
  /// The body may run more than once. Tries again for a while when the machine is out of reach, as it
  /// shortly is whenever apid takes up new certificates.
  func withMachine<Result: Sendable>(
    _ machine: Machine, _ access: ClusterAccess, within window: Duration? = nil,
    _ body: (TalosClient) async throws(TalosFailure) -> Result
  ) async throws(TalosFailure) -> Result {
    let clients = try tlsClients(access)
    return try await retrying(for: window ?? settings.retryWindow) { () throws(TalosFailure) in
      try await self.tryRoutes(to: machine, access, clients, body)
    }
  }

  /// Repeats while the failure is one that passes.
  func retrying<Result: Sendable>(
    for window: Duration, _ attempt: () async throws(TalosFailure) -> Result
  ) async throws(TalosFailure) -> Result {
    let end = ContinuousClock.now + window
    while true {
      do {
        return try await attempt()
      } catch {
        guard error.isPassing, ContinuousClock.now < end, !Task.isCancelled else { throw error }
        do { try await Task.sleep(for: settings.retryDelay) } catch {
          throw .unreachable("cancelled")
        }
      }
    }
  }

  private func tryRoutes<Result: Sendable>(
    to machine: Machine, _ access: ClusterAccess, _ clients: [TLSClient],
    _ body: (TalosClient) async throws(TalosFailure) -> Result
  ) async throws(TalosFailure) -> Result {
    var failure = TalosFailure.unreachable("cluster \(access.cluster.name) has no control plane")
    for relay in relays(for: machine, access) {
      for tls in clients {
        do {
          let result = try await call(relay, for: machine, tls, body)
          notes.withLock { $0.relay[access.cluster.name] = relay.address }
          return result
        } catch {
          failure = error
          guard case .rejected = error else { break }
        }
      }
      // Another control plane cannot know better than a machine that has answered.
      switch failure {
      case .unreachable, .rejected, .untrusted: continue
      case .status, .unusable: throw failure
      }
    }
    throw failure
  }

  /// One call along one way.
  func call<Result: Sendable>(
    _ relay: Machine, for machine: Machine, _ tls: TLSClient,
    _ body: (TalosClient) async throws(TalosFailure) -> Result
  ) async throws(TalosFailure) -> Result {
    let endpoint = TalosEndpoint(host: relay.address, port: relay.port)
    let node = relay.address == machine.address ? nil : machine.address
    return try await TalosConnection.with(endpoint, tls, timeout: settings.callTimeout) {
      rpc throws(TalosFailure) in
      try await body(TalosClient(rpc: rpc, node: node, timeout: settings.callTimeout))
    }
  }

  /// The machine itself for a control plane; for a worker every control plane, the one that worked
  /// last first.
  private func relays(for machine: Machine, _ access: ClusterAccess) -> [Machine] {
    guard machine.role == .worker else { return [machine] }
    let planes = access.cluster.controlPlanes
    let last = notes.withLock { $0.relay[access.cluster.name] }
    return planes.filter { $0.address == last } + planes.filter { $0.address != last }
  }

  /// Who the driver is towards apid, the surest certificate first.
  func tlsClients(_ access: ClusterAccess) throws(TalosFailure) -> [TLSClient] {
    do {
      let trust = try ClusterTrust(.talosCA, access, keyring)
      var clients: [TLSClient] = []
      for signer in trust.signers {
        let identity = try keyring.identity(.talos(roles: ["os:admin"]), from: signer)
        clients.append(TLSClient(identity: identity, roots: trust.roots))
      }
      return clients
    } catch { throw .unusable(error) }
  }
}

extension ClusterRecord {
  var controlPlanes: [Machine] { machines.filter { $0.role == .controlPlane } }
}
