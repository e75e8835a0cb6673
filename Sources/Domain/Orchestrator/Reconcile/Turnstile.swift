import Synchronization

/// Lets one task through at a time, in the order of arrival.
///
/// An actor alone does not: while it awaits, others enter.
final class Turnstile: Sendable {
  private struct State {
    var busy = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  /// Runs `body` while no other body runs.
  func pass<Result: Sendable, Failure: Error>(
    _ body: () async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    await enter()
    defer { leave() }
    return try await body()
  }

  private func enter() async {
    await withCheckedContinuation { continuation in
      let free = state.withLock { state in
        if state.busy { state.waiting.append(continuation) }
        defer { state.busy = true }
        return !state.busy
      }
      if free { continuation.resume() }
    }
  }

  private func leave() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard !state.waiting.isEmpty else {
        state.busy = false
        return nil
      }
      // Still busy: the place is handed over.
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}
