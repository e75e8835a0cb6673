import RPC
import Synchronization

/// Everyone who watches. A tick reaches each as the newest message; a slow reader skips.
final class Watchers: Sendable {
  private struct State {
    var version = 0
    var message: EncodedMessage<BenchMessage>?
    var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    var nextID = 0
  }

  private let state = Mutex(State())

  func tick(_ message: BenchMessage) throws {
    let encoded = try EncodedMessage(message, codec: BenchMethods.watch.response)
    let waiting = state.withLock { state in
      state.version += 1
      state.message = encoded
      defer { state.waiting = [:] }
      return state.waiting.values
    }
    for continuation in waiting { continuation.resume() }
  }

  func watch(_ writer: ResponseWriter<BenchMessage>) async throws {
    var seen = state.withLock { $0.version }
    while true {
      let (version, message) = state.withLock { ($0.version, $0.message) }
      if version > seen, let message {
        seen = version
        try await writer.write(message)
        continue
      }
      await wait(beyond: seen)
      try Task.checkCancellation()
    }
  }

  /// Returns at the next tick, or when the task is cancelled.
  private func wait(beyond seen: Int) async {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isNew = state.withLock { state in
          if state.version > seen || Task.isCancelled { return true }
          state.waiting[id] = continuation
          return false
        }
        if isNew { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiting.removeValue(forKey: id) }?.resume()
    }
  }
}
