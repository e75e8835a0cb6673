import Dispatch
import Synchronization
import Testing

@testable import Reactor

@Suite("A pool for work that blocks")
struct BlockingPoolTests {
  @Test(
    "No more threads run than allowed, everything that found a place is done, the rest is refused")
  func bounds() {
    let pool = BlockingPool(threads: 2, waiting: 3)
    let gate = DispatchSemaphore(value: 0)
    let done = DispatchSemaphore(value: 0)
    let counts = Mutex((running: 0, most: 0))
    var refusals = 0
    for _ in 0..<8 {
      pool.run {
        counts.withLock { counts in
          counts.running += 1
          counts.most = max(counts.most, counts.running)
        }
        gate.wait()
        counts.withLock { $0.running -= 1 }
        done.signal()
      } refused: { _ in
        refusals += 1
      }
    }
    #expect(refusals == 3)
    for _ in 0..<5 { gate.signal() }
    for _ in 0..<5 { done.wait() }
    #expect(counts.withLock { $0.most } <= 2)
    // The pool is free again.
    for _ in 0..<4 {
      pool.run {
        done.signal()
      } refused: { _ in
        refusals += 1
      }
    }
    for _ in 0..<4 { done.wait() }
    #expect(refusals == 3)
  }
}
