public import Rotation

/// The time, as the orchestrator sees it.
///
/// A port so that a simulation can turn hours into microseconds and replay them exactly.
public protocol OrchestratorClock: Sendable {
  /// The wall-clock time.
  func now() -> Instant

  /// The time since some moment in the past, by a clock that is never set: for measuring how long
  /// something takes.
  func uptime() -> Duration

  /// Returns after `duration`, or throws `CancellationError` as soon as the task is cancelled.
  func sleep(for duration: Duration) async throws(CancellationError)
}

/// The real clock: sleeps on the runtime's monotonic clock, tells the time through a function,
/// since the standard library alone cannot.
public struct SystemClock: OrchestratorClock {
  private let wallClock: @Sendable () -> Instant
  private let start = ContinuousClock.now

  /// - Parameter wallClock: answers with the current Unix time.
  public init(wallClock: @escaping @Sendable () -> Instant) {
    self.wallClock = wallClock
  }

  public func now() -> Instant { wallClock() }

  public func uptime() -> Duration { start.duration(to: .now) }

  public func sleep(for duration: Duration) async throws(CancellationError) {
    do { try await Task.sleep(for: duration) } catch { throw CancellationError() }
  }
}
