import RPC
import Synchronization
import TestSchemas

/// Cancels a call when its description says so: what the suite calls cancel timing.
final class Canceller: Sendable {
  private let timing: Conformance.ClientCompatRequest.Cancel.CancelTiming?
  private let task = Mutex<Task<Void, any Error>?>(nil)

  init(_ cancel: Conformance.ClientCompatRequest.Cancel?) {
    // With nothing set, right after the requests have been sent.
    timing = cancel.map { $0.cancelTiming ?? .afterCloseSendMS(0) }
  }

  /// Runs the body as the task that is cancelled.
  func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let running = Task { try await body() }
    task.withLock { $0 = running }
    try await running.value
  }

  func beforeCloseSend() {
    if case .beforeCloseSend = timing { cancelNow() }
  }

  /// The requests have been, or are about to be, sent.
  func closingSend() {
    guard case .afterCloseSendMS(let milliseconds) = timing else { return }
    Task {
      try await Task.sleep(for: .milliseconds(Int64(milliseconds)))
      task.withLock { $0?.cancel() }
    }
  }

  func received(_ count: Int) {
    if case .afterNumResponses(let wanted) = timing, Int(wanted) == count { cancelNow() }
  }

  private func cancelNow() { withUnsafeCurrentTask { $0?.cancel() } }
}
