internal import Encodings
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
    let (quotient, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    return RFC3339.text(
      secondsSince1970: rest < 0 ? quotient - 1 : quotient,
      nanoseconds: Int32(rest < 0 ? rest + 1_000_000_000 : rest), fraction: .milliseconds)
  }
}
