internal import RPC
internal import Reactor

/// Connects to the addresses of one host in the way of RFC 8305 (Happy Eyeballs): families
/// alternate, each attempt gets a head start, and the first connection that stands wins.
///
/// Confined to its loop.
final class ConnectionRace: @unchecked Sendable {
  // @unchecked: confined to the loop.
  typealias Outcome = Result<ClientConnection, ConnectionEnd>

  /// Begins to connect to an address.
  typealias Start =
    (Socket.Address, @escaping (Outcome) -> Void) throws(ConnectionEnd) -> ClientConnection

  private var waiting: [Socket.Address]
  private var running: [ObjectIdentifier: ClientConnection] = [:]
  private let loop: EventLoop
  private let delay: Duration
  private let start: Start
  private let completion: (Outcome) -> Void
  private var timer: UInt64?
  /// Why each address that was tried did not do.
  private var failures: [ConnectionEnd.AddressEnd] = []
  private var isOver = false

  init(
    addresses: [Socket.Address], loop: EventLoop, delay: Duration,
    start: @escaping Start,
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

  func begin() { next() }

  private func next() {
    if isOver { return }
    if let timer { loop.cancelTimer(timer) }
    timer = nil
    guard !waiting.isEmpty else {
      if running.isEmpty { finish(.failure(failure)) }
      return
    }
    let address = waiting.removeFirst()
    do throws(ConnectionEnd) {
      // The attempt may end before `start` returns; then it is not among those that run.
      var ended = false
      var made: ObjectIdentifier?
      let connection = try start(address) { outcome in
        ended = true
        if let made { self.running[made] = nil }
        self.ended(outcome, address)
      }
      if !ended {
        made = ObjectIdentifier(connection)
        running[ObjectIdentifier(connection)] = connection
      }
    } catch {
      failures.append(ConnectionEnd.AddressEnd(address: Self.text(address), end: error))
      return next()
    }
    if !isOver && !waiting.isEmpty {
      timer = loop.addTimer(after: delay) { [self] in next() }
    }
  }

  /// All that went wrong: with several addresses, it is said of which.
  private var failure: ConnectionEnd {
    switch failures.count {
    case 0: .unresolved("the host has no address")
    case 1: failures[0].end
    default: .addresses(failures)
    }
  }

  private static func text(_ address: Socket.Address) -> String {
    if case .ip(let host, _) = address { host } else { address.text }
  }

  private func ended(_ outcome: Outcome, _ address: Socket.Address) {
    switch outcome {
    case .success(let connection):
      if isOver { return connection.close(Self.lost) }
      finish(outcome)
    case .failure(let end):
      failures.append(ConnectionEnd.AddressEnd(address: Self.text(address), end: end))
      next()
    }
  }

  private static let lost = ConnectionEnd.closed("another address answered first")

  private func finish(_ outcome: Outcome) {
    if isOver { return }
    isOver = true
    if let timer { loop.cancelTimer(timer) }
    timer = nil
    let losers = Array(running.values)
    running = [:]
    completion(outcome)
    for loser in losers { loser.close(Self.lost) }
  }
}
