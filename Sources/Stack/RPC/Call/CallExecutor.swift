/// The serial executor that a server call lives on: for sockets, the event loop of its connection.
///
/// Everything a call does to its HTTP stream happens there, so the call needs no lock.
public protocol CallExecutor: TaskExecutor {
  /// Whether the caller runs on this executor now.
  var isCurrent: Bool { get }
  /// Whether `runAtOnce` does what its name says.
  var runsAtOnce: Bool { get }
  /// Runs, before it returns, the job that the body enqueues on this executor; an executor that cannot
  /// runs it later. Call it there.
  func runAtOnce(_ enqueue: () -> Void)
  /// Runs the work on this executor, later.
  func run(_ work: @escaping @Sendable () -> Void)
  /// Runs the work on this executor after the time, unless it is cancelled. Call it there.
  func schedule(after delay: Duration, _ work: @escaping @Sendable () -> Void) -> TimerID
  /// Forgets a timer; one that has fired or is unknown is ignored. Call it there.
  func cancel(_ timer: TimerID)
}

/// A timer of a `CallExecutor`.
public struct TimerID: Sendable, Hashable {
  public var value: UInt64
  public init(_ value: UInt64) { self.value = value }
}
