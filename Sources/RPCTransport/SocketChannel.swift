public import Crypto
internal import HTTP2
public import RPC
internal import Reactor
internal import Synchronization

/// A client's way to one endpoint: one HTTP/2 connection, made when it is first needed and made
/// anew when it was lost.
public final class SocketChannel: ClientChannel {
  private enum State {
    case idle
    case connecting([CheckedContinuation<Result<ClientConnection, RPCError>, Never>])
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
    var wait = Duration.milliseconds(100)
    // A connection may retire between being found and being used: bounded, each try on a new one.
    for _ in 0..<5 {
      let connection: ClientConnection
      do throws(RPCError) { connection = try await self.connection() } catch {
        guard waitForReady, error.code == .unavailable, !Task.isCancelled else { throw error }
        try? await Task.sleep(for: wait)
        wait = min(wait * 2, .seconds(5))
        return try await open(
          method: method, path: path, fields: fields, isLast: isLast, waitForReady: true,
          receiver: receiver)
      }
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
      case connect
      case wait
      case closed
    }
    let result: Result<ClientConnection, RPCError> = await withCheckedContinuation { continuation in
      let step = state.withLock { state -> Step in
        switch state {
        case .ready(let connection): return .use(connection)
        case .idle:
          state = .connecting([continuation])
          return .connect
        case .connecting(let waiters):
          state = .connecting(waiters + [continuation])
          return .wait
        case .closed: return .closed
        }
      }
      switch step {
      case .use(let connection): continuation.resume(returning: .success(connection))
      case .connect: connect()
      case .wait: break
      case .closed:
        continuation.resume(
          returning: .failure(RPCError(.unavailable, "\(endpoint): the channel was closed")))
      }
    }
    return try result.get()
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

  /// Tries the addresses one after the other.
  private func connect(_ addresses: [Socket.Address], host: String?) {
    guard let address = addresses.first else {
      return connected(.failure(RPCError(.unavailable, "\(endpoint): the host has no address")))
    }
    let others = Array(addresses.dropFirst())
    loop.run { [self] in
      do {
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
          configuration: configuration,
          onReady: { [self] result in
            if case .failure = result, !others.isEmpty { return connect(others, host: host) }
            connected(result)
          },
          onRetired: { [weak self] in self?.retired($0) })
        connection.start()
      } catch {
        if !others.isEmpty { return connect(others, host: host) }
        connected(.failure(RPCError(.unavailable, "\(endpoint): \(error)")))
      }
    }
  }

  private func connected(_ result: Result<ClientConnection, RPCError>) {
    let (waiters, unwanted) = state.withLock {
      state -> ([CheckedContinuation<Result<ClientConnection, RPCError>, Never>], Bool) in
      guard case .connecting(let waiters) = state else { return ([], true) }
      if case .success(let connection) = result {
        state = .ready(connection)
      } else {
        state = .idle
      }
      return (waiters, false)
    }
    if unwanted, case .success(let connection) = result {
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
    let (connection, waiters) = state.withLock {
      state -> (ClientConnection?, [CheckedContinuation<Result<ClientConnection, RPCError>, Never>])
      in
      defer { state = .closed }
      switch state {
      case .ready(let connection): return (connection, [])
      case .connecting(let waiters): return (nil, waiters)
      case .idle, .closed: return (nil, [])
      }
    }
    for waiter in waiters {
      waiter.resume(
        returning: .failure(RPCError(.unavailable, "\(endpoint): the channel was closed")))
    }
    if let connection { connection.loop.run { connection.drain() } }
  }
}
