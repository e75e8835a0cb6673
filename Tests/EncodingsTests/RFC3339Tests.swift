import Encodings
import TestSupport
import Testing

@Suite("Times of RFC 3339")
struct RFC3339Tests {
  @Test(
    "Known times go both ways",
    arguments: [
      (Int64(0), "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
      (951_782_400, "2000-02-29T00:00:00Z"), (1_795_455_778, "2026-11-23T17:42:58Z"),
      (4_107_542_399, "2100-02-28T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
      (-62_135_596_800, "0001-01-01T00:00:00Z"), (-62_167_219_200, "0000-01-01T00:00:00Z"),
      (253_402_300_799, "9999-12-31T23:59:59Z"),
    ])
  func known(seconds: Int64, text: String) throws {
    #expect(RFC3339.text(secondsSince1970: seconds) == text)
    let read = try #require(RFC3339.parse(text))
    #expect(read.secondsSince1970 == seconds && read.nanoseconds == 0)
  }

  @Test("Every day of four hundred years, after which the calendar repeats, goes round")
  func everyDay() {
    for day in Int64(-100_000)..<46_097 {
      // Another second of each day.
      let seconds = day * 86_400 + (day * 7919 % 86_400 + 86_400) % 86_400
      let text = RFC3339.text(secondsSince1970: seconds)
      if RFC3339.parse(text)?.secondsSince1970 != seconds { Issue.record("\(text)") }
    }
  }

  @Test("The first and the last second of every year from 0 to 9999 go round")
  func everyYear() throws {
    for year in Int64(0)...9999 {
      let digits = String(String(10_000 + year).dropFirst())
      let start = try #require(RFC3339.parse("\(digits)-01-01T00:00:00Z")).secondsSince1970
      let end = try #require(RFC3339.parse("\(digits)-12-31T23:59:59Z")).secondsSince1970
      #expect(RFC3339.text(secondsSince1970: start) == "\(digits)-01-01T00:00:00Z")
      #expect(RFC3339.text(secondsSince1970: end) == "\(digits)-12-31T23:59:59Z")
      #expect(CivilDate(year: year, month: 1, day: 1)?.daysSince1970 == start / 86_400)
    }
  }

  @Test("Every second of a day goes round")
  func everySecond() {
    for second in Int64(-86_400)..<86_400 {
      let text = RFC3339.text(secondsSince1970: second)
      if RFC3339.parse(text)?.secondsSince1970 != second { Issue.record("\(text)") }
    }
  }

  @Test("A fraction has the digits that were asked for, rounded down")
  func fractions() throws {
    for (nanoseconds, fraction, text): (Int32, SecondFraction, String) in [
      (0, .none, ""), (999_999_999, .none, ""), (0, .milliseconds, ".000"),
      (999_999_999, .milliseconds, ".999"), (1_999_999, .milliseconds, ".001"),
      (1_999, .microseconds, ".000001"), (1, .nanoseconds, ".000000001"),
      (0, .nanoseconds, ".000000000"),
      (0, .shortest, ""), (20_000_000, .shortest, ".020"), (20_000, .shortest, ".000020"),
      (20, .shortest, ".000000020"), (123_456_789, .shortest, ".123456789"),
    ] {
      #expect(fraction.text(nanoseconds) == text)
      let time = RFC3339.text(secondsSince1970: 0, nanoseconds: nanoseconds, fraction: fraction)
      #expect(time == "1970-01-01T00:00:00\(text)Z")
      #expect(RFC3339.parse(time) != nil)
    }
    let seed = RandomSeed()
    var generator = seed.generator
    for _ in 0..<2000 {
      let nanoseconds = Int32.random(in: 0...999_999_999, using: &generator)
      for fraction in [SecondFraction.nanoseconds, .shortest] {
        let text = RFC3339.text(secondsSince1970: -1, nanoseconds: nanoseconds, fraction: fraction)
        let read = try #require(RFC3339.parse(text))
        #expect(read.secondsSince1970 == -1 && read.nanoseconds == nanoseconds, "\(seed)")
      }
    }
    #expect(RFC3339.parse("1970-01-01T00:00:00.5Z")?.nanoseconds == 500_000_000)
  }

  @Test("An offset is taken off")
  func offsets() {
    for hours in Int64(0)..<24 {
      for minutes in Int64(0)..<60 {
        let digits = [hours, minutes].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
        let seconds = (hours * 60 + minutes) * 60
        #expect(RFC3339.parse("1970-01-01T00:00:00+\(digits)")?.secondsSince1970 == -seconds)
        #expect(RFC3339.parse("1970-01-01T00:00:00-\(digits)")?.secondsSince1970 == seconds)
      }
    }
  }

  @Test(
    "Other texts are no times",
    arguments: [
      "", "2026-11-23", "2000-01-01T00:00:00", "2000-01-01T00:00:00ZZ", "2000-1-01T00:00:00Z",
      "2000-01-1T00:00:00Z", "2000-01-01 00:00:00Z", "2000-01-01t00:00:00Z", "2000-01-01T00:00:00z",
      "2000-02-30T00:00:00Z", "2001-02-29T00:00:00Z", "2000-13-01T00:00:00Z",
      "2000-00-01T00:00:00Z",
      "2000-01-00T00:00:00Z", "2000-01-32T00:00:00Z", "2000-01-01T24:00:00Z",
      "2000-01-01T00:60:00Z", "2000-01-01T00:00:61Z", "2000-01-01T00:00:00.Z",
      "2000-01-01T00:00:00,5Z", "2000-01-01T00:00:00.-5Z", "2000-01-01T00:00:00+24:00",
      "2000-01-01T00:00:00+00:60", "2000-01-01T00:00:00+0100", "2000-01-01T00:00:00+1:00",
      "+200-01-01T00:00:00Z", "-200-01-01T00:00:00Z", "20000-01-01T00:00:00Z",
      "２000-01-01T00:00:00Z",
      " 2000-01-01T00:00:00Z", "2000-01-01T00:00:00Z ", "2000-01-01T+1:00:00Z",
    ])
  func refused(text: String) {
    #expect(RFC3339.parse(text) == nil)
    #expect(RFC3339.parse(text, allowing: [.leapSecond, .longFraction]) == nil)
  }

  @Test("A leap second and a long fraction are taken where they are allowed")
  func allowances() throws {
    let leap = "2016-12-31T23:59:60Z"
    #expect(RFC3339.parse(leap) == nil)
    #expect(
      RFC3339.parse(leap, allowing: .leapSecond)?.secondsSince1970
        == RFC3339.parse("2017-01-01T00:00:00Z")?.secondsSince1970)
    let long = "2017-01-01T00:00:00.1234567899Z"
    #expect(RFC3339.parse(long, allowing: .leapSecond) == nil)
    #expect(RFC3339.parse(long, allowing: .longFraction)?.nanoseconds == 123_456_789)
  }

  @Test("All that 64 bits of seconds reach is written, with a sign before the year 0")
  func farAway() {
    #expect(RFC3339.text(secondsSince1970: .max) == "292277026596-12-04T15:30:07Z")
    #expect(RFC3339.text(secondsSince1970: .min) == "-292277022657-01-27T08:29:52Z")
    #expect(RFC3339.text(secondsSince1970: -62_167_219_201) == "-0001-12-31T23:59:59Z")
    #expect(RFC3339.text(secondsSince1970: 253_402_300_800) == "10000-01-01T00:00:00Z")
  }
}

@Suite("Dates of HTTP")
struct HTTPDateTests {
  @Test(
    "Known dates go both ways",
    arguments: [
      (Int64(0), "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
      (1_795_455_778, "Mon, 23 Nov 2026 17:42:58 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
    ])
  func known(seconds: Int64, text: String) {
    #expect(HTTPDate.text(secondsSince1970: seconds) == text)
    #expect(HTTPDate.parse(text) == seconds)
  }

  @Test("Every day of four hundred years goes round")
  func everyDay() {
    for day in Int64(-100_000)..<46_097 {
      let text = HTTPDate.text(secondsSince1970: day * 86_400 + 3_661)
      if HTTPDate.parse(text) != day * 86_400 + 3_661 { Issue.record("\(text)") }
    }
  }

  @Test(
    "Other texts are no dates",
    arguments: [
      "", "x", "Sun, 06 Nov 1994 08:49:37", "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
      "Sun, 06 Nov 94 08:49:37 GMT",
      "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
      "Sun, 06 Nov 1994 08:49:37 GMTx",
      "Sun,06 Nov 1994 08:49:37 GMT",
    ])
  func refused(text: String) { #expect(HTTPDate.parse(text) == nil) }
}

@Suite("Digits of dates and lengths of time")
struct DigitScannerTests {
  @Test("A number ends where its digits end, and is one of at most 18")
  func numbers() {
    var scanner = DigitScanner("12x345")
    #expect(scanner.number() == 12 && scanner.take("x") && !scanner.take("x"))
    #expect(scanner.number(digits: 4) == nil)
    #expect(scanner.number(digits: 2) == 34 && !scanner.isAtEnd)
    #expect(scanner.number() == 5 && scanner.isAtEnd && scanner.number() == nil)
    var long = DigitScanner("999999999999999999")
    #expect(long.number() == 999_999_999_999_999_999)
    var longer = DigitScanner("1000000000000000000")
    #expect(longer.number() == nil && !longer.isAtEnd)
    for text in ["", "-1", "+1", " 1", "٣"] {
      var scanner = DigitScanner(text)
      #expect(scanner.number() == nil)
    }
  }
}
