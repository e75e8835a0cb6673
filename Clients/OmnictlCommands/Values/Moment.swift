internal import Schema

/// Points in time as people read them.
enum Moment {
  /// `2026-03-01T09:30:00Z`; `-` when not set. Beyond the years 1 to 9999 the plain seconds.
  static func text(_ time: Timestamp?) -> String {
    guard let time else { return "-" }
    return Timestamp(seconds: time.seconds).rfc3339 ?? "\(time.seconds)s"
  }

  /// How long it is from one moment to another, never less than nothing.
  static func seconds(from start: Timestamp, to end: Timestamp) -> Int64 {
    let (difference, overflow) = end.seconds.subtractingReportingOverflow(start.seconds)
    return overflow ? 0 : max(0, difference)
  }

  /// `42s`, `1m12s`, `2h05m`, `3d4h`.
  static func span(_ seconds: Int64) -> String {
    switch seconds {
    case ..<60: "\(seconds)s"
    case ..<3600: "\(seconds / 60)m\(two(seconds % 60))s"
    case ..<86_400: "\(seconds / 3600)h\(two(seconds / 60 % 60))m"
    default: "\(seconds / 86_400)d\(seconds / 3600 % 24)h"
    }
  }

  private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
