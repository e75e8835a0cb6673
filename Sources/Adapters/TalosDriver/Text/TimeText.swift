import Encodings
import Rotation

/// Points in time as Kubernetes and HTTP write them.
extension Instant {
  /// RFC 3339, with or without a fraction, with `Z` or an offset: `2026-11-23T17:42:58.123456Z`. Nil also for years that no
  /// `Instant` has whole.
  init?(rfc3339 text: String) {
    guard text.utf8.count <= 40,
      let time = RFC3339.parse(text, allowing: [.leapSecond, .longFraction]),
      Self.wholeYears.contains(time.secondsSince1970)
    else { return nil }
    self = Instant(secondsSince1970: time.secondsSince1970)
      .advanced(by: .nanoseconds(time.nanoseconds))
  }

  /// The `date` of an HTTP response (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
  init?(httpDate text: String) {
    guard let seconds = HTTPDate.parse(text), Self.wholeYears.contains(seconds) else { return nil }
    self = Instant(secondsSince1970: seconds)
  }

  /// The seconds since 1970 of the years 1678 to 2261.
  private static let wholeYears: Range<Int64> = -9_214_560_000..<9_214_646_400
}
