/// Points in time as RFC 3339 writes them: `2026-11-23T17:42:58.123Z`.
public enum RFC3339 {
  /// The time in UTC. RFC 3339 has the years 0 to 9999; beyond them a year has as many digits as it needs, and its sign.
  ///
  /// - Parameters:
  ///   - seconds: since 1970-01-01T00:00:00Z, leap seconds not counted.
  ///   - nanoseconds: 0 to 999,999,999, of the second; rounded down to the digits of `fraction`.
  public static func text(
    secondsSince1970 seconds: Int64, nanoseconds: Int32 = 0, fraction: SecondFraction = .none
  ) -> String {
    let time = CivilTime(secondsSince1970: seconds)
    var text: [UInt8] = []
    text.reserveCapacity(32)
    DecimalDigits.append(time.date.year, digits: 4, to: &text)
    text.append(UInt8(ascii: "-"))
    DecimalDigits.append(time.date.month, digits: 2, to: &text)
    text.append(UInt8(ascii: "-"))
    DecimalDigits.append(time.date.day, digits: 2, to: &text)
    text.append(UInt8(ascii: "T"))
    time.appendClock(to: &text)
    fraction.append(nanoseconds, to: &text)
    text.append(UInt8(ascii: "Z"))
    return String(decoding: text, as: UTF8.self)
  }

  /// What RFC 3339 allows and not every reader takes.
  public struct Allowance: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The second 60. It counts as the first of the next minute.
    public static let leapSecond = Allowance(rawValue: 1)
    /// A fraction of more than nine digits. The digits behind the ninth do not count.
    public static let longFraction = Allowance(rawValue: 2)
  }

  /// Reads a time with `Z` or an offset, both in upper case.
  ///
  /// - Returns: seconds since 1970-01-01T00:00:00Z, and the nanoseconds of the second; nil for a text that is no such time.
  public static func parse(
    _ text: String, allowing allowance: Allowance = []
  ) -> (secondsSince1970: Int64, nanoseconds: Int32)? {
    var scanner = DigitScanner(text)
    guard let year = scanner.number(digits: 4), scanner.take("-"),
      let month = scanner.number(digits: 2), scanner.take("-"),
      let day = scanner.number(digits: 2), scanner.take("T"),
      let second = scanner.clock(leapSecond: allowance.contains(.leapSecond)),
      let fraction = scanner.fraction(allowance.contains(.longFraction) ? .cut : .refused),
      let date = CivilDate(year: year, month: month, day: day)
    else { return nil }
    var offset: Int64 = 0
    if !scanner.take("Z") {
      let isBehind = scanner.take("-")
      guard isBehind || scanner.take("+"), let hours = scanner.number(digits: 2),
        scanner.take(":"), let minutes = scanner.number(digits: 2), hours < 24, minutes < 60
      else { return nil }
      offset = (hours * 60 + minutes) * (isBehind ? -60 : 60)
    }
    guard scanner.isAtEnd else { return nil }
    return (date.daysSince1970 * 86_400 + second - offset, fraction)
  }
}

extension DigitScanner {
  /// The second of the day of `17:42:58`.
  mutating func clock(leapSecond: Bool) -> Int64? {
    guard let hour = number(digits: 2), take(":"), let minute = number(digits: 2), take(":"),
      let second = number(digits: 2), hour < 24, minute < 60, second < (leapSecond ? 61 : 60)
    else { return nil }
    return hour * 3600 + minute * 60 + second
  }
}
