public import Crypto
internal import HTTP2
public import RPC
internal import Reactor
internal import Synchronization

/// Serves one HTTP service, usually a `ServiceRouter`, on Unix sockets and TLS ports.
///
/// Connections are dealt out over the event loops; a connection stays on its loop for life.
public final class RPCServer: Sendable {
  private struct State {
    var listeners: [Listener] = []
    var socketFiles: [String] = []
    var isDown = false
  }

  private let service: any HTTPService
  private let configuration: ServerConfiguration
  private let group: EventLoopGroup
  private let sets: [ConnectionSet]
  private let limit: ConnectionLimit
  private let reports: ReportDesk
  private let state = Mutex(State())

  /// - Parameter report: hears of connections that are refused or ended for what the client does; from
  ///   any thread, and not more often than can be read.
  /// - Throws: when the event loops cannot be made (out of descriptors or threads).
  public init(
    _ service: any HTTPService, configuration: ServerConfiguration = ServerConfiguration(),
    report: (@Sendable (ConnectionReport) -> Void)? = nil
  ) throws {
    self.service = service
    self.configuration = configuration
    self.group = try EventLoopGroup(count: configuration.eventLoops)
    let limit = ConnectionLimit(
      connections: configuration.connectionRules, heldBytes: configuration.heldBytes,
      waitingBytes: configuration.waitingBytes)
    self.limit = limit
    self.reports = ReportDesk(report)
    self.sets = group.loops.map { ConnectionSet(loop: $0, limit: limit) }
  }

  /// Listens on a Unix socket, HTTP/2 with prior knowledge.
  ///
  /// A stale file of an earlier run is replaced. The file is removed by `shutdown`.
  ///
  /// - Parameters:
  ///   - mode: the file's permission bits.
  ///   - group: the group that the file belongs to; nil: the process' own.
  /// - Throws: `SystemError`; a path that another process serves, or that is no socket, or a server
  ///   that was shut down.
  public func listen(unix path: String, mode: UInt32 = 0o600, group: UInt32? = nil) async throws {
    try checkUp { _ in }
    let descriptor = try UnixSocketFile.listen(path, mode: mode, group: group)
    state.withLock { $0.socketFiles.append(path) }
    try await add(
      Listener(
        descriptor: descriptor, address: "unix:\(path)", isUnix: true, tls: nil, sets: sets,
        service: service, configuration: configuration, reports: reports, limit: limit))
  }

  /// Goes on with a listening Unix socket that somebody else has opened. The file stays theirs, and so does the
  /// socket: it listens on after `shutdown`, and who connects then waits for the next server.
  ///
  /// - Parameters:
  ///   - path: the socket's path, which reports name.
  ///   - descriptor: does not block; the server owns it from now on.
  public func listen(unix path: String, inheriting descriptor: Int32) async throws {
    let descriptor = FileDescriptor(owning: descriptor)
    try checkUp { _ in }
    try await add(
      Listener(
        descriptor: descriptor, address: "unix:\(path)", isUnix: true, isShared: true, tls: nil,
        sets: sets, service: service, configuration: configuration, reports: reports, limit: limit))
  }

  /// Listens on a Unix socket that has a name and no file, HTTP/2 with prior knowledge. Whoever shares the network
  /// namespace may connect: `Peer.process` says who that is.
  public func listen(abstract name: String) async throws {
    try checkUp { _ in }
    let descriptor = try Socket.listen(.abstract(name: name))
    try await add(
      Listener(
        descriptor: descriptor, address: "unix-abstract:\(name)", isUnix: true, tls: nil,
        sets: sets,
        service: service, configuration: configuration, reports: reports, limit: limit))
  }

  /// Listens on a TCP port with TLS.
  ///
  /// - Parameter tls: asked for the context of each accepted connection, so that a new trust holds
  ///   for every connection made after it.
  /// - Returns: the port, which is the one asked for unless that was 0.
  public func listen(
    host: String, port: Int, tls: @escaping @Sendable () -> TLSContext
  ) async throws -> Int {
    try await listen(host: host, port: port, context: tls)
  }

  /// Listens on a TCP port without TLS: for tests and benchmarks on loopback.
  public func listen(plaintext host: String, port: Int) async throws -> Int {
    try await listen(host: host, port: port, context: nil)
  }

  private func listen(
    host: String, port: Int, context: (@Sendable () -> TLSContext)?
  ) async throws -> Int {
    try checkUp { _ in }
    guard let wanted = UInt16(exactly: port) else {
      throw SystemError("port \(port)", errno: 22)
    }
    let descriptor = try Socket.listen(.ip(host: host, port: wanted))
    let bound = Socket.localAddress(descriptor.number) ?? .ip(host: host, port: wanted)
    try await add(
      Listener(
        descriptor: descriptor, address: bound.text, isUnix: false, tls: context, sets: sets,
        service: service, configuration: configuration, reports: reports, limit: limit))
    if case .ip(_, let port) = bound { return Int(port) }
    return port
  }

  /// Changes the state of a server that was not shut down: later its loops run nothing.
  private func checkUp(_ change: (inout State) -> Void) throws(SystemError) {
    let isUp = state.withLock { state in
      if !state.isDown { change(&state) }
      return !state.isDown
    }
    if !isUp { throw SystemError("the server was shut down", errno: 108) }
  }

  private func add(_ listener: Listener) async throws {
    try checkUp { $0.listeners.append(listener) }
    let loop = sets[0].loop
    let failure: SystemError? = await withCheckedContinuation { continuation in
      loop.run { continuation.resume(returning: listener.start(on: loop)) }
    }
    if let failure { throw failure }
  }

  /// Closes every established connection at once, as apid does when its certificates change. The
  /// listeners go on.
  public func closeConnections() {
    for set in sets { set.loop.run { set.closeAll("the server closed the connection") } }
  }

  /// Lets the connections of some peers end: their calls under way may finish, new ones are refused.
  public func drainConnections(where isMeant: @escaping @Sendable (Peer) -> Bool) {
    for set in sets { set.loop.run { set.drainAll(where: isMeant) } }
  }

  /// Connections that are open now.
  public var connectionCount: Int { limit.count }

  /// How many connections were not served or were ended since the start, by the reason: all of them, while those that
  /// are reported may have others left out.
  public var connectionTroubles: [ConnectionReport.Kind: Int] { reports.counts }

  /// Stops listening, lets calls under way finish for at most the grace, then closes what is left
  /// and ends the event loops.
  public func shutdown(grace: Duration) async {
    let (listeners, files, wasDown) = state.withLock { state in
      defer {
        state.listeners = []
        state.socketFiles = []
        state.isDown = true
      }
      return (state.listeners, state.socketFiles, state.isDown)
    }
    if wasDown { return }
    for file in files { UnixSocketFile.remove(file) }
    let loop = sets[0].loop
    await withCheckedContinuation { continuation in
      loop.run {
        for listener in listeners { listener.stop() }
        continuation.resume()
      }
    }
    let end = ContinuousClock.now + grace
    for set in sets { set.loop.run { set.drainAll() } }
    while connectionCount > 0 && ContinuousClock.now < end {
      // Cancelled or not, the end comes by the clock.
      try? await Task.sleep(for: .milliseconds(5))
    }
    for set in sets {
      await withCheckedContinuation { continuation in
        set.loop.run {
          set.closeAll("the server is shutting down")
          set.handlers.close()
          continuation.resume()
        }
      }
    }
    group.stop()
  }
}
