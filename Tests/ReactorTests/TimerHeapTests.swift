import Synchronization
import TestSupport
import Testing

@testable import Reactor

@Suite struct TimerHeapTests {
  @Test("Timers fire in the order of their times, equal ones in the order they were set")
  func order() {
    let fired = Mutex<[Int]>([])
    var heap = TimerHeap()
    var expected: [(UInt64, Int)] = []
    for i in 0..<500 {
      let due = UInt64((i * 7919) % 97)
      expected.append((due, i))
      _ = heap.add(due: due) { fired.withLock { $0.append(i) } }
    }
    for now in UInt64(0)...97 { while let work = heap.popDue(now: now) { work() } }
    #expect(fired.withLock { $0 } == expected.sorted { $0 < $1 }.map(\.1))
  }

  @Test("A cancelled timer is gone at once, whichever it is")
  func cancel() {
    let fired = Mutex<Set<Int>>([])
    var heap = TimerHeap()
    let ids = (0..<200).map { i in
      heap.add(due: UInt64((i * 31) % 50)) { fired.withLock { _ = $0.insert(i) } }
    }
    for i in stride(from: 0, to: 200, by: 3) { heap.cancel(ids[i]) }
    for i in stride(from: 0, to: 200, by: 3) { heap.cancel(ids[i]) }
    #expect(heap.count == 133)
    while let work = heap.popDue(now: 100) { work() }
    #expect(fired.withLock { $0 } == Set((0..<200).filter { $0 % 3 != 0 }))
  }

  @Test("Timers that are cancelled before they are due do not fill the heap")
  func cancelledRoom() {
    var heap = TimerHeap()
    _ = heap.add(due: 1_000_000) {}
    for i in 0..<10_000 { heap.cancel(heap.add(due: UInt64(i)) {}) }
    #expect(heap.count == 1)
    #expect(heap.entries < 100)
  }

  @Test("A cancelled timer lets go of its work at once")
  func cancelledWork() {
    final class Held: Sendable {}
    var heap = TimerHeap()
    weak var held: Held?
    do {
      let made = Held()
      held = made
      heap.cancel(heap.add(due: 5) { withExtendedLifetime(made) {} })
    }
    #expect(held == nil)
  }

  @Test("The identity of a timer that has fired does not cancel the timer in its place")
  func staleIdentity() {
    func fires(_ heap: inout TimerHeap, now: UInt64) -> Bool {
      guard let work = heap.popDue(now: now) else { return false }
      work()
      return true
    }
    let fired = Atomic(0)
    var heap = TimerHeap()
    let first = heap.add(due: 1) {}
    #expect(fires(&heap, now: 1))
    _ = heap.add(due: 2) { fired.add(1, ordering: .relaxed) }
    heap.cancel(first)
    #expect(fires(&heap, now: 2))
    #expect(fired.load(ordering: .relaxed) == 1)
    #expect(heap.count == 0)
  }

  @Test("Whatever is added and cancelled, what is due fires in the order of its time")
  func anyOrder() {
    let seed = RandomSeed()
    var random = seed.generator
    var heap = TimerHeap()
    var waiting: [UInt64: UInt64] = [:]
    let fired = Mutex<[UInt64]>([])
    var now: UInt64 = 0
    for step in UInt64(0)..<5_000 {
      switch Int.random(in: 0..<4, using: &random) {
      case 0, 1:
        let due = now + UInt64.random(in: 0..<500, using: &random)
        let id = heap.add(due: due) { fired.withLock { $0.append(due) } }
        waiting[id] = due
      case 2:
        guard let id = waiting.keys.min(by: { ($0 ^ step) < ($1 ^ step) }) else { continue }
        waiting[id] = nil
        heap.cancel(id)
      default:
        now += UInt64.random(in: 0..<20, using: &random)
        while let work = heap.popDue(now: now) { work() }
        let expected = waiting.values.filter { $0 <= now }.sorted()
        waiting = waiting.filter { $0.value > now }
        #expect(fired.withLock { $0 } == expected, "\(seed)")
        fired.withLock { $0 = [] }
      }
      #expect(heap.count == waiting.count, "\(seed)")
    }
  }
}

@Suite struct EventLoopTests {
  @Test("Work given from anywhere runs on the loop's thread, in order")
  func order() async throws {
    let loop = try EventLoop()
    defer { loop.stop() }
    let seen: [Int] = await withCheckedContinuation { continuation in
      let seen = Mutex<[Int]>([])
      for i in 0..<1000 {
        loop.run { seen.withLock { $0.append(loop.isCurrent ? i : -1) } }
      }
      loop.run { continuation.resume(returning: seen.withLock { $0 }) }
    }
    #expect(seen == Array(0..<1000))
  }

  @Test("A task that prefers the loop resumes on it after every suspension")
  func executor() async throws {
    let loop = try EventLoop()
    defer { loop.stop() }
    let task = Task(executorPreference: loop) {
      var all = loop.isCurrent
      for _ in 0..<10 {
        try? await Task.sleep(for: .milliseconds(1))
        all = all && loop.isCurrent
      }
      return all
    }
    #expect(await task.value)
  }

  @Test("A timer fires after its time and a cancelled one does not")
  func timers() async throws {
    let loop = try EventLoop()
    defer { loop.stop() }
    let fired = Atomic(0)
    let waited: Duration = await withCheckedContinuation { continuation in
      loop.run {
        let start = ContinuousClock.now
        let cancelled = loop.addTimer(after: .milliseconds(5)) {
          fired.add(1, ordering: .relaxed)
        }
        _ = loop.addTimer(after: .milliseconds(20)) {
          continuation.resume(returning: ContinuousClock.now - start)
        }
        loop.cancelTimer(cancelled)
      }
    }
    #expect(waited >= .milliseconds(20))
    let count = fired.load(ordering: .relaxed)
    #expect(count == 0)
  }

  @Test("Stopping runs what was given before, and tasks given after still end")
  func stop() async throws {
    let loop = try EventLoop()
    let ran = Atomic(false)
    loop.run { ran.store(true, ordering: .relaxed) }
    loop.stop()
    for _ in 0..<200 where !ran.load(ordering: .relaxed) {
      try await Task.sleep(for: .milliseconds(5))
    }
    let didRun = ran.load(ordering: .relaxed)
    #expect(didRun)
    try await Task.sleep(for: .milliseconds(50))
    let late = Task(executorPreference: loop) { 7 }
    #expect(await late.value == 7)
  }
}
