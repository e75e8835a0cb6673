internal import Schema

/// Points in time as people read them.
enum Moment {
  /// `2026-03-01T09:30:00Z`; `-` when not set. Beyond the years 1 to 9999 the plain seconds.
  static func text(_ time: Timestamp?) -> String {
    guard let time else { return "-" }
    // 0001-01-01 and 9999-12-31: what a Timestamp may hold.
    guard (-62_135_596_800...253_402_300_799).contains(time.seconds) else {
      return "\(time.seconds)s"
    }
    let (days, second) = floorDivision(time.seconds, by: 86_400)
    let (year, month, day) = civil(days)
    let clock = [second / 3600, second / 60 % 60, second % 60].map { two($0) }
    return "\(four(year))-\(two(month))-\(two(day))T\(clock.joined(separator: ":"))Z"
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

  /// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar. Years are
  /// counted from 1 March, so that the leap day is their last; an era is 400 of them.
  private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = floorDivision(day + 719_468, by: 146_097)
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
  }

  private static func floorDivision(_ a: Int64, by b: Int64) -> (quotient: Int64, rest: Int64) {
    let (quotient, rest) = a.quotientAndRemainder(dividingBy: b)
    return rest < 0 ? (quotient - 1, rest + b) : (quotient, rest)
  }

  private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }

  private static func four(_ number: Int64) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}
