internal import Glibc
internal import Synchronization

/// Runs work that blocks on a few threads, and lets a bounded amount of it wait.
///
/// A thread ends when nothing waits, so that a pool at rest costs nothing.
final class BlockingPool: Sendable {
  private struct State {
    var threads = 0
    var waiting: [@Sendable () -> Void] = []
  }

  private let state = Mutex(State())
  private let threadLimit: Int
  private let waitingLimit: Int

  /// - Parameters:
  ///   - threads: how many may run at once; at least 1.
  ///   - waiting: how much work may wait for one of them.
  init(threads: Int, waiting: Int) {
    threadLimit = max(1, threads)
    waitingLimit = waiting
  }

  private enum Place { case thread, queue, nowhere }

  /// Runs `work` on a thread of the pool, now or when one is free.
  ///
  /// - Parameter refused: called instead, on the caller's thread, when too much waits already (`EAGAIN`) or
  ///   the system has no thread to give.
  func run(
    _ work: @escaping @Sendable () -> Void, refused: (SystemError) -> Void
  ) {
    let place = state.withLock { state -> Place in
      if state.threads < threadLimit {
        state.threads += 1
        return .thread
      }
      guard state.waiting.count < waitingLimit else { return .nowhere }
      state.waiting.append(work)
      return .queue
    }
    switch place {
    case .queue: return
    case .nowhere:
      refused(SystemError("looking up a name: too many others wait", errno: EAGAIN))
    case .thread:
      do throws(SystemError) {
        try DetachedThread.start { [self] in drain(first: work) }
      } catch {
        state.withLock { $0.threads -= 1 }
        refused(error)
      }
    }
  }

  private func drain(first: @Sendable () -> Void) {
    first()
    while let next = next() { next() }
  }

  /// The work that has waited longest; nil, and one thread less, when none does.
  private func next() -> (@Sendable () -> Void)? {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.threads -= 1
        return nil
      }
      return state.waiting.removeFirst()
    }
  }
}
