import Crypto
import Orchestrator
import RPC
import Rotation
import Synchronization

/// Ways to a machine.
extension TalosDriver {
  /// Calls a machine as the driver itself: a control plane directly, a worker through a control plane,
  /// one after the other until one passes the call on. The machine has to be the one that is meant: its
  /// own node identity is asked for over the same connection first.
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

  /// The same for a body that only reads: the identity is asked for beside it, and what was read is thrown
  /// away where another machine answers.
  func withReading<Result: Sendable>(
    _ machine: Machine, _ access: ClusterAccess, within window: Duration? = nil,
    _ body: (TalosClient) async throws(TalosFailure) -> Result
  ) async throws(TalosFailure) -> Result {
    let clients = try tlsClients(access)
    return try await retrying(for: window ?? settings.retryWindow) { () throws(TalosFailure) in
      try await self.tryRoutes(to: machine, access, clients, isReading: true, body)
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
    isReading: Bool = false,
    _ body: (TalosClient) async throws(TalosFailure) -> Result
  ) async throws(TalosFailure) -> Result {
    var failures: [TalosFailure] = []
    let relays = relays(for: machine, access)
    for relay in relays {
      for tls in clients {
        do {
          let result = try await call(relay, for: machine, tls, isReading: isReading, body)
          notes.withLock { $0.relay[access.cluster.name] = relay.address }
          return result
        } catch {
          failures.append(error)
          guard case .rejected = error else { break }
        }
      }
      // Another control plane cannot know better than a machine that has answered.
      switch failures.last {
      case .status(let code, let message)?: throw .status(code, message)
      case .unusable(let error)?: throw .unusable(error)
      case .unreachable?, .rejected?, .untrusted?, .misdirected?, nil: continue
      }
    }
    // A worker whose configuration was put back refuses what every control plane presents, and lets in a client of the
    // retired authority that dials the worker itself.
    if machine.role == .worker, let change = access.rotation, change.component == .talosCA,
      change.dropsAuthority
    {
      for tls in clients {
        do throws(TalosFailure) {
          return try await call(machine, for: machine, tls, isReading: isReading, body)
        } catch {
          // What the control planes have answered says more, unless the worker has taken the call.
          if case .status = error { throw error }
          if case .unusable = error { throw error }
        }
      }
    }
    throw Routes.summary(of: failures, to: machine, relays: relays.count)
      ?? .unreachable("cluster \(access.cluster.name) has no control plane")
  }

  /// One call along one way, to the machine that is meant and no other.
  func call<Result: Sendable>(
    _ relay: Machine, for machine: Machine, _ tls: TLSClient, isReading: Bool = false,
    _ body: (TalosClient) async throws(TalosFailure) -> Result
  ) async throws(TalosFailure) -> Result {
    let endpoint = TalosEndpoint(host: relay.address, port: relay.port)
    let node = relay.address == machine.address ? nil : machine.address
    return try await TalosConnection.with(endpoint, tls, timeout: settings.callTimeout) {
      rpc throws(TalosFailure) in
      var client = TalosClient(rpc: rpc, node: node, timeout: settings.callTimeout)
      guard isReading else {
        try await client.requireIdentity(of: machine)
        client.identifiedAt = .now
        return try await body(client)
      }
      let reader = client
      async let identity = TalosClient.outcome { () async throws(TalosFailure) in
        try await reader.requireIdentity(of: machine)
      }
      let read: Swift.Result<Result, TalosFailure>
      do throws(TalosFailure) { read = .success(try await body(reader)) } catch {
        read = .failure(error)
      }
      try await identity.get()
      return try read.get()
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
        clients.append(
          try keyring.client(.talos(roles: ["os:admin"]), from: signer, trusting: trust.roots))
      }
      return clients
    } catch { throw .unusable(error) }
  }
}

extension TalosClient {
  /// Whether the machine that answers is the one that is meant. A shared address (a virtual IP, a load
  /// balancer, anycast) is answered by whoever holds it just then.
  ///
  /// Passes where the identity of the machine is not known, as in records of release 0.1.0.
  func requireIdentity(of machine: Machine) async throws(TalosFailure) {
    guard !machine.identity.isEmpty else { return }
    guard let shown = try await identity() else {
      throw .misdirected(
        "\(machine.address) answers, but shows no node identity: it cannot be told whether it is "
          + machine.id)
    }
    guard shown == machine.identity else {
      throw .misdirected(
        "\(machine.address) is answered by another machine (node id \(shown)), not by \(machine.id) "
          + "(\(machine.identity)): the address is shared, or \(machine.id) was set up anew")
    }
  }

  /// For how long it counts, of a machine behind a control plane, that it has shown its identity.
  private static var identityLasts: Duration { .seconds(1) }

  /// Right before a write: whether the machine that answers is still the one that is meant.
  ///
  /// A connection to the machine itself leads to whoever has shown the identity. A control plane looks the address up at
  /// each call, so that behind it another machine may have taken the address over meanwhile.
  func requireRecentIdentity(of machine: Machine) async throws(TalosFailure) {
    guard node != nil, let identifiedAt, ContinuousClock.now - identifiedAt >= Self.identityLasts
    else { return }
    try await requireIdentity(of: machine)
  }
}

/// What to say when no way led to a machine.
enum Routes {
  /// Nil if no way was tried.
  static func summary(
    of failures: [TalosFailure], to machine: Machine, relays: Int
  ) -> TalosFailure? {
    // What says most: that somebody else answers, then a certificate that is refused.
    let order =
      failures.last { if case .misdirected = $0 { true } else { false } }
      ?? failures.last { if case .rejected = $0 { true } else { false } }
      ?? failures.last { if case .untrusted = $0 { true } else { false } }
    guard let failure = order ?? failures.last else { return nil }
    guard case .unreachable(let message, let end) = failure else { return failure }
    let reason = plain(message)
    switch (machine.role, relays) {
    case (.controlPlane, _):
      return .unreachable(
        "\(machine.id) is not reachable from this host at \(machine.address):\(machine.port): \(reason)",
        end)
    case (.worker, ...1):
      return .unreachable(
        "\(machine.id) does not answer (asked through a control plane): \(reason)", end)
    case (.worker, _):
      return .unreachable(
        "\(machine.id) does not answer through any of \(relays) control planes: \(reason)", end)
    }
  }

}

extension ClusterRecord {
  var controlPlanes: [Machine] { machines.filter { $0.role == .controlPlane } }
}
