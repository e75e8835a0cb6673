internal import RPC
internal import RPCTransport
internal import Synchronization

/// The sockets at an address that a machine holds for a while: apid's and the API server's, with the
/// certificates of the machine.
extension NodeServers {
  /// Whether the machine holds the shared address. It does so also while it is switched off, until
  /// somebody else takes it.
  var holdsShared: Bool { state.withLock { $0.sharedAddress != nil } }

  var sharedAddress: String? { state.withLock { $0.sharedAddress } }

  /// - Throws: `SimulatorError.setup` when the address or port is taken.
  func takeShared(_ address: String, for node: SimulatedNode) async throws {
    state.withLock { $0.sharedAddress = address }
    if state.withLock({ $0.apid != nil }) { try await startSharedAPID(for: node) }
    if state.withLock({ $0.apiServer != nil }) { try await startSharedAPIServer() }
  }

  func giveUpShared() async {
    state.withLock { $0.sharedAddress = nil }
    await stopSharedAPID()
    await stopSharedAPIServer()
  }

  func startSharedAPID(for node: SimulatedNode) async throws {
    let (shared, first) = state.withLock { ($0.sharedAddress, $0.apidTLS) }
    guard let shared, let first else { return }
    await stopSharedAPID()
    let server = try RPCServer(
      ApidService(node: node, proxy: proxy), configuration: .simulator)
    try await listen(server, at: shared, port: state.withLock { $0.port }) { [self] in
      state.withLock { $0.apidTLS } ?? first
    }
    state.withLock { $0.sharedAPID = server }
  }

  func startSharedAPIServer() async throws {
    let (shared, first) = state.withLock { ($0.sharedAddress, $0.apiServerTLS) }
    guard let shared, let first else { return }
    await stopSharedAPIServer()
    let server = try RPCServer(
      HTTPDispatch(grpc: ServiceRouter(), handler: kubernetesEndpoint), configuration: .simulator)
    try await listen(server, at: shared, port: state.withLock { $0.kubernetesPort }) { [self] in
      state.withLock { $0.apiServerTLS } ?? first
    }
    state.withLock { $0.sharedAPIServer = server }
  }

  func stopSharedAPID() async {
    let server = state.withLock { state in
      defer { state.sharedAPID = nil }
      return state.sharedAPID
    }
    await server?.shutdown(grace: .zero)
  }

  func stopSharedAPIServer() async {
    let server = state.withLock { state in
      defer { state.sharedAPIServer = nil }
      return state.sharedAPIServer
    }
    await server?.shutdown(grace: .zero)
  }
}
