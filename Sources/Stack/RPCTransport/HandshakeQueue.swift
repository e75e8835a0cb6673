/// The connections of one listener that do not speak HTTP/2 yet: silent ones, and those amid TLS.
///
/// When there are as many as may be, the oldest makes room, unless it is so young that a proper client
/// may not be done either: then the next ones wait in the kernel's queue. So clients that begin and
/// never go on cannot shut out those that do.
struct HandshakeQueue {
  struct Entry {
    var source: String?
    var begun: ContinuousClock.Instant
    /// Ends the connection, from anywhere.
    var end: @Sendable () -> Void
  }

  enum Admission {
    /// By that number, with the connection that has to go for it.
    case admitted(UInt64, evicted: Entry?)
    /// Too many from this source.
    case refused
  }

  /// A client that needs longer may be ended for the sake of others.
  static let patience = Duration.seconds(1)

  private let limit: Int
  /// A source may have a quarter.
  private let perSource: Int
  private var entries: [UInt64: Entry] = [:]
  private var sources: [String: Int] = [:]
  private var next: UInt64 = 0
  /// No entry has a lower number.
  private var lowest: UInt64 = 0

  init(limit: Int) {
    self.limit = limit
    perSource = max(1, limit / 4)
  }

  var count: Int { entries.count }

  /// Whether the next one has to wait.
  mutating func isFull(now: ContinuousClock.Instant) -> Bool {
    entries.count >= limit && now - (oldest()?.begun ?? now) < Self.patience
  }

  /// - Precondition: it is not full.
  mutating func enter(_ entry: Entry) -> Admission {
    if let source = entry.source {
      if sources[source, default: 0] >= perSource { return .refused }
      sources[source, default: 0] += 1
    }
    var evicted: Entry?
    if entries.count >= limit {
      evicted = oldest()
      leave(lowest)
    }
    entries[next] = entry
    defer { next += 1 }
    return .admitted(next, evicted: evicted)
  }

  /// The connection speaks HTTP/2, or has ended. Without effect the second time.
  mutating func leave(_ number: UInt64) {
    guard let entry = entries.removeValue(forKey: number) else { return }
    guard let source = entry.source, let left = sources[source] else { return }
    sources[source] = left > 1 ? left - 1 : nil
  }

  private mutating func oldest() -> Entry? {
    while lowest < next {
      if let entry = entries[lowest] { return entry }
      lowest += 1
    }
    return nil
  }
}
