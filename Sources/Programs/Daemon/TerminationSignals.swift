internal import Glibc

/// SIGTERM, SIGINT and SIGHUP, taken one at a time by a thread that waits for them.
///
/// No handler runs in the middle of anything: the signals are blocked everywhere and stay pending
/// until somebody asks.
public enum TerminationSignals {
  /// Blocks the signals in this thread and in every one it starts, and has writes to closed pipes
  /// fail instead of ending the process. To be called before any other thread is there.
  public static func block() {
    var set = signals()
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    ignorePipes()
    // Ignored, as a parent may hand it on, it would take away how children have ended.
    signal(SIGCHLD, SIG_DFL)
  }

  /// Has writes to closed pipes and connections fail instead of ending the process.
  public static func ignorePipes() { signal(SIGPIPE, SIG_IGN) }

  /// Waits for the next of them, which must be blocked.
  ///
  /// - Returns: the number of the signal.
  public static func wait() -> Int32 {
    var set = signals()
    var number: Int32 = 0
    while unsafe sigwait(&set, &number) != 0 {}
    return number
  }

  /// Whether the signal asks for the files of the configuration to be read again, and for no end.
  public static func isReload(_ number: Int32) -> Bool { number == SIGHUP }

  private static func signals() -> sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, SIGTERM)
    unsafe sigaddset(&set, SIGINT)
    unsafe sigaddset(&set, SIGHUP)
    return set
  }
}
