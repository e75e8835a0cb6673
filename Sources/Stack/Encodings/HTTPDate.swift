/// Points in time as the `date` of HTTP has them (RFC 9110 section 5.6.7, IMF-fixdate): `Sun, 06 Nov 1994 08:49:37 GMT`.
public enum HTTPDate {
  private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// - Parameter seconds: since 1970-01-01T00:00:00Z, of a year from 0 to 9999.
  public static func text(secondsSince1970 seconds: Int64) -> String {
    let time = CivilTime(secondsSince1970: seconds)
    let weekday = (time.date.daysSince1970 % 7 + 7) % 7
    var text = Array("\(weekdays[Int(weekday)]), ".utf8)
    DecimalDigits.append(time.date.day, digits: 2, to: &text)
    text.append(contentsOf: " \(months[Int(time.date.month) - 1]) ".utf8)
    DecimalDigits.append(time.date.year, digits: 4, to: &text)
    text.append(UInt8(ascii: " "))
    time.appendClock(to: &text)
    text.append(contentsOf: " GMT".utf8)
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads a date. Whether the weekday is that of the date is not looked at; the second 60 counts as the first of the next
  /// minute.
  ///
  /// - Returns: seconds since 1970-01-01T00:00:00Z; nil for a text that is no such date.
  public static func parse(_ text: String) -> Int64? {
    var scanner = DigitScanner(text)
    guard scanner.take(oneOf: weekdays) != nil, scanner.take(","), scanner.take(" "),
      let day = scanner.number(digits: 2), scanner.take(" "),
      let month = scanner.take(oneOf: months), scanner.take(" "),
      let year = scanner.number(digits: 4), scanner.take(" "),
      let second = scanner.clock(leapSecond: true), scanner.take(oneOf: [" GMT"]) != nil,
      scanner.isAtEnd, let date = CivilDate(year: year, month: Int64(month + 1), day: day)
    else { return nil }
    return date.daysSince1970 * 86_400 + second
  }
}
