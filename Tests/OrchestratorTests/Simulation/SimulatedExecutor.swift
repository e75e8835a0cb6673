import Glibc
import Orchestrator
import Rotation
import Synchronization
import TestSupport

/// One thread, simulated time, and an order of events that the seed decides.
///
/// Every task of a simulation prefers this executor, so all of it runs inside `run`, on the thread
/// that calls it. Of the jobs that are ready one is drawn by the seed; when none is, time jumps to
/// the next sleeper.
final class SimulatedExecutor: TaskExecutor, OrchestratorClock {
  private struct Sleeper {
    var wakeAt: Instant
    var order: UInt64
    var continuation: CheckedContinuation<Bool, Never>
  }

  private struct State {
    var now = Instant(secondsSince1970: 1_700_000_000)
    var ready: [UnownedJob] = []
    var sleepers: [UInt64: Sleeper] = [:]
    var cancelled: Set<UInt64> = []
    var count: UInt64 = 0
    var jobs = 0
    /// Calls that are being answered by other threads.
    var elsewhere = 0
    var generator: SeededGenerator
  }

  private let state: Mutex<State>

  init(seed: UInt64) {
    state = Mutex(State(generator: SeededGenerator(seed: seed)))
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    state.withLock { $0.ready.append(job) }
  }

  /// Runs until `isDone`, or until there is nothing left to run and nobody sleeps.
  ///
  /// - Returns: whether it was done, within `limit` of simulated time.
  func run(limit: Duration = .seconds(100_000), until isDone: () -> Bool) -> Bool {
    let end = now().advanced(by: limit)
    while !isDone() {
      let job = state.withLock { state -> UnownedJob? in
        guard !state.ready.isEmpty else { return nil }
        state.jobs += 1
        let index = Int.random(in: 0..<state.ready.count, using: &state.generator)
        return state.ready.remove(at: index)
      }
      if let job {
        job.runSynchronously(on: asUnownedTaskExecutor())
      } else if state.withLock({ $0.elsewhere > 0 }) {
        usleep(20)
      } else if !wakeNext() || now() > end {
        return isDone()
      }
    }
    return true
  }

  private func wakeNext() -> Bool {
    let sleeper = state.withLock { state -> Sleeper? in
      let next = state.sleepers.min {
        ($0.value.wakeAt, $0.value.order) < ($1.value.wakeAt, $1.value.order)
      }
      guard let next else { return nil }
      state.sleepers[next.key] = nil
      state.now = max(state.now, next.value.wakeAt)
      return next.value
    }
    sleeper?.continuation.resume(returning: true)
    return sleeper != nil
  }

  // MARK: - Clock

  func now() -> Instant { state.withLock { $0.now } }

  func uptime() -> Duration {
    Instant(nanosecondsSince1970: 0).duration(to: now())
  }

  func sleep(for duration: Duration) async throws(CancellationError) {
    let id = state.withLock { state in
      state.count += 1
      return state.count
    }
    let rested = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let cancelled = state.withLock { state in
          guard state.cancelled.remove(id) == nil else { return true }
          state.sleepers[id] = Sleeper(
            wakeAt: state.now.advanced(by: duration), order: id, continuation: continuation)
          return false
        }
        if cancelled { continuation.resume(returning: false) }
      }
    } onCancel: {
      let sleeper = state.withLock { state -> Sleeper? in
        guard let sleeper = state.sleepers.removeValue(forKey: id) else {
          state.cancelled.insert(id)
          return nil
        }
        return sleeper
      }
      sleeper?.continuation.resume(returning: false)
    }
    guard rested else { throw CancellationError() }
  }

  /// Makes a call that another thread may answer; simulated time stands still meanwhile.
  func elsewhere<Value: Sendable>(
    _ call: () async throws(StoreError) -> Value
  ) async throws(StoreError) -> Value {
    state.withLock { $0.elsewhere += 1 }
    defer { state.withLock { $0.elsewhere -= 1 } }
    return try await call()
  }

  /// A choice of the seed.
  func chance(_ perMille: Int) -> Bool {
    state.withLock { Int.random(in: 0..<1000, using: &$0.generator) < perMille }
  }

  func pick<T: FixedWidthInteger & Sendable>(_ range: ClosedRange<T>) -> T {
    state.withLock { T.random(in: range, using: &$0.generator) }
  }

  /// Jobs run so far: a fingerprint of the whole history, for comparing two runs of one seed.
  var jobs: Int { state.withLock { $0.jobs } }
}
