import RPC
import Synchronization

/// Everyone who watches. Each tick reaches each watcher, in order; one that has fallen behind by
/// more than the ticks kept here goes on with the oldest of those.
final class Watchers: Sendable {
  private struct Watcher {
    var waiter: UnsafeContinuation<Void, Never>?
    var isCancelled = false
  }

  private struct State {
    /// How many ticks there were.
    var version = 0
    /// The last of them, tick `i` at `i % ticksKept`.
    var ticks = [EncodedMessage<BenchMessage>?](repeating: nil, count: Watchers.ticksKept)
    var watchers: [Watcher] = []
    var freeSlots: [Int] = []
  }

  private static let ticksKept = 1024
  private let state = Mutex(State())

  func tick(_ message: BenchMessage) throws {
    let encoded = try EncodedMessage(message, codec: BenchMethods.watch.response)
    let waiters = state.withLock { state in
      state.version += 1
      state.ticks[state.version % Self.ticksKept] = encoded
      var waiters: [UnsafeContinuation<Void, Never>] = []
      waiters.reserveCapacity(state.watchers.count)
      for slot in state.watchers.indices {
        guard let waiter = state.watchers[slot].waiter else { continue }
        state.watchers[slot].waiter = nil
        waiters.append(waiter)
      }
      return waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  func watch(_ writer: ResponseWriter<BenchMessage>, _ call: ServerCall) async throws {
    var (slot, seen) = enter()
    defer { leave(slot) }
    call.whenCancelled { [slot] in self.cancel(slot) }
    while true {
      await withUnsafeContinuation { waiter in
        if !park(waiter, slot, seen: seen) { waiter.resume() }
      }
      // Nothing new: the call was cancelled.
      guard let (version, message) = next(after: seen) else { throw CancellationError() }
      seen = version
      try await writer.write(message)
    }
  }

  private func enter() -> (slot: Int, version: Int) {
    state.withLock { state in
      if let slot = state.freeSlots.popLast() {
        state.watchers[slot] = Watcher()
        return (slot, state.version)
      }
      state.watchers.append(Watcher())
      return (state.watchers.count - 1, state.version)
    }
  }

  private func leave(_ slot: Int) {
    state.withLock { $0.freeSlots.append(slot) }
  }

  private func next(after seen: Int) -> (version: Int, message: EncodedMessage<BenchMessage>)? {
    state.withLock { state in
      let version = max(seen + 1, state.version - Self.ticksKept + 1)
      guard version <= state.version, let message = state.ticks[version % Self.ticksKept] else {
        return nil
      }
      return (version, message)
    }
  }

  /// False when there is nothing to wait for.
  private func park(_ waiter: UnsafeContinuation<Void, Never>, _ slot: Int, seen: Int) -> Bool {
    state.withLock { state in
      if state.version > seen || state.watchers[slot].isCancelled { return false }
      state.watchers[slot].waiter = waiter
      return true
    }
  }

  private func cancel(_ slot: Int) {
    let waiter = state.withLock { state in
      state.watchers[slot].isCancelled = true
      defer { state.watchers[slot].waiter = nil }
      return state.watchers[slot].waiter
    }
    waiter?.resume()
  }
}
