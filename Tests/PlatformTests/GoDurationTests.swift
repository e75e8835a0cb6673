import Testing

@testable import Platform

@Suite struct GoDurationTests {
  @Test(
    "Durations are read as Go reads them",
    arguments: [
      ("0", Duration.zero), ("90s", .seconds(90)), ("5m", .seconds(300)),
      ("1h30m", .seconds(5400)), ("250ms", .milliseconds(250)), ("1.5h", .seconds(5400)),
      (".5s", .milliseconds(500)), ("1.s", .seconds(1)), ("2us", .microseconds(2)),
      ("2µs", .microseconds(2)), ("2μs", .microseconds(2)), ("3ns", .nanoseconds(3)),
      ("+1s", .seconds(1)), ("+0", .zero), ("0s", .zero), ("1h2m3.004s", .milliseconds(3_723_004)),
      ("0.9999999999999999999h", .nanoseconds(3_599_999_999_999)),
      ("0.1s", .milliseconds(100)), ("0.000000001s", .nanoseconds(1)),
      ("0.0000000001s", .zero), ("9223372036854775807ns", .nanoseconds(Int64.max)),
    ])
  func reads(text: String, duration: Duration) throws {
    #expect(try GoDuration.parse(text) == duration)
  }

  @Test(
    "What is no duration is refused",
    arguments: [
      "", "5", "5x", "m", "1h30", "-5s", "-0", "5 s", " 5s", "5s ", ".s", "1..5s", "5S", "1d",
      "9223372036854775808ns", "9999999h", "99999999999999999999s", "+", "1e3s", "0x1s", "٣s",
    ])
  func refuses(text: String) {
    #expect(throws: GoDuration.Malformed.self) { try GoDuration.parse(text) }
  }

  @Test("A number without a unit is told so")
  func unit() {
    #expect(throws: GoDuration.Malformed(reason: "needs a unit, as in 90s, 5m or 1h30m")) {
      try GoDuration.parse("90")
    }
  }

  @Test(
    "A duration is written in its shortest form",
    arguments: [
      (Duration.zero, "0s"), (.seconds(90), "1m30s"), (.seconds(300), "5m"),
      (.seconds(5400), "1h30m"), (.seconds(3600), "1h"), (.milliseconds(250), "250ms"),
      (.milliseconds(1500), "1s500ms"),
    ])
  func writes(duration: Duration, text: String) throws {
    #expect(GoDuration.text(duration) == text)
    #expect(try GoDuration.parse(text) == duration)
  }
}
