import Schema
import Testing

@testable import OmnictlCommands

@Suite struct MomentTests {
  @Test(
    "Moments are written in UTC",
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (1_772_359_200, "2026-03-01T10:00:00Z"),
      (951_782_399, "2000-02-28T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
      (951_868_800, "2000-03-01T00:00:00Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
      (-1, "1969-12-31T23:59:59Z"), (-62_135_596_800, "0001-01-01T00:00:00Z"),
      (253_402_300_799, "9999-12-31T23:59:59Z"), (Int64.max, "9223372036854775807s"),
    ])
  func utc(seconds: Int64, text: String) {
    #expect(Moment.text(Timestamp(seconds: seconds)) == text)
  }

  @Test("A moment that is not set is a dash")
  func absent() { #expect(Moment.text(nil) == "-") }

  @Test(
    "Spans are short",
    arguments: [
      (0, "0s"), (59, "59s"), (60, "1m00s"), (72, "1m12s"), (3600, "1h00m"), (7500, "2h05m"),
      (86_400, "1d0h"), (273_600, "3d4h"),
    ])
  func spans(seconds: Int64, text: String) { #expect(Moment.span(seconds) == text) }

  @Test("Clocks that disagree give no negative spans, and no overflow")
  func clamped() {
    #expect(Moment.seconds(from: Timestamp(seconds: 10), to: Timestamp(seconds: 4)) == 0)
    #expect(
      Moment.seconds(from: Timestamp(seconds: .min), to: Timestamp(seconds: .max)) == 0)
  }
}
