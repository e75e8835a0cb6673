internal import Synchronization

/// What all loops share: which connections there are, and the bytes kept for them, of requests and of
/// responses that wait to be taken.
final class ConnectionLimit: Sendable {
  private let ledger: Mutex<ConnectionLedger>
  private let requests: Mutex<RequestMemory>
  private let waiting = Atomic(0)
  private let waitingLimit: Int

  init(connections: ConnectionLedger.Rules, heldBytes: Int, waitingBytes: Int) {
    ledger = Mutex(ConnectionLedger(connections))
    requests = Mutex(RequestMemory(limit: heldBytes))
    waitingLimit = waitingBytes
  }

  func waits(_ change: Int) {
    waiting.add(change, ordering: .relaxed)
  }

  var isWaitingTooMuch: Bool { waiting.load(ordering: .relaxed) > waitingLimit }

  /// Whether more waits than answers to strangers may add to: they fill a quarter at most, so that nobody who is
  /// known is shut out by them.
  var strangersWaitTooMuch: Bool { waiting.load(ordering: .relaxed) > waitingLimit / 4 }

  /// Whether the kept bytes of requests stay within the listener's limit with this change, which is made either way.
  func holds(_ change: Int, of listener: Int) -> Bool {
    requests.withLock { $0.change(listener, by: change) }
  }

  var count: Int { ledger.withLock { $0.count } }

  func addListener() -> Int {
    ledger.withLock { ledger in
      requests.withLock { $0.addListener() }
      return ledger.addListener()
    }
  }

  func take(_ listener: Int, source: String?) -> ConnectionLedger.Refusal? {
    ledger.withLock { $0.take(listener, source: source) }
  }

  func giveBack(_ listener: Int, source: String?) {
    ledger.withLock { $0.giveBack(listener, source: source) }
  }
}

/// A connection's place among those that are open and those that are handshaking. Given up by hand,
/// each once; from any thread.
final class Ticket: Sendable {
  private let limit: ConnectionLimit
  let listener: Int
  private let source: String?
  private let handshakes: Handshakes
  private let number = Atomic<UInt64>(.max)
  private let isOpen = Atomic(true)

  init(limit: ConnectionLimit, listener: Int, source: String?, handshakes: Handshakes) {
    self.limit = limit
    self.listener = listener
    self.source = source
    self.handshakes = handshakes
  }

  /// The handshake is under way by that number.
  func handshakes(as number: UInt64) { self.number.store(number, ordering: .releasing) }

  /// The connection speaks HTTP/2.
  func established() {
    let number = number.exchange(.max, ordering: .acquiringAndReleasing)
    if number != .max { handshakes.leave(number) }
  }

  /// The connection is over.
  func giveBack() {
    established()
    if isOpen.exchange(false, ordering: .acquiringAndReleasing) {
      limit.giveBack(listener, source: source)
    }
  }
}

/// One listener's queue, which all loops reach.
final class Handshakes: Sendable {
  private let queue: Mutex<HandshakeQueue>

  init(limit: Int) { queue = Mutex(HandshakeQueue(limit: limit)) }

  var isFull: Bool { queue.withLock { $0.isFull(now: .now) } }

  func enter(_ source: String?, end: @escaping @Sendable () -> Void) -> HandshakeQueue.Admission {
    queue.withLock {
      $0.enter(HandshakeQueue.Entry(source: source, begun: .now, end: end))
    }
  }

  func leave(_ number: UInt64) { queue.withLock { $0.leave(number) } }
}
