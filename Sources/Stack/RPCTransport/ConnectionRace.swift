internal import RPC
internal import Reactor

/// Connects to the addresses of one host in the way of RFC 8305 (Happy Eyeballs): families
/// alternate, each attempt gets a head start, and the first connection that stands wins.
///
/// Confined to its loop.
final class ConnectionRace: @unchecked Sendable {
  // @unchecked: confined to the loop.
  typealias Outcome = Result<ClientConnection, RPCError>

  private var waiting: [Socket.Address]
  private var running: [ObjectIdentifier: ClientConnection] = [:]
  private let loop: EventLoop
  private let delay: Duration
  private let start: (Socket.Address, @escaping (Outcome) -> Void) throws -> ClientConnection
  private let completion: (Outcome) -> Void
  private var timer: UInt64?
  /// Why each address that was tried did not do.
  private var failures: [(address: Socket.Address, error: RPCError)] = []
  private var isOver = false

  init(
    addresses: [Socket.Address], loop: EventLoop, delay: Duration,
    start: @escaping (Socket.Address, @escaping (Outcome) -> Void) throws -> ClientConnection,
    completion: @escaping (Outcome) -> Void
  ) {
    self.waiting = Self.alternating(addresses)
    self.loop = loop
    self.delay = delay
    self.start = start
    self.completion = completion
  }

  /// The addresses with the families in turn, beginning with the first one's.
  static func alternating(_ addresses: [Socket.Address]) -> [Socket.Address] {
    func isV6(_ address: Socket.Address) -> Bool {
      if case .ip(let host, _) = address { return host.contains(":") }
      return false
    }
    guard let first = addresses.first else { return [] }
    let preferred = addresses.filter { isV6($0) == isV6(first) }
    let others = addresses.filter { isV6($0) != isV6(first) }
    var result: [Socket.Address] = []
    for i in 0..<max(preferred.count, others.count) {
      if i < preferred.count { result.append(preferred[i]) }
      if i < others.count { result.append(others[i]) }
    }
    return result
  }

  func begin(_ endpoint: Endpoint) {
    next(endpoint)
  }

  private func next(_ endpoint: Endpoint) {
    if isOver { return }
    if let timer { loop.cancelTimer(timer) }
    timer = nil
    guard !waiting.isEmpty else {
      if running.isEmpty { finish(.failure(failure(endpoint))) }
      return
    }
    let address = waiting.removeFirst()
    do {
      // The attempt may end before `start` returns; then it is not among those that run.
      var ended = false
      var made: ObjectIdentifier?
      let connection = try start(address) { outcome in
        ended = true
        if let made { self.running[made] = nil }
        self.ended(outcome, address, endpoint)
      }
      if !ended {
        made = ObjectIdentifier(connection)
        running[ObjectIdentifier(connection)] = connection
      }
    } catch {
      failures.append((address, RPCError(.unavailable, "\(endpoint): \(error)")))
      return next(endpoint)
    }
    if !isOver && !waiting.isEmpty {
      timer = loop.addTimer(after: delay) { [self] in next(endpoint) }
    }
  }

  /// All that went wrong: with several addresses, it is said of which.
  private func failure(_ endpoint: Endpoint) -> RPCError {
    guard let last = failures.last else {
      return RPCError(.unavailable, "\(endpoint): the host has no address")
    }
    if failures.count == 1 { return last.error }
    let prefix = "\(endpoint): "
    let reasons = failures.map { address, error in
      let reason =
        error.message.hasPrefix(prefix)
        ? String(error.message.dropFirst(prefix.count)) : error.message
      guard case .ip(let host, _) = address else { return reason }
      return "\(host): \(reason)"
    }
    return RPCError(last.error.code, prefix + reasons.joined(separator: "; "))
  }

  private func ended(_ outcome: Outcome, _ address: Socket.Address, _ endpoint: Endpoint) {
    switch outcome {
    case .success(let connection):
      if isOver { return connection.close("another address answered first") }
      finish(outcome)
    case .failure(let error):
      failures.append((address, error))
      next(endpoint)
    }
  }

  private func finish(_ outcome: Outcome) {
    if isOver { return }
    isOver = true
    if let timer { loop.cancelTimer(timer) }
    timer = nil
    let losers = Array(running.values)
    running = [:]
    completion(outcome)
    for loser in losers { loser.close("another address answered first") }
  }
}
