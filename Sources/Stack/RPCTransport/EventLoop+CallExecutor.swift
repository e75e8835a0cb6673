public import RPC
public import Reactor

/// Server calls run on the event loop of their connection.
extension EventLoop: CallExecutor {
  public var runsAtOnce: Bool { true }

  public func schedule(after delay: Duration, _ work: @escaping @Sendable () -> Void) -> TimerID {
    TimerID(addTimer(after: delay, work))
  }

  public func cancel(_ timer: TimerID) { cancelTimer(timer.value) }
}
