import Rotation
import TestSupport
import Testing

@testable import Notifications

/// What is sent to a target, in which order, and how often.
@Suite("Delivery to a target")
struct DeliveryQueueTests {
  private static let begin = Instant(secondsSince1970: 1_764_460_800)
  private static let day = Duration.seconds(86_400)

  private static func event(
    _ name: String, at time: Instant = begin, isCondition: Bool = false
  ) -> CloudEvent {
    CloudEvent(
      .rotationEnded, key: [name], source: "", cluster: "prod", subject: name, time: time,
      isCondition: isCondition, data: Array("{}".utf8))
  }

  private var queue = DeliveryQueue(DeliveryRecord(since: DeliveryQueueTests.begin))

  private mutating func next(_ uptime: Duration = .zero) -> CloudEvent? {
    queue.next(at: Self.begin.advanced(by: uptime), uptime: uptime).event
  }

  private mutating func end(
    _ outcome: DeliveryOutcome, _ uptime: Duration = .zero, chance: Double = 1
  ) {
    queue.ended(outcome, at: Self.begin.advanced(by: uptime), uptime: uptime, chance: chance)
  }

  @Test("Events are sent in the order in which they came, one at a time, and each once")
  mutating func order() {
    let events = ["a", "b", "c"].map { Self.event($0) }
    for event in events + events { #expect(queue.offer(event, at: Self.begin) == 0) }
    #expect(queue.backlog == 3)
    for event in events {
      #expect(next() == event)
      #expect(next() == nil)
      #expect(queue.offer(event, at: Self.begin) == 0)
      end(.taken)
    }
    for event in events { _ = queue.offer(event, at: Self.begin) }
    #expect(next() == nil && queue.backlog == 0)
    #expect(queue.counts.sent == 3 && queue.counts.lastSuccess == Self.begin)
  }

  @Test("An event that fails is tried again, behind the others, and keeps nobody from the target")
  mutating func poison() {
    for name in ["poison", "b", "c"] { _ = queue.offer(Self.event(name), at: Self.begin) }
    var uptime = Duration.zero
    var tries: [String: Int] = [:]
    for _ in 0..<50 {
      uptime += .seconds(400)
      guard let event = next(uptime) else { continue }
      tries[event.id, default: 0] += 1
      end(event.id == Self.event("poison").id ? .failed("400") : .taken, uptime)
    }
    #expect(tries[Self.event("b").id] == 1 && tries[Self.event("c").id] == 1)
    #expect(tries[Self.event("poison").id] == 48)
    #expect(queue.counts.failedTries == 48 && queue.counts.sent == 2)
  }

  @Test(
    "The pause doubles with each failure up to five minutes, by chance down to the half, and begins anew after a success"
  )
  mutating func pauses() {
    _ = queue.offer(Self.event("a"), at: Self.begin)
    _ = queue.offer(Self.event("b"), at: Self.begin)
    var uptime = Duration.zero
    for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300] {
      for chance in [0.0, 1.0] {
        var copy = queue
        #expect(copy.next(at: Self.begin, uptime: uptime).event != nil, "\(seconds)")
        copy.ended(.failed("no"), at: Self.begin, uptime: uptime, chance: chance)
        let pause = Duration.seconds(seconds) * (chance == 0 ? 1 : 2) / 2
        #expect(
          copy.next(at: Self.begin, uptime: uptime + pause - .milliseconds(1)).event == nil)
        #expect(copy.next(at: Self.begin, uptime: uptime + pause).event != nil)
      }
      #expect(next(uptime) != nil)
      end(.failed("no"), uptime)
      uptime += .seconds(seconds)
    }
    #expect(next(uptime) != nil)
    end(.taken, uptime)
    #expect(queue.failures == 0)
    #expect(next(uptime) != nil, "a success ends the pause")
    end(.failed("no"), uptime)
    #expect(next(uptime + .seconds(1)) != nil)
  }

  @Test("A longer pause that the target asks for is kept, up to a quarter of an hour")
  mutating func retryAfter() {
    _ = queue.offer(Self.event("a"), at: Self.begin)
    _ = next()
    end(.failed("busy", retryAfter: .seconds(90)))
    #expect(next(.seconds(89)) == nil)
    #expect(next(.seconds(90)) != nil)
    end(.failed("busy", retryAfter: .seconds(1_000_000)), .seconds(90))
    #expect(next(.seconds(90 + 899)) == nil)
    #expect(next(.seconds(90 + 900)) != nil)
    end(.failed("busy", retryAfter: .seconds(1)), .seconds(1000))
    #expect(next(.seconds(1003)) == nil, "a shorter one than its own is not")
    #expect(next(.seconds(1004)) != nil)
  }

  @Test("A target that answers 410 gets nothing more until somebody has the settings read again")
  mutating func gone() {
    _ = queue.offer(Self.event("a"), at: Self.begin)
    _ = next()
    end(.gone)
    #expect(queue.offer(Self.event("a"), at: Self.begin) == 0)
    #expect(queue.offer(Self.event("b"), at: Self.begin) == 0)
    #expect(queue.backlog == 0 && next(.seconds(10_000)) == nil)
    queue.restarted()
    for name in ["a", "b"] { _ = queue.offer(Self.event(name), at: Self.begin) }
    #expect(next() == Self.event("a"))
  }

  @Test(
    "What happened before the target was known, or more than a day ago, is not sent; what holds is")
  mutating func age() {
    let before = Self.begin.advanced(by: .seconds(-1))
    _ = queue.offer(Self.event("before", at: before), at: Self.begin)
    #expect(queue.backlog == 0)
    _ = queue.offer(Self.event("holds", at: before, isCondition: true), at: Self.begin)
    #expect(queue.backlog == 1)
    let late = Self.begin.advanced(by: Self.day + .seconds(1))
    _ = queue.offer(Self.event("late"), at: late)
    #expect(queue.backlog == 1)
    _ = queue.offer(Self.event("just"), at: Self.begin.advanced(by: Self.day))
    #expect(queue.backlog == 2)
    #expect(queue.next(at: late, uptime: .zero).event?.id == Self.event("holds").id)
    end(.taken)
    let last = queue.next(at: late, uptime: .zero)
    #expect(last.event == nil && last.dropped == 1)
    #expect(queue.counts.dropped == 1 && queue.backlog == 0)
    _ = queue.offer(Self.event("just"), at: Self.begin)
    #expect(queue.backlog == 0, "what was given up is not taken in again")
  }

  @Test("A clock that is set back keeps nothing from being told")
  mutating func clock() {
    let earlier = Self.begin.advanced(by: .seconds(-7200))
    _ = queue.offer(Self.event("a", at: earlier), at: earlier.advanced(by: .seconds(1)))
    #expect(queue.backlog == 1)
  }

  @Test(
    "At most a thousand events wait; the one that has waited longest makes room, and is counted")
  mutating func full() {
    for number in 0..<DeliveryQueue.limit {
      #expect(queue.offer(Self.event("\(number)"), at: Self.begin) == 0)
    }
    #expect(queue.offer(Self.event("one more"), at: Self.begin) == 1)
    #expect(queue.backlog == DeliveryQueue.limit && queue.counts.dropped == 1)
    #expect(next() == Self.event("1"))
    #expect(queue.offer(Self.event("0"), at: Self.begin) == 0)
    #expect(queue.backlog == DeliveryQueue.limit, "the dropped one does not come back")
  }

  @Test("Whatever happens, nothing is taken twice and all that is offered is told or counted")
  func chance() {
    let first = RandomSeed()
    for offset in 0..<UInt64(60) {
      let seed = RandomSeed(first.value &+ offset)
      var generator = seed.generator
      var queue = DeliveryQueue(DeliveryRecord(since: Self.begin))
      var taken: [String: Int] = [:]
      var uptime = Duration.zero
      let events = (0..<20).map { Self.event("\($0)", isCondition: $0 % 3 == 0) }
      for _ in 0..<400 {
        uptime += .milliseconds(Int64.random(in: 0...4_000, using: &generator))
        let now = Self.begin.advanced(by: uptime)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<4: _ = queue.offer(events.randomElement(using: &generator)!, at: now)
        case 4:
          // The process ends: what was settled is known, what was pending is offered again.
          let file = queue.record.file
          queue = DeliveryQueue(DeliveryRecord(file: file, readAt: now)!)
        default:
          guard let event = queue.next(at: now, uptime: uptime).event else { continue }
          let isTaken = Bool.random(using: &generator)
          if isTaken { taken[event.id, default: 0] += 1 }
          queue.ended(
            isTaken ? .taken : .failed("no"), at: now, uptime: uptime,
            chance: Double.random(in: 0...1, using: &generator))
        }
        #expect(queue.backlog <= events.count, "\(seed)")
      }
      for event in events { _ = queue.offer(event, at: Self.begin) }
      for _ in 0..<100 {
        uptime += .seconds(301)
        guard let event = queue.next(at: Self.begin, uptime: uptime).event else { break }
        taken[event.id, default: 0] += 1
        queue.ended(.taken, at: Self.begin, uptime: uptime, chance: 0)
      }
      #expect(taken.count == events.count && taken.values.allSatisfy { $0 == 1 }, "\(seed)")
    }
  }

  @Test("Where nothing more can be remembered, conditions are not told of, and news still is")
  func forgetting() {
    var record = DeliveryRecord(since: Self.begin)
    for number in 0..<DeliveryRecord.limit { record.settle("evt_\(number)", at: Self.begin) }
    var queue = DeliveryQueue(record)
    _ = queue.offer(Self.event("holds", isCondition: true), at: Self.begin)
    #expect(queue.backlog == 0)
    _ = queue.offer(Self.event("news"), at: Self.begin)
    #expect(queue.next(at: Self.begin, uptime: .zero).event == Self.event("news"))
    queue.ended(.taken, at: Self.begin, uptime: .zero, chance: 0)
    _ = queue.offer(Self.event("news"), at: Self.begin)
    #expect(queue.backlog == 0 && queue.record.isFull)
    // What is long settled makes room, also where nothing is taken that would have it forgotten.
    queue.makeRoom(at: Self.begin)
    #expect(queue.record.isFull)
    let later = Self.begin.advanced(by: Self.day * 3)
    queue.makeRoom(at: later)
    _ = queue.offer(Self.event("holds", isCondition: true), at: later)
    #expect(queue.backlog == 1)
  }
}
