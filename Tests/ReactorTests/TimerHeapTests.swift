import Synchronization
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
