internal import Glibc

/// The time of day, as the system's clock tells it.
public enum WallClock {
  /// Nanoseconds since 1970-01-01T00:00:00Z.
  public static func nanosecondsSince1970() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// The time in UTC to the millisecond, as RFC 3339 writes it: `2026-11-23T17:42:58.123Z`.
  public static func timestamp() -> String { timestamp(nanosecondsSince1970()) }

  static func timestamp(_ nanoseconds: Int64) -> String {
    var seconds = time_t(nanoseconds / 1_000_000_000)
    var civil = unsafe tm()
    unsafe gmtime_r(&seconds, &civil)
    // `tm` counts as unsafe because it points to the name of its zone, which nobody reads here.
    let (year, month, day) = unsafe (civil.tm_year + 1900, civil.tm_mon + 1, civil.tm_mday)
    let (hour, minute, second) = unsafe (civil.tm_hour, civil.tm_min, civil.tm_sec)
    let date = "\(year)-\(padded(month, 2))-\(padded(day, 2))"
    let time = "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
    return "\(date)T\(time).\(padded(Int32(nanoseconds / 1_000_000 % 1000), 3))Z"
  }

  private static func padded(_ number: Int32, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
