/// A point in time: nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted (Unix time).
///
/// The domain never asks what time it is; it is told. Covers the years 1678 to 2262.
public struct Instant: Sendable, Hashable, Comparable {
  /// Nanoseconds since the Unix epoch; negative before it.
  public var nanosecondsSince1970: Int64

  public init(nanosecondsSince1970: Int64) {
    self.nanosecondsSince1970 = nanosecondsSince1970
  }

  /// The instant `seconds` after the Unix epoch.
  public init(secondsSince1970 seconds: Int64) {
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    nanosecondsSince1970 = overflow ? (seconds < 0 ? .min : .max) : product
  }

  /// Whole seconds since the Unix epoch, rounded down.
  public var secondsSince1970: Int64 {
    let quotient = nanosecondsSince1970 / 1_000_000_000
    return nanosecondsSince1970 % 1_000_000_000 < 0 ? quotient - 1 : quotient
  }

  public static func < (a: Self, b: Self) -> Bool {
    a.nanosecondsSince1970 < b.nanosecondsSince1970
  }

  /// The instant `duration` later; held at the ends of the range instead of overflowing.
  public func advanced(by duration: Duration) -> Instant {
    let delta = duration.wholeNanoseconds
    let (sum, overflow) = nanosecondsSince1970.addingReportingOverflow(delta)
    return Instant(nanosecondsSince1970: overflow ? (delta < 0 ? .min : .max) : sum)
  }

  /// How long it is from here to `other`; negative when `other` is earlier.
  public func duration(to other: Instant) -> Duration {
    .nanoseconds(other.nanosecondsSince1970) - .nanoseconds(nanosecondsSince1970)
  }
}

extension Instant: CustomStringConvertible {
  /// The time in UTC to the second, as RFC 3339 writes it: `2026-11-23T17:42:58Z`.
  public var description: String {
    let seconds = secondsSince1970
    let days = (seconds - ((seconds % 86_400) + 86_400) % 86_400) / 86_400
    let ofDay = seconds - days * 86_400
    // Days are counted from 0000-03-01, so that the leap day is the last of its year.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
      + "\(padded(ofDay / 3_600, 2)):\(padded(ofDay / 60 % 60, 2)):\(padded(ofDay % 60, 2))Z"
  }

  private func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

extension Duration {
  /// The duration in nanoseconds, held at the ends of `Int64`.
  fileprivate var wholeNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    let (sum, carried) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
    return carried ? (seconds < 0 ? .min : .max) : sum
  }
}
