internal import Glibc

/// How many descriptors the process may have open.
public enum DescriptorLimit {
  /// Raises the soft limit to the hard one: systemd and shells start programs with a soft limit of
  /// 1024, which is meant for those that use `select` (systemd.exec, LimitNOFILE=).
  ///
  /// Nothing is done where that is not allowed: the limit stays as it is.
  public static func raise() {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard unsafe getrlimit(resource, &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    _ = unsafe setrlimit(resource, &limit)
  }

  /// The soft limit that holds now.
  public static var current: Int {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return 0
    }
    return Int(clamping: limit.rlim_cur)
  }
}
