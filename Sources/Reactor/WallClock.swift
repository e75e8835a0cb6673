internal import Glibc

/// The time of day, by which certificates are valid.
public enum WallClock {
  /// Unix seconds.
  public static func seconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec)
  }
}
