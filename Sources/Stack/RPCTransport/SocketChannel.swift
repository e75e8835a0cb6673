public import Crypto
internal import HTTP2
public import RPC
internal import Reactor
internal import Synchronization

/// A client's way to one endpoint: one HTTP/2 connection, made when it is first needed and made
/// anew when it was lost, unless `ChannelConfiguration.reconnects` is false.
public final class SocketChannel: ClientChannel {
  typealias Waiter = CheckedContinuation<Result<ClientConnection, RPCError>, Never>

  struct Contents {
    var machine = ChannelMachine<ClientConnection, Waiter>()
    var nextWaiter: UInt64 = 0
    /// Watches the server of the current connection.
    var probe: Task<Void, Never>?
    /// How often the next connection asks for a sign of life.
    var keepaliveInterval: Duration?
  }

  public let endpoint: Endpoint
  private let tls: TLSContext?
  private let serverName: String?
  let configuration: ChannelConfiguration
  let loop: EventLoop
  let contents = Mutex(Contents())

  /// The loops of all channels that were given none; made when first needed.
  private static let sharedGroup = try? EventLoopGroup(count: 1)

  /// - Parameters:
  ///   - tls: needed for a `tls` endpoint, unused for others.
  ///   - serverName: the name or address the server's certificate must be valid for; the endpoint's
  ///     host when nil.
  /// - Throws: when the event loop cannot be made, or a `tls` endpoint comes without a context.
  public init(
    _ endpoint: Endpoint, tls: TLSContext? = nil, serverName: String? = nil,
    configuration: ChannelConfiguration = ChannelConfiguration()
  ) throws(RPCError) {
    guard let group = Self.sharedGroup else {
      throw RPCError(.resourceExhausted, "no event loop can be made")
    }
    if case .tls = endpoint, tls == nil {
      throw RPCError(.invalidArgument, "\(endpoint) needs a TLS configuration")
    }
    self.endpoint = endpoint
    self.tls = tls
    self.serverName = serverName
    self.configuration = configuration
    self.loop = group.nextLoop()
    contents.withLock {
      $0.keepaliveInterval = configuration.keepaliveInterval
      $0.machine.reconnects = configuration.reconnects
    }
  }

  deinit { close() }

  public func open(
    method: String, path: String, fields: HeaderFields, isLast: Bool, waitForReady: Bool,
    receiver: any HTTPResponseReceiver
  ) async throws(RPCError) -> any HTTPClientStream {
    let head = requestHead(method, path, fields)
    // A connection may retire between being found and being used. Each try is on a new one, and those
    // that never answer are made more and more slowly.
    var attempt = 0
    while waitForReady || attempt < 5 {
      let connection = try await readyConnection(waits: waitForReady, receiver)
      if let stream = try await connection.opened(
        on: loop, head, isLast: isLast, receiver: receiver)
      {
        return stream
      }
      attempt += 1
    }
    throw RPCError(.unavailable, "\(endpoint): connections end as soon as they are made")
  }

  func requestHead(
    _ method: String, _ path: String, _ fields: HeaderFields
  ) -> HeaderFields {
    var head = HeaderFields([":method": method])
    head.append(":scheme", tls == nil ? "http" : "https")
    head.append(":path", path)
    head.append(":authority", endpoint.authority)
    for i in 0..<fields.count { head.append(fields.name(i), fields.value(i)) }
    return head
  }

  /// A connection; with `waits`, after as many attempts as it takes until the task is cancelled.
  private func readyConnection(
    waits: Bool, _ receiver: any HTTPResponseReceiver
  ) async throws(RPCError) -> ClientConnection {
    while true {
      do throws(RPCError) { return try await connection(waits: waits) } catch {
        guard waits, error.code == .unavailable else { throw error }
        receiver.stillWaiting(error)
        let pause: Duration? = contents.withLock { contents in
          switch contents.machine.state {
          case .backingOff(let until, _, _): until - ContinuousClock.now
          case .ended, .closed: nil
          default: .milliseconds(10)
          }
        }
        guard let pause else { throw error }
        do { try await Task.sleep(for: max(pause, .milliseconds(1))) } catch { throw leftError }
      }
    }
  }

  private var leftError: RPCError {
    RPCError(.cancelled, "the call was cancelled while it waited for a connection")
  }

  private func unavailable(_ end: ConnectionEnd) -> RPCError {
    RPCError(.unavailable, "\(endpoint): \(end)", cause: end)
  }

  private var closedError: RPCError {
    unavailable(.closed("the channel was closed"))
  }

  private func connection(waits: Bool) async throws(RPCError) -> ClientConnection {
    let id = contents.withLock { contents in
      contents.nextWaiter += 1
      return contents.nextWaiter
    }
    let result: Result<ClientConnection, RPCError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let effect = contents.withLock { contents in
          if Task.isCancelled {
            return ChannelMachine<ClientConnection, Waiter>.AskEffect.fail(leftError)
          }
          return contents.machine.asked(
            id, continuation, waitsForReady: waits, now: .now, closedError: closedError)
        }
        switch effect {
        case .use(let connection): continuation.resume(returning: .success(connection))
        case .fail(let error): continuation.resume(returning: .failure(error))
        case .wait(let connects): if connects { connect() }
        }
      }
    } onCancel: {
      contents.withLock { $0.machine.left(id) }?.resume(returning: .failure(leftError))
    }
    return try result.get()
  }

  // MARK: Connecting

  private func connect() {
    switch endpoint {
    case .unix(let path): connect([.unix(path: path)], host: nil)
    case .abstract(let name): connect([.abstract(name: name)], host: nil)
    case .tls(let host, let port), .plaintext(let host, let port):
      guard let port = UInt16(exactly: port) else {
        return connected(.failure(RPCError(.invalidArgument, "port \(port) does not exist")))
      }
      if let lookUp = configuration.lookUp {
        Task.detached {
          do throws(RPCError) {
            self.connect(
              try await lookUp(host).map { .ip(host: $0, port: port) }, host: host)
          } catch {
            self.connected(.failure(error))
          }
        }
        return
      }
      Resolver.resolve(host, port: port) { result in
        switch result {
        case .success(let addresses): self.connect(addresses, host: host)
        case .failure(let error):
          self.connected(.failure(self.unavailable(.unresolved("\(error)"))))
        }
      }
    }
  }

  private func connect(_ addresses: [Socket.Address], host: String?) {
    loop.run { [self] in
      let race = ConnectionRace(
        addresses: addresses, loop: loop, delay: configuration.nextAddressDelay,
        start: { [self] address, completion throws(ConnectionEnd) in
          try attempt(address, host: host, completion)
        },
        completion: { [self] in connected($0.mapError(unavailable)) })
      race.begin()
    }
  }

  /// Begins to connect to one address. On the loop.
  private func attempt(
    _ address: Socket.Address, host: String?,
    _ completion: @escaping (ConnectionRace.Outcome) -> Void
  ) throws(ConnectionEnd) -> ClientConnection {
    let socket: FileDescriptor
    do { socket = try Socket.connect(address) } catch {
      throw ConnectionEnd(connecting: error)
    }
    if case .ip = address {
      Socket.setUserTimeout(socket.number, configuration.unacknowledgedTimeout)
    }
    var engine: TLSEngine?
    if case .tls = endpoint, let tls {
      do { engine = try TLSEngine(tls, serverName: serverName ?? host) } catch {
        throw .tls(.ownFault, "\(error)")
      }
    }
    let connection = ClientConnection(
      loop: loop, descriptor: socket, tls: engine, endpoint: endpoint,
      configuration: configuration,
      keepaliveInterval: contents.withLock { $0.keepaliveInterval }, onReady: completion,
      onRetired: { [weak self] in self?.retired($0) })
    connection.start()
    return connection
  }

  private func connected(_ result: Result<ClientConnection, RPCError>) {
    switch result {
    case .failure(let error):
      let waiters = contents.withLock { contents in
        let pause = configuration.backoff.delay(afterFailures: contents.machine.failures)
        return contents.machine.failed(error, until: .now + pause)
      }
      for waiter in waiters { waiter.resume(returning: result) }
    case .success(let connection):
      let waiters = contents.withLock { contents in
        let waiters = contents.machine.connected(
          connection, isProbed: configuration.readinessProbe != nil)
        if waiters != nil { contents.probe = probe(connection) }
        return waiters
      }
      guard let waiters else { return loop.run { connection.drain() } }
      for waiter in waiters { waiter.resume(returning: result) }
    }
  }

  /// What those are told who wait for a connection that is over.
  private func lossError(_ connection: ClientConnection) -> RPCError {
    if let ending = connection.ending, case .goAway = ending { return unavailable(ending) }
    // Calls are told so that come long after the loss.
    if !configuration.reconnects, let ending = connection.ending { return unavailable(ending) }
    return RPCError(
      .unavailable, "\(endpoint): the connection was lost before its server was ready",
      cause: connection.ending)
  }

  private func retired(_ connection: ClientConnection) {
    let error = lossError(connection)
    let (waiters, probe) = contents.withLock { contents -> ([Waiter], Task<Void, Never>?) in
      if case .goAway(let goAway)? = connection.ending, goAway.isForPings,
        let interval = connection.keepaliveInterval
      {
        contents.keepaliveInterval = interval * 2
      }
      let pause = configuration.backoff.delay(afterFailures: contents.machine.failures)
      guard
        let waiters = contents.machine.lost(
          connection, hasServed: connection.hasServed, error, until: .now + pause)
      else { return ([], nil) }
      defer { contents.probe = nil }
      return (waiters, contents.probe)
    }
    probe?.cancel()
    for waiter in waiters { waiter.resume(returning: .failure(error)) }
  }

  /// Ends the connection when its calls have ended; new calls fail.
  public func close() {
    let (connection, waiters, probe) = contents.withLock { contents in
      let (connection, waiters) = contents.machine.closed()
      defer { contents.probe = nil }
      return (connection, waiters, contents.probe)
    }
    probe?.cancel()
    for waiter in waiters { waiter.resume(returning: .failure(closedError)) }
    if let connection { loop.run { connection.drain() } }
  }
}
