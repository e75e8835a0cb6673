import Rotation

/// Points in time as Kubernetes and HTTP write them.
extension Instant {
  /// RFC 3339, with or without a fraction, with `Z` or an offset: `2026-11-23T17:42:58.123456Z`.
  init?(rfc3339 text: String) {
    guard text.utf8.count <= 40 else { return nil }
    let sides = text.split(separator: "T", maxSplits: 1)
    guard sides.count == 2 else { return nil }
    let date = sides[0].split(separator: "-").map { Int64($0) }
    var clock = sides[1]
    var offset: Int64 = 0
    if clock.hasSuffix("Z") {
      clock.removeLast()
    } else if let sign = clock.lastIndex(where: { $0 == "+" || $0 == "-" }) {
      let parts = clock[clock.index(after: sign)...].split(separator: ":").map { Int64($0) }
      guard parts.count == 2, let hours = parts[0], let minutes = parts[1] else { return nil }
      offset = (hours * 3600 + minutes * 60) * (clock[sign] == "-" ? -1 : 1)
      clock = clock[..<sign]
    } else {
      return nil
    }
    let pieces = clock.split(separator: ".", maxSplits: 1)
    let time = pieces.first?.split(separator: ":").map { Int64($0) } ?? []
    guard date.count == 3, time.count == 3, let year = date[0], let month = date[1],
      let day = date[2], let hour = time[0], let minute = time[1], let second = time[2],
      let start = Self.seconds(year: year, month: month, day: day),
      (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
    else { return nil }
    var nanoseconds: Int64 = 0
    if pieces.count == 2 {
      let digits = pieces[1].prefix(9)
      guard let value = Int64(digits) else { return nil }
      nanoseconds = (digits.count..<9).reduce(value) { value, _ in value * 10 }
    }
    self = Instant(
      secondsSince1970: start + hour * 3600 + minute * 60 + second - offset
    ).advanced(by: .nanoseconds(nanoseconds))
  }

  /// The `date` of an HTTP response (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
  init?(httpDate text: String) {
    let parts = text.split(separator: " ")
    guard parts.count == 6, parts[5] == "GMT", let day = Int64(parts[1]),
      let month = Self.months.firstIndex(of: String(parts[2])), let year = Int64(parts[3])
    else { return nil }
    let time = parts[4].split(separator: ":").map { Int64($0) }
    guard time.count == 3, let hour = time[0], let minute = time[1], let second = time[2],
      let start = Self.seconds(year: year, month: Int64(month + 1), day: day)
    else { return nil }
    self = Instant(secondsSince1970: start + hour * 3600 + minute * 60 + second)
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// The seconds since 1970 at the beginning of a day of the Gregorian calendar.
  private static func seconds(year: Int64, month: Int64, day: Int64) -> Int64? {
    guard (1678...2261).contains(year), (1...12).contains(month), (1...31).contains(day) else {
      return nil
    }
    // Years are counted from March on, so that the leap day is the last of its year.
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = shiftedYear / 400
    let yearOfEra = shiftedYear - era * 400
    let marchMonth = (month + 9) % 12
    let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return (era * 146_097 + dayOfEra - 719_468) * 86_400
  }
}
