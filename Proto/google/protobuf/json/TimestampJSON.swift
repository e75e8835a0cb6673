public import ProtoCodec

/// RFC 3339, such as `1972-01-01T10:00:20.021Z`, for the years 1 to 9999.
extension Timestamp: CustomJSONMessage {
  private static let earliest: Int64 = -62_135_596_800
  private static let latest: Int64 = 253_402_300_799

  /// The text in UTC; nil outside the years 1 to 9999 or with nanoseconds out of range.
  public var rfc3339: String? {
    guard (Timestamp.earliest...Timestamp.latest).contains(seconds),
      (0...999_999_999).contains(nanos)
    else { return nil }
    var days = seconds / 86_400
    var second = seconds % 86_400
    if second < 0 {
      second += 86_400
      days -= 1
    }
    let date = CivilDate(daysSinceEpoch: days)
    func padded(_ value: Int64, _ digits: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: digits - text.utf8.count) + text
    }
    return padded(date.year, 4) + "-" + padded(date.month, 2) + "-" + padded(date.day, 2) + "T"
      + padded(second / 3600, 2) + ":" + padded(second / 60 % 60, 2) + ":" + padded(second % 60, 2)
      + canonicalFraction(nanos: nanos) + "Z"
  }

  /// Reads RFC 3339 with `Z` or an offset and at most nine digits of fraction; nil for everything
  /// else.
  public init?(rfc3339 text: String) {
    var scanner = DigitScanner(text)
    guard let year = scanner.number(digits: 4), scanner.take("-"),
      let month = scanner.number(digits: 2), scanner.take("-"),
      let day = scanner.number(digits: 2), scanner.take("T"),
      let hour = scanner.number(digits: 2), scanner.take(":"),
      let minute = scanner.number(digits: 2), scanner.take(":"),
      let second = scanner.number(digits: 2), let fraction = scanner.fraction(),
      let date = CivilDate(year: year, month: month, day: day),
      hour < 24, minute < 60, second < 60
    else { return nil }
    var offset: Int64 = 0
    if !scanner.take("Z") {
      let isBehind = scanner.take("-")
      guard isBehind || scanner.take("+"), let hours = scanner.number(digits: 2),
        scanner.take(":"), let minutes = scanner.number(digits: 2), hours < 24, minutes < 60
      else { return nil }
      offset = (hours * 60 + minutes) * (isBehind ? -60 : 60)
    }
    let seconds = date.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second - offset
    guard scanner.isAtEnd, (Timestamp.earliest...Timestamp.latest).contains(seconds) else {
      return nil
    }
    self.init(seconds: seconds, nanos: fraction)
  }

  public func writeJSON(to writer: inout JSONWriter) throws(JSONEncodingError) {
    guard let text = rfc3339 else { throw JSONEncodingError("a timestamp is out of range") }
    writer.string(text)
  }

  public init(json value: JSONValue, reader: inout JSONReader) throws(JSONDecodingError) {
    guard case .string(let text) = value else {
      throw JSONDecodingError(.wrongKind, "a date was expected, not \(value.kind)")
    }
    guard let timestamp = Timestamp(rfc3339: text) else {
      throw JSONDecodingError(.invalidValue, "not a date by RFC 3339 in the years 1 to 9999")
    }
    self = timestamp
  }
}
