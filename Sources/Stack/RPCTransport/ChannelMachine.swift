internal import RPC

/// The life of a channel: whether there is a connection, and who waits for one.
///
/// ```
/// idle ──asked──► connecting ──connected──► ready ◄──reported──► unready
///  ▲                 │ failed                 │                     │
///  │                 ▼                        └──────── lost ───────┤
///  │            backing off ──asked after the pause──► connecting   │
///  │                 ▲                                              │
///  │                 └──── it has never answered, nor the one before┤
///  └─────────────────────────── otherwise ──────────────────────────┘       any ──closed──► closed
/// ```
/// With `reconnects` false what was lost or could not be made is over: `connecting ──failed──► ended ◄──lost── ready`.
///
/// Pure: no socket, no clock, no continuation. The driver is `SocketChannel`.
struct ChannelMachine<Connection: AnyObject, Waiter> {
  enum State {
    case idle(failures: Int)
    case connecting(failures: Int)
    case backingOff(until: ContinuousClock.Instant, RPCError, failures: Int)
    case ready(Connection, failures: Int)
    /// Connected, but the probe has not said ready: no word yet (nil), or why not.
    case unready(Connection, RPCError?, failures: Int)
    /// The one connection of the channel has ended, or could not be made.
    case ended(RPCError)
    case closed
  }

  /// Whether there is a second connection after the first.
  var reconnects = true
  private(set) var state = State.idle(failures: 0)
  private var waiters: [UInt64: (waiter: Waiter, waitsForReady: Bool)] = [:]

  enum AskEffect {
    case use(Connection)
    case fail(RPCError)
    /// The waiter was kept; `connects` when an attempt to connect must begin.
    case wait(connects: Bool)
  }

  /// A call needs a connection. With `waitsForReady` it does not mind that the server is not ready.
  mutating func asked(
    _ id: UInt64, _ waiter: Waiter, waitsForReady: Bool, now: ContinuousClock.Instant,
    closedError: RPCError
  ) -> AskEffect {
    var connects = false
    switch state {
    case .ready(let connection, _): return .use(connection)
    case .idle(let failures):
      state = .connecting(failures: failures)
      connects = true
    case .backingOff(let until, let error, let failures):
      if now < until { return .fail(error) }
      state = .connecting(failures: failures)
      connects = true
    case .connecting: break
    case .unready(_, let error, _):
      if let error, !waitsForReady { return .fail(error) }
    case .ended(let error): return .fail(error)
    case .closed: return .fail(closedError)
    }
    waiters[id] = (waiter, waitsForReady)
    return .wait(connects: connects)
  }

  /// A call has stopped waiting; its waiter, if it still stood there.
  mutating func left(_ id: UInt64) -> Waiter? { waiters.removeValue(forKey: id)?.waiter }

  /// How many attempts have failed in a row, the one that fails now included.
  var failures: Int {
    switch state {
    case .connecting(let failures), .ready(_, let failures), .unready(_, _, let failures):
      failures + 1
    case .idle, .backingOff, .ended, .closed: 1
    }
  }

  /// A connection stands. Those who can go on; nil when nobody wants it any more.
  mutating func connected(_ connection: Connection, isProbed: Bool) -> [Waiter]? {
    guard case .connecting(let failures) = state else { return nil }
    state =
      isProbed
      ? .unready(connection, nil, failures: failures) : .ready(connection, failures: failures)
    return isProbed ? [] : takeAll()
  }

  /// No connection could be made. Those who are told so.
  mutating func failed(_ error: RPCError, until: ContinuousClock.Instant) -> [Waiter] {
    guard case .connecting = state else { return [] }
    state =
      reconnects ? .backingOff(until: until, error, failures: failures) : .ended(error)
    return takeAll()
  }

  /// The probe speaks: nil for ready. Those who are told what it said.
  mutating func reported(_ connection: Connection, _ error: RPCError?) -> [Waiter] {
    guard isCurrent(connection) else { return [] }
    let failures = failures - 1
    guard let error else {
      state = .ready(connection, failures: failures)
      return takeAll()
    }
    state = .unready(connection, error, failures: failures)
    let told = waiters.filter { !$0.value.waitsForReady }
    for id in told.keys { waiters[id] = nil }
    return told.values.map(\.waiter)
  }

  /// The probe has ended: a connection of which it said nothing is ready.
  mutating func probeEnded(_ connection: Connection) -> [Waiter] {
    guard case .unready(let current, nil, _) = state, current === connection else { return [] }
    return reported(connection, nil)
  }

  /// The connection takes no more calls. Those who waited for it; nil when it was not the current
  /// one.
  ///
  /// - Parameter hasServed: it has answered calls. One that has not counts as a failed attempt, or a
  ///   server that ends its connections as soon as they are made would be hammered. The first of them is
  ///   followed at once, for the sake of servers that are being replaced.
  mutating func lost(
    _ connection: Connection, hasServed: Bool, _ error: RPCError, until: ContinuousClock.Instant
  ) -> [Waiter]? {
    guard isCurrent(connection) else { return nil }
    guard reconnects else {
      state = .ended(error)
      return takeAll()
    }
    state =
      hasServed
      ? .idle(failures: 0)
      : failures == 1
        ? .idle(failures: 1) : .backingOff(until: until, error, failures: failures)
    return takeAll()
  }

  /// The channel is closed: its connection, and those who waited.
  mutating func closed() -> (Connection?, [Waiter]) {
    defer { state = .closed }
    switch state {
    case .ready(let connection, _), .unready(let connection, _, _):
      return (connection, takeAll())
    case .idle, .connecting, .backingOff, .ended, .closed: return (nil, takeAll())
    }
  }

  private func isCurrent(_ connection: Connection) -> Bool {
    switch state {
    case .ready(let current, _), .unready(let current, _, _): current === connection
    case .idle, .connecting, .backingOff, .ended, .closed: false
    }
  }

  private mutating func takeAll() -> [Waiter] {
    defer { waiters = [:] }
    return waiters.values.map(\.waiter)
  }
}

extension ChannelMachine: Sendable where Connection: Sendable, Waiter: Sendable {}
extension ChannelMachine.State: Sendable where Connection: Sendable, Waiter: Sendable {}
