internal import Synchronization

/// Counts the calls of one method as they end, for metrics.
///
/// Counting allocates nothing and takes no lock: each number is an atomic of its own, made when the method is
/// registered. Numbers that are read together may be of different moments.
public final class CallTally: Sendable {
  /// The method's path; empty for all that is no method.
  public let path: String
  /// Which side sends more than one message.
  public let kind: MethodKind

  private let codes = InlineArray<17, Atomic<Int>> { _ in Atomic(0) }
  private let buckets = InlineArray<17, Atomic<Int>> { _ in Atomic(0) }
  private let nanoseconds = Atomic<Int>(0)
  private let open = Atomic<Int>(0)

  /// The upper bounds of the buckets that unary calls are sorted into by how long they took, rising. Longer ones fall
  /// into a bucket after these.
  public static let bounds: [Duration] = [
    .microseconds(100), .microseconds(250), .microseconds(500), .milliseconds(1),
    .microseconds(2500), .milliseconds(5), .milliseconds(10), .milliseconds(25), .milliseconds(50),
    .milliseconds(100), .milliseconds(250), .milliseconds(500), .seconds(1), .seconds(5),
    .seconds(15), .seconds(60),
  ]

  init(path: String, kind: MethodKind) {
    self.path = path
    self.kind = kind
  }

  /// A call with a stream has begun.
  func streamBegan() { open.add(1, ordering: .relaxed) }

  /// A request was refused before there was a call of it.
  func refused(_ code: StatusCode) { codes[code.rawValue].add(1, ordering: .relaxed) }

  /// A unary call has ended.
  func ended(_ code: StatusCode, after time: Duration) {
    var bucket = 0
    while bucket < Self.bounds.count && time > Self.bounds[bucket] { bucket += 1 }
    codes[code.rawValue].add(1, ordering: .relaxed)
    buckets[bucket].add(1, ordering: .relaxed)
    let (seconds, attoseconds) = time.components
    nanoseconds.wrappingAdd(
      Int(seconds) &* 1_000_000_000 &+ Int(attoseconds / 1_000_000_000), ordering: .relaxed)
  }

  /// A call with a stream has ended.
  func streamEnded(_ code: StatusCode) {
    codes[code.rawValue].add(1, ordering: .relaxed)
    open.subtract(1, ordering: .relaxed)
  }

  // MARK: - Reading

  /// How many requests have ended with the code, those among them that were refused before there was a call.
  public func count(_ code: StatusCode) -> Int { codes[code.rawValue].load(ordering: .relaxed) }

  /// Calls with a stream that go on now.
  public var openStreams: Int { open.load(ordering: .relaxed) }

  /// How long the unary calls took that have ended.
  ///
  /// - Returns: how many fell into each bucket alone, one more than there are bounds, and the sum of all times.
  public var latency: (counts: [Int], sum: Duration) {
    let counts = (0...Self.bounds.count).map { buckets[$0].load(ordering: .relaxed) }
    return (counts, .nanoseconds(nanoseconds.load(ordering: .relaxed)))
  }
}
