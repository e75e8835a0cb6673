internal import CProcess
internal import CWipingHeap
internal import Glibc

/// What keeps the memory of a process that holds keys to itself.
public enum ProcessPrivacy {
  /// No core dumps, and nobody but root may attach to the process or read its memory, also not another process
  /// of the same user (`PR_SET_DUMPABLE`, prctl(2)).
  ///
  /// - Throws: when the kernel refuses.
  public static func begin() throws(DaemonError) {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0 else {
      throw DaemonError(errno: errno, "core dumps cannot be ruled out")
    }
    guard cprocess_set_undumpable() == 0 else {
      throw DaemonError(errno: errno, "the process cannot be made undumpable")
    }
  }

  /// Whether heap memory is overwritten when it is given back, up to blocks of 512 KiB: so it is in every program
  /// that this module is part of, but under a sanitizer.
  public static var wipesHeap: Bool { cwipingheap_is_active() != 0 }

  /// Whether the process may be dumped or looked into.
  public static var isDumpable: Bool { cprocess_is_dumpable() != 0 }
}
