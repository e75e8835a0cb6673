import Daemon
import Interceptors
import RPCTransport

extension Server {
  /// How often it is looked whether the files of the tls: listeners have changed.
  private static let lookInterval = Duration.seconds(2)

  func listen(_ server: RPCServer, _ access: AccessParts, _ remote: RemoteAccess?) async throws {
    var inherited = try InheritedSockets.take(facts.environment)
    for endpoint in options.listen {
      var shown = endpoint
      switch endpoint {
      case .unix(let path):
        if let descriptor = inherited.removeValue(forKey: path) {
          try await server.listen(unix: path, inheriting: descriptor)
          break
        }
        try makeDirectory(of: path)
        try await server.listen(
          unix: path, mode: options.socket.mode, group: options.socket.group)
      case .abstract(let name): try await server.listen(abstract: name)
      case .tls(let host, let port):
        guard let remote else { continue }
        let port = try await server.listen(host: host, port: port, tls: remote.context)
        access.listens(
          at: ServerNames.endpoints(options.tls?.names ?? [], host: host, port: port))
        shown = .tls(host: host, port: port)
      case .plaintext: continue
      }
      logger.info("listening", [.endpoint: .string(shown.description)])
    }
    if let path = inherited.keys.sorted().first {
      throw DaemonError(
        "the service manager hands over \(path), which no --listen names: add --listen unix:\(path)"
      )
    }
  }

  /// Makes the directory of a socket, if it is not there, and lets the socket's group into what was made.
  private func makeDirectory(of path: String) throws {
    guard let directory = PrivateFiles.parent(of: path) else { return }
    let isThere = PrivateFiles.exists(directory)
    try PrivateFiles.makeDirectory(directory)
    guard let group = options.socket.group, !isThere else { return }
    try PrivateFiles.admit(group: group, to: directory)
  }

  /// Has the files of the tls: listeners read again when they change, and the whole configuration when somebody asks for
  /// it, until the task is cancelled.
  ///
  /// - Parameter opening: happens when calls are answered. Before that the service manager is told nothing, because
  ///   READY=1 at the end of a reload would say that the start is over.
  func reload(
    _ remote: RemoteAccess?, _ hooks: StageHookDirectory?, _ notifier: Notifier,
    _ opening: OneTimeEvent
  ) async {
    await withTaskGroup { group in
      group.addTask {
        for await _ in reloads {
          let isOpen = opening.hasHappened
          if isOpen { announce { () throws(DaemonError) in try manager.reloading() } }
          reload.run(remote, hooks, notifier)
          if isOpen { announce { () throws(DaemonError) in try manager.ready() } }
        }
      }
      group.addTask {
        while (try? await Task.sleep(for: Self.lookInterval)) != nil {
          remote?.reload(isForced: false)
        }
      }
    }
  }
}
