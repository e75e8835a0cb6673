internal import RPC
internal import Reactor
internal import Synchronization

/// Whether the server of the current connection takes calls.
extension SocketChannel {
  func probe(_ connection: ClientConnection) -> Task<Void, Never>? {
    guard let probe = configuration.readinessProbe else { return nil }
    let bound = ConnectionChannel(connection, on: loop) { [weak self] method, path, fields in
      self?.requestHead(method, path, fields)
    }
    // Detached: the deadline of the call that asked for the connection is not the probe's.
    return Task.detached { [weak self, endpoint] in
      await probe.watch(bound) { [weak self] readiness in
        var error: RPCError?
        if case .notReady(let reason) = readiness {
          error = RPCError(.unavailable, "\(endpoint): \(reason)")
        }
        self?.reported(connection, error)
      }
      self?.tell(.success(connection)) { $0.probeEnded(connection) }
    }
  }

  private func reported(_ connection: ClientConnection, _ error: RPCError?) {
    tell(error.map { .failure($0) } ?? .success(connection)) {
      $0.reported(connection, error)
    }
  }

  private func tell(
    _ result: Result<ClientConnection, RPCError>,
    _ body: (inout ChannelMachine<ClientConnection, Waiter>) -> [Waiter]
  ) {
    let waiters = contents.withLock { body(&$0.machine) }
    for waiter in waiters { waiter.resume(returning: result) }
  }
}
