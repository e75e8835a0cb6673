/// A second of the calendar, in UTC; leap seconds are not counted (Unix time).
struct CivilTime: Sendable, Hashable {
  var date: CivilDate
  /// Seconds since midnight, below 86,400.
  var secondOfDay: Int64

  init(secondsSince1970 seconds: Int64) {
    let (days, second) = seconds.quotientAndRemainder(dividingBy: 86_400)
    date = CivilDate(daysSince1970: second < 0 ? days - 1 : days)
    secondOfDay = second < 0 ? second + 86_400 : second
  }

  /// Appends `17:42:58`.
  func appendClock(to text: inout [UInt8]) {
    DecimalDigits.append(secondOfDay / 3600, digits: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    DecimalDigits.append(secondOfDay / 60 % 60, digits: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    DecimalDigits.append(secondOfDay % 60, digits: 2, to: &text)
  }
}
