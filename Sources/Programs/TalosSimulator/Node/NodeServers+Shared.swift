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
    try await inTurn { [self] in
      state.withLock { $0.sharedAddress = address }
      try await openSharedAPID(for: node)
      try await openSharedAPIServer()
    }
  }

  func giveUpShared() async {
    try? await inTurn { [self] in
      state.withLock { $0.sharedAddress = nil }
      await closeSharedAPID()
      await closeSharedAPIServer()
    }
  }

  /// apid serves again: at the shared address, too, when the machine holds that.
  func startSharedAPID(for node: SimulatedNode) async throws {
    try await inTurn { [self] in try await openSharedAPID(for: node) }
  }

  func startSharedAPIServer() async throws {
    try await inTurn { [self] in try await openSharedAPIServer() }
  }

  func stopSharedAPID() async {
    try? await inTurn { [self] in await closeSharedAPID() }
  }

  func stopSharedAPIServer() async {
    try? await inTurn { [self] in await closeSharedAPIServer() }
  }

  /// Runs the work after all that was asked for before, because a machine that starts a server while
  /// the address is taken from it would keep the port from the next holder.
  private func inTurn(_ work: @escaping @Sendable () async throws -> Void) async throws {
    let turn = state.withLock { state in
      let before = state.sharedTurn
      let turn = Task {
        _ = await before?.result
        try await work()
      }
      state.sharedTurn = turn
      return turn
    }
    try await turn.value
  }

  private func openSharedAPID(for node: SimulatedNode) async throws {
    await closeSharedAPID()
    let (shared, first) = state.withLock { ($0.apid == nil ? nil : $0.sharedAddress, $0.apidTLS) }
    guard let shared, let first else { return }
    let server = try RPCServer(
      ApidService(node: node, proxy: proxy), configuration: .simulator)
    try await listen(server, at: shared, port: state.withLock { $0.port }) { [self] in
      state.withLock { $0.apidTLS } ?? first
    }
    state.withLock { $0.sharedAPID = server }
  }

  private func openSharedAPIServer() async throws {
    await closeSharedAPIServer()
    let (shared, first) = state.withLock {
      ($0.apiServer == nil ? nil : $0.sharedAddress, $0.apiServerTLS)
    }
    guard let shared, let first else { return }
    let server = try RPCServer(
      HTTPDispatch(grpc: ServiceRouter(), handler: kubernetesEndpoint), configuration: .simulator)
    try await listen(server, at: shared, port: state.withLock { $0.kubernetesPort }) { [self] in
      state.withLock { $0.apiServerTLS } ?? first
    }
    state.withLock { $0.sharedAPIServer = server }
  }

  private func closeSharedAPID() async {
    let server = state.withLock { state in
      defer { state.sharedAPID = nil }
      return state.sharedAPID
    }
    await server?.shutdown(grace: .zero)
  }

  private func closeSharedAPIServer() async {
    let server = state.withLock { state in
      defer { state.sharedAPIServer = nil }
      return state.sharedAPIServer
    }
    await server?.shutdown(grace: .zero)
  }
}
