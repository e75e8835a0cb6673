/// When a call's caller stops waiting, and the timer that ends the call then.
final class CallDeadline: @unchecked Sendable {
  // @unchecked: `timer` is touched on the call's executor only.

  let instant: ContinuousClock.Instant
  private var timer: TimerID?

  init(after timeout: Duration) { instant = ContinuousClock.now + timeout }

  /// The deadline of the call whose handler this is; what calls made within it inherit.
  @TaskLocal static var inherited: CallDeadline?

  /// Tells the call when the time has come. The timer keeps the call until it is stopped: a weak reference
  /// would make every count of the call slower.
  func start(_ timeout: Duration, of call: ServerCall, on executor: any CallExecutor) {
    timer = executor.schedule(after: timeout) {
      self.timer = nil
      call.deadlinePassed()
    }
  }

  func stop(on executor: any CallExecutor) {
    if let timer { executor.cancel(timer) }
    timer = nil
  }
}

extension ServerCall {
  /// The deadline of the call whose handler asks; what calls made within it inherit. Nil when its caller set
  /// none, and elsewhere.
  public static var inheritedDeadline: ContinuousClock.Instant? { CallDeadline.inherited?.instant }
}
