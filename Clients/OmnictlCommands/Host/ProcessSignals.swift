internal import Glibc
internal import Synchronization

/// The signals that end, stop or resize the process, taken one by one in ordinary code, so that what
/// has to be put right before (the cursor) is.
///
/// Each signal then does what it would have done: the dispositions are left as they were inherited.
final class ProcessSignals: SignalSource {
  private let listener = Mutex<(any SignalListener)?>(nil)

  func listen(_ listener: (any SignalListener)?) {
    self.listener.withLock { $0 = listener }
  }

  /// Runs the body as a task, and takes the signals on this thread until the body ends the process.
  ///
  /// To be called on the main thread before there are others, since each thread inherits what is
  /// blocked from the one that made it. (The main thread of an `async` main function unblocks all
  /// signals when it goes to sleep.)
  func run(_ body: @escaping @Sendable () async -> Never) -> Never {
    var set = Self.caught
    pthread_sigmask(SIG_BLOCK, &set, nil)
    Task.detached { await body() }
    while true {
      var signal: Int32 = 0
      guard sigwait(&set, &signal) == 0 else { continue }
      let listener = self.listener.withLock { $0 }
      if signal == SIGWINCH {
        listener?.windowChanged()
      } else {
        listener?.leaving(isStop: signal == SIGTSTP)
        deliver(signal)
        listener?.continued()
      }
    }
  }

  private static var caught: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH] { sigaddset(&set, signal) }
    return set
  }

  /// Lets the signal act on the process, here and now. Returns when it was ignored, or when the
  /// process was continued.
  private func deliver(_ signal: Int32) {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, signal)
    raise(signal)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }
}
