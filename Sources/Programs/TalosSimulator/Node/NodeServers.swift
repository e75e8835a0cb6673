internal import Crypto
internal import RPC
internal import RPCTransport
internal import Synchronization

/// The sockets of one machine: apid's, and on a control plane the Kubernetes API server's.
final class NodeServers: Sendable {
  struct State {
    var apid: RPCServer?
    var apidTLS: TLSContext?
    /// apid's certificate in maintenance mode; nil otherwise.
    var maintenance: PEMPair?
    var apiServer: RPCServer?
    var apiServerTLS: TLSContext?
    /// The CAs that the API server accepts clients from now.
    var apiServerAccepted: [Certificate] = []
    /// With what the API server answers everything; nil: as it should.
    var apiServerFault = KubernetesEndpoint.Fault()
    /// The address that the machine holds beside its own, and the servers there.
    var sharedAddress: String?
    var sharedAPID: RPCServer?
    var sharedAPIServer: RPCServer?
    /// What was last asked for at the shared address (`inTurn`).
    var sharedTurn: Task<Void, any Error>?
    var port: Int
    var kubernetesPort: Int
    var clockOffset: Int64 = 0
  }

  let address: String
  let hub: ClusterHub
  let proxy: ApidProxy
  let state: Mutex<State>

  init(address: String, port: Int, kubernetesPort: Int, hub: ClusterHub) {
    self.address = address
    self.hub = hub
    state = Mutex(State(port: port, kubernetesPort: kubernetesPort))
    proxy = ApidProxy(authority: "\(address):\(port)", port: port) { [hub] name in
      await hub.node(at: name)?.address
    }
  }

  /// The machine's clock, in seconds since 1970.
  func clock() -> Int64 { WallClock.seconds() + state.withLock { $0.clockOffset } }

  /// The machine's clock, in nanoseconds since 1970.
  func clockNanoseconds() -> Int64 {
    WallClock.nanoseconds() + state.withLock { $0.clockOffset } * 1_000_000_000
  }

  func setClockOffset(_ seconds: Int64) { state.withLock { $0.clockOffset = seconds } }

  func setAPIServerFault(_ fault: KubernetesEndpoint.Fault) {
    state.withLock { $0.apiServerFault = fault }
  }

  // MARK: apid

  /// Serves apid. Certificates must have been issued before.
  func startAPID(for node: SimulatedNode) async throws {
    guard let first = state.withLock({ $0.apidTLS }) else {
      throw SimulatorError.setup("\(address): apid has no certificates")
    }
    let server = try RPCServer(
      ApidService(node: node, proxy: proxy), configuration: .simulator)
    try await listen(server, at: address, port: state.withLock { $0.port }) { [self] in
      state.withLock { $0.apidTLS } ?? first
    }
    state.withLock { $0.apid = server }
    try await startSharedAPID(for: node)
  }

  /// - Throws: `SimulatorError.setup` when the port is taken.
  func listen(
    _ server: RPCServer, at host: String, port: Int, tls: @escaping @Sendable () -> TLSContext
  ) async throws {
    do {
      _ = try await server.listen(host: host, port: port, tls: tls)
    } catch {
      await server.shutdown(grace: .zero)
      throw SimulatorError.setup("cannot listen on \(host):\(port): \(error)")
    }
  }

  func stopAPID() async {
    let server = state.withLock { state in
      defer { state.apid = nil }
      return state.apid
    }
    proxy.reload(client: nil, outage: .zero)
    await stopSharedAPID()
    await server?.shutdown(grace: .zero)
  }

  /// apid goes on with other certificates: new connections see them, and what it had open towards
  /// other machines is closed.
  ///
  /// - Parameter dropClients: whether its own clients' connections are closed, too.
  func apidCertificatesChanged(
    _ certificates: APICertificates, outage: Duration, dropClients: Bool
  ) throws(CryptoError) {
    let roots = TrustPool.certificates(certificates.accepted)
    let server = try TLSContext(
      TLSConfiguration(
        role: .server, identity: try certificates.server.identity(), trustRoots: roots,
        peerVerification: .required, alpn: ["h2"],
        // The machine has a clock of its own.
        clock: { [weak self] in self?.clock() ?? WallClock.seconds() }))
    let client: TLSContext? =
      if let pair = certificates.client {
        try TLSContext(
          TLSConfiguration(
            role: .client, identity: try pair.identity(), trustRoots: roots,
            peerVerification: .required, alpn: ["h2"]))
      } else { nil }
    let apid = state.withLock { state in
      state.apidTLS = server
      return state.apid
    }
    proxy.reload(client: client, outage: outage)
    if dropClients {
      apid?.closeConnections()
      state.withLock { $0.sharedAPID }?.closeConnections()
    }
  }

  /// apid's certificate in maintenance mode, where clients are not verified; nil otherwise.
  var maintenance: PEMPair? { state.withLock { $0.maintenance } }

  /// apid goes on as that of a machine without a configuration: every connection is gone.
  func enterMaintenance(_ pair: PEMPair) throws(CryptoError) {
    let context = try TLSContext(
      TLSConfiguration(
        role: .server, identity: try pair.identity(), trustRoots: [],
        peerVerification: .requestUnverified, alpn: ["h2"]))
    let apid = state.withLock { state in
      state.apidTLS = context
      state.maintenance = pair
      return state.apid
    }
    proxy.reload(client: nil, outage: .zero)
    apid?.closeConnections()
  }

  /// apid was killed and is back at once: every connection is gone.
  func apidRestarted(outage: Duration) {
    proxy.interrupt(outage: outage)
    state.withLock { $0.apid }?.closeConnections()
    state.withLock { $0.sharedAPID }?.closeConnections()
  }

  // MARK: Kubernetes API server

  /// Serves the Kubernetes API with these certificates, to clients of these CAs.
  func startAPIServer(
    _ certificates: KubernetesCertificates, accepted: [String]
  ) async throws {
    try reloadAPIServer(certificates, accepted: accepted)
    guard let first = state.withLock({ $0.apiServerTLS }) else { return }
    let server = try RPCServer(
      HTTPDispatch(grpc: ServiceRouter(), handler: kubernetesEndpoint), configuration: .simulator)
    try await listen(server, at: address, port: state.withLock { $0.kubernetesPort }) { [self] in
      state.withLock { $0.apiServerTLS } ?? first
    }
    state.withLock { $0.apiServer = server }
    try await startSharedAPIServer()
  }

  var kubernetesEndpoint: KubernetesEndpoint {
    KubernetesEndpoint(
      hub: hub, accepted: { [self] in state.withLock { $0.apiServerAccepted } },
      clock: { [self] in clock() }, fault: { [self] in state.withLock { $0.apiServerFault } })
  }

  /// The API server goes on with other certificates: new connections see them, and every request is
  /// judged by the new list of CAs, also on a connection that was there before.
  func reloadAPIServer(
    _ certificates: KubernetesCertificates, accepted: [String]
  ) throws(CryptoError) {
    let roots = TrustPool.certificates(accepted)
    let context = try TLSContext(
      TLSConfiguration(
        role: .server, identity: try certificates.apiServer.identity(), trustRoots: roots,
        peerVerification: .requestUnverified, alpn: ["h2"]))
    state.withLock { state in
      state.apiServerTLS = context
      state.apiServerAccepted = roots
    }
  }

  func stopAPIServer() async {
    let server = state.withLock { state in
      defer { state.apiServer = nil }
      return state.apiServer
    }
    await stopSharedAPIServer()
    await server?.shutdown(grace: .zero)
  }
}

extension PEMPair {
  /// The certificates, leaf first, with the key.
  func identity() throws(CryptoError) -> Identity {
    try Identity(
      certificates: try Certificate.bundle(pem: certificate), key: try PrivateKey(pem: key))
  }
}
