public import Crypto
internal import HTTP2
public import RPC
internal import Reactor
internal import Synchronization

/// A client's way to one endpoint: one HTTP/2 connection, made when it is first needed and made
/// anew when it was lost.
public final class SocketChannel: ClientChannel {
  private typealias Waiter = CheckedContinuation<Result<ClientConnection, RPCError>, Never>

  /// ```
  /// idle ──open──► connecting ──► ready ──lost──► idle
  ///                    │ failed
  ///                    ▼
  ///               backing off ──open after the pause──► connecting        any ──close──► closed
  /// ```
  private enum State {
    case idle
    case connecting([Waiter], failures: Int)
    case backingOff(until: ContinuousClock.Instant, RPCError, failures: Int)
    case ready(ClientConnection)
    case closed
  }

  public let endpoint: Endpoint
  private let tls: TLSContext?
  private let serverName: String?
  private let configuration: ChannelConfiguration
  private let loop: EventLoop
  private let state = Mutex(State.idle)

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
  }

  deinit {
    if case .ready(let connection) = state.withLock({ $0 }) {
      connection.loop.run { connection.drain() }
    }
  }

  public func open(
    method: String, path: String, fields: HeaderFields, isLast: Bool, waitForReady: Bool,
    receiver: any HTTPResponseReceiver
  ) async throws(RPCError) -> any HTTPClientStream {
    var head = HeaderFields([":method": method])
    head.append(":scheme", tls == nil ? "http" : "https")
    head.append(":path", path)
    head.append(":authority", authority)
    for i in 0..<fields.count { head.append(fields.name(i), fields.value(i)) }
    let whole = head
    // A connection may retire between being found and being used: bounded, each try on a new one.
    for _ in 0..<5 {
      let connection = try await readyConnection(waits: waitForReady)
      let stream: ClientStream? = await withCheckedContinuation { continuation in
        connection.loop.run {
          continuation.resume(
            returning: connection.open(whole, isLast: isLast, receiver: receiver))
        }
      }
      if let stream { return stream }
    }
    throw RPCError(.unavailable, "\(endpoint): connections end as soon as they are made")
  }

  /// A connection; with `waits`, after as many attempts as it takes until the task is cancelled.
  private func readyConnection(waits: Bool) async throws(RPCError) -> ClientConnection {
    while true {
      do throws(RPCError) { return try await connection() } catch {
        guard waits, error.code == .unavailable, !isClosed else { throw error }
        let pause = state.withLock { state in
          if case .backingOff(let until, _, _) = state { return until - ContinuousClock.now }
          return .milliseconds(10)
        }
        do { try await Task.sleep(for: max(pause, .milliseconds(1))) } catch {
          throw RPCError(.cancelled, "the call was cancelled while it waited for a connection")
        }
      }
    }
  }

  private var isClosed: Bool {
    state.withLock { state in
      if case .closed = state { return true }
      return false
    }
  }

  private var authority: String {
    switch endpoint {
    case .unix: "localhost"
    case .tls(let host, let port), .plaintext(let host, let port):
      "\(Endpoint.bracketed(host)):\(port)"
    }
  }

  private func connection() async throws(RPCError) -> ClientConnection {
    enum Step {
      case use(ClientConnection)
      case fail(RPCError)
      case connect
      case wait
    }
    let result: Result<ClientConnection, RPCError> = await withCheckedContinuation { continuation in
      let step = state.withLock { state -> Step in
        switch state {
        case .ready(let connection): return .use(connection)
        case .idle:
          state = .connecting([continuation], failures: 0)
          return .connect
        case .backingOff(let until, let error, let failures):
          if ContinuousClock.now < until { return .fail(error) }
          state = .connecting([continuation], failures: failures)
          return .connect
        case .connecting(let waiters, let failures):
          state = .connecting(waiters + [continuation], failures: failures)
          return .wait
        case .closed: return .fail(closedError)
        }
      }
      switch step {
      case .use(let connection): continuation.resume(returning: .success(connection))
      case .fail(let error): continuation.resume(returning: .failure(error))
      case .connect: connect()
      case .wait: break
      }
    }
    return try result.get()
  }

  private var closedError: RPCError {
    RPCError(.unavailable, "\(endpoint): the channel was closed")
  }

  private func connect() {
    switch endpoint {
    case .unix(let path): connect([.unix(path: path)], host: nil)
    case .tls(let host, let port), .plaintext(let host, let port):
      guard let port = UInt16(exactly: port) else {
        return connected(.failure(RPCError(.invalidArgument, "port \(port) does not exist")))
      }
      Resolver.resolve(host, port: port) { result in
        switch result {
        case .success(let addresses): self.connect(addresses, host: host)
        case .failure(let error):
          self.connected(.failure(RPCError(.unavailable, "\(self.endpoint): \(error)")))
        }
      }
    }
  }

  private func connect(_ addresses: [Socket.Address], host: String?) {
    loop.run { [self] in
      let race = ConnectionRace(
        addresses: addresses, loop: loop, delay: configuration.nextAddressDelay,
        start: { [self] address, completion in
          try attempt(address, host: host, completion)
        },
        completion: { [self] result in connected(result) })
      race.begin(endpoint)
    }
  }

  /// Begins to connect to one address. On the loop.
  private func attempt(
    _ address: Socket.Address, host: String?,
    _ completion: @escaping (Result<ClientConnection, RPCError>) -> Void
  ) throws -> ClientConnection {
    let socket = try Socket.connect(address)
    if case .ip = address {
      Socket.setUserTimeout(socket.number, configuration.unacknowledgedTimeout)
    }
    var engine: TLSEngine?
    if case .tls = endpoint, let tls {
      engine = try TLSEngine(tls, serverName: serverName ?? host)
    }
    let connection = ClientConnection(
      loop: loop, descriptor: socket, tls: engine, endpoint: endpoint,
      configuration: configuration, onReady: completion,
      onRetired: { [weak self] in self?.retired($0) })
    connection.start()
    return connection
  }

  private func connected(_ result: Result<ClientConnection, RPCError>) {
    let (waiters, isWanted) = state.withLock { state -> ([Waiter], Bool) in
      guard case .connecting(let waiters, let failures) = state else { return ([], false) }
      switch result {
      case .success(let connection): state = .ready(connection)
      case .failure(let error):
        let pause = configuration.backoff.delay(afterFailures: failures + 1)
        state = .backingOff(until: .now + pause, error, failures: failures + 1)
      }
      return (waiters, true)
    }
    if !isWanted, case .success(let connection) = result {
      connection.loop.run { connection.drain() }
    }
    for waiter in waiters { waiter.resume(returning: result) }
  }

  private func retired(_ connection: ClientConnection) {
    state.withLock { state in
      if case .ready(let current) = state, current === connection { state = .idle }
    }
  }

  /// Ends the connection when its calls have ended; new calls fail.
  public func close() {
    let (connection, waiters) = state.withLock { state -> (ClientConnection?, [Waiter]) in
      defer { state = .closed }
      switch state {
      case .ready(let connection): return (connection, [])
      case .connecting(let waiters, _): return (nil, waiters)
      case .idle, .backingOff, .closed: return (nil, [])
      }
    }
    for waiter in waiters { waiter.resume(returning: .failure(closedError)) }
    if let connection { connection.loop.run { connection.drain() } }
  }
}
