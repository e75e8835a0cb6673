internal import Synchronization

/// Something that happens once, and those who wait for it.
public final class OneTimeEvent: Sendable {
  private struct State {
    var hasHappened = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  public init() {}

  public var hasHappened: Bool { state.withLock { $0.hasHappened } }

  /// Lets everybody go on who waits, now or later.
  public func happen() {
    let waiters = state.withLock { state in
      state.hasHappened = true
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Returns once it has happened. Cancellation does not end the wait.
  public func wait() async {
    await withCheckedContinuation { waiter in
      let isOver = state.withLock { state in
        if !state.hasHappened { state.waiters.append(waiter) }
        return state.hasHappened
      }
      if isOver { waiter.resume() }
    }
  }
}
