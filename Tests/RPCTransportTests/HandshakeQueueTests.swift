import Testing

@testable import RPCTransport

@Suite struct HandshakeQueueTests {
  static let start = ContinuousClock.now

  static func entry(_ seconds: Double, _ source: String? = nil) -> HandshakeQueue.Entry {
    HandshakeQueue.Entry(source: source, begun: start + .seconds(seconds)) {}
  }

  /// The number it got, and when the one that went for it had begun.
  static func enter(
    _ queue: inout HandshakeQueue, _ entry: HandshakeQueue.Entry
  ) -> (number: UInt64, evicted: Duration?)? {
    switch queue.enter(entry) {
    case .admitted(let number, let evicted): (number, evicted.map { $0.begun - start })
    case .refused: nil
    }
  }

  @Test("When it is full the oldest goes, once it has had its time")
  func oldestGoes() throws {
    var queue = HandshakeQueue(limit: 3)
    for second in 0..<3 {
      let entered = try #require(Self.enter(&queue, Self.entry(Double(second))))
      #expect(entered.evicted == nil)
    }
    let isFullAtOnce = queue.isFull(now: Self.start + .milliseconds(900))
    #expect(isFullAtOnce)
    let isFullLater = queue.isFull(now: Self.start + .seconds(3))
    #expect(!isFullLater)
    let next = try #require(Self.enter(&queue, Self.entry(3)))
    #expect(next.evicted == .zero)
    let another = try #require(Self.enter(&queue, Self.entry(3.1)))
    #expect(another.evicted == .seconds(1))
    #expect(queue.count == 3)
  }

  @Test("Those that come through make room, wherever they stand")
  func leaving() throws {
    var queue = HandshakeQueue(limit: 3)
    let numbers = try (0..<3).map {
      try #require(Self.enter(&queue, Self.entry(Double($0)))).number
    }
    queue.leave(numbers[0])
    queue.leave(numbers[0])
    #expect(queue.count == 2)
    let third = try #require(Self.enter(&queue, Self.entry(3)))
    #expect(third.evicted == nil)
    let next = try #require(Self.enter(&queue, Self.entry(4)))
    #expect(next.evicted == .seconds(1))
  }

  @Test("A source has a quarter of the places, and others go on having theirs")
  func sources() throws {
    var queue = HandshakeQueue(limit: 8)
    let first = try #require(Self.enter(&queue, Self.entry(0, "a")))
    #expect(Self.enter(&queue, Self.entry(0, "a")) != nil)
    #expect(Self.enter(&queue, Self.entry(0, "a")) == nil)
    #expect(Self.enter(&queue, Self.entry(0, "b")) != nil)
    queue.leave(first.number)
    #expect(Self.enter(&queue, Self.entry(0, "a")) != nil)
    #expect(queue.count == 3)
  }
}
