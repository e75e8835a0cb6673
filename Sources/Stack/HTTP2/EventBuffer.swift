internal import HTTP2Codes

/// Room for events, shared by the sessions of one event loop: none of them has events beyond its turn.
///
/// So ten thousand connections do not keep ten thousand arrays that are empty nearly always, and the one
/// array stays in the processor's caches.
public final class EventStorage {
  var events: [HTTP2Event] = []

  public init() {}
}

/// The events of a session that its owner has not taken, and the objects that events refer to and nothing
/// else holds.
struct EventBuffer {
  private(set) var events: [HTTP2Event] = []
  private let storage: EventStorage
  /// Objects of events since the last `take`, and of the events that were taken then.
  private var expiring: [AnyObject] = []
  private var lent: [AnyObject] = []

  init(_ storage: EventStorage) { self.storage = storage }

  /// Borrows the loop's room for what comes.
  mutating func begin() {
    if events.isEmpty { swap(&events, &storage.events) }
  }

  @inline(__always)
  mutating func append(_ event: HTTP2Event) { events.append(event) }

  /// Keeps an object for as long as the events that come now are good.
  mutating func keep(_ object: AnyObject) { expiring.append(object) }

  /// The body of a stream has ended. The end belongs to the data just before, which then is the last piece.
  mutating func appendEnd(of stream: Unmanaged<HTTP2Stream>) {
    if case .data(let last, let range, _)? = events.last,
      unsafe last.reference.toOpaque() == stream.toOpaque()
    {
      events[events.count - 1] = .data(last, range, isLast: true)
    } else {
      events.append(.end(unsafe EventReference(stream)))
    }
  }

  /// What happened since the last call.
  mutating func take() -> [HTTP2Event] {
    if events.isEmpty {
      swap(&events, &storage.events)
      // Blocks of informational heads, which make no event.
      expiring.removeAll(keepingCapacity: true)
      return []
    }
    lent.removeAll(keepingCapacity: true)
    swap(&lent, &expiring)
    defer { events = [] }
    return events
  }

  /// Takes events back that are no longer good; their room serves the next turn.
  mutating func recycle(_ events: consuming [HTTP2Event]) {
    // A burst's is not kept for good.
    lent.removeAll(keepingCapacity: lent.capacity <= 64)
    if events.capacity <= 8192 {
      events.removeAll(keepingCapacity: true)
      storage.events = events
    }
  }

  /// The ends of streams among the events that were not taken.
  var ends: [(stream: HTTP2Stream, errorCode: HTTP2ErrorCode)] {
    var ends: [(stream: HTTP2Stream, errorCode: HTTP2ErrorCode)] = []
    for case .closed(let stream, let errorCode) in events {
      ends.append((stream.object, errorCode))
    }
    return ends
  }

  /// Forgets the events that were not taken. Events that were taken and not given back stay good.
  mutating func abandon() {
    events = []
    lent += expiring
    expiring = []
  }
}
