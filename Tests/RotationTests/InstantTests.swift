import Rotation
import Testing

@Suite("Instant")
struct InstantTests {
  @Test(
    "Times are written as RFC 3339 says",
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
      (951_782_400, "2000-02-29T00:00:00Z"), (1_795_455_778, "2026-11-23T17:42:58Z"),
      (4_107_542_399, "2100-02-28T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
      (-2_208_988_800, "1900-01-01T00:00:00Z"),
    ])
  func text(seconds: Int64, text: String) {
    #expect(Instant(secondsSince1970: seconds).description == text)
  }

  @Test("Adding and measuring durations agree, and nothing overflows")
  func arithmetic() {
    let start = Instant(secondsSince1970: 1_000)
    let later = start.advanced(by: .milliseconds(1_500))
    #expect(start.duration(to: later) == .milliseconds(1_500))
    #expect(later.duration(to: start) == .milliseconds(-1_500))
    #expect(later.secondsSince1970 == 1_001)
    #expect(Instant(nanosecondsSince1970: -1).secondsSince1970 == -1)
    let end = Instant(nanosecondsSince1970: .max)
    #expect(end.advanced(by: .seconds(1)) == end)
    #expect(Instant(secondsSince1970: .min).nanosecondsSince1970 == .min)
    #expect(start.advanced(by: .seconds(Int64.max)).nanosecondsSince1970 == .max)
  }
}
