internal import Glibc
internal import Synchronization

/// The signals that end, stop or resize the process, taken by a thread of their own, so that what
/// has to be put right before (the cursor) is done in ordinary code.
///
/// Each signal then does what it would have done: the dispositions are left as they were inherited.
final class ProcessSignals: SignalSource {
  static let shared = ProcessSignals()

  private let listener = Mutex<(any SignalListener)?>(nil)

  private init() {}

  func listen(_ listener: (any SignalListener)?) {
    self.listener.withLock { $0 = listener }
  }

  /// Takes the signals from now on. To be called before the process has a second thread, since each
  /// thread inherits what is blocked from the one that made it.
  static func start() {
    var set = caught
    pthread_sigmask(SIG_BLOCK, &set, nil)
    var thread = pthread_t()
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let failure = pthread_create(
      &thread, &attributes,
      { _ in
        ProcessSignals.shared.run()
        return nil
      }, nil)
    pthread_attr_destroy(&attributes)
    // Without the thread nobody would take them: then they do what they always do.
    if failure != 0 { pthread_sigmask(SIG_UNBLOCK, &set, nil) }
  }

  private static var caught: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH] { sigaddset(&set, signal) }
    return set
  }

  fileprivate func run() {
    var set = Self.caught
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
