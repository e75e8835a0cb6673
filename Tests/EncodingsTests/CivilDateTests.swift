import Encodings
import Testing

@Suite("Dates of the calendar")
struct CivilDateTests {
  private static func isLeap(_ year: Int64) -> Bool {
    year % 400 == 0 || year % 4 == 0 && year % 100 != 0
  }

  private static func length(of month: Int64, in year: Int64) -> Int64 {
    [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Int(month) - 1]
  }

  @Test(
    "Every day of the years -9999 to 9999 follows the one before it, both ways",
    arguments: Array(stride(from: Int64(-9999), through: 9999, by: 1000)))
  func everyDay(first: Int64) throws {
    let last = min(first + 999, 9999)
    let start = try #require(CivilDate(year: first, month: 1, day: 1))
    var days = start.daysSince1970
    for year in first...last {
      for month in Int64(1)...12 {
        for day in 1...Self.length(of: month, in: year) {
          let date = CivilDate(daysSince1970: days)
          if date.year != year || date.month != month || date.day != day
            || date.daysSince1970 != days
          {
            Issue.record("day \(days) is \(date)")
            return
          }
          days += 1
        }
      }
    }
    // Where this thousand of years ends the next one begins.
    #expect(CivilDate(year: last + 1, month: 1, day: 1).map { $0.daysSince1970 == days } != false)
  }

  @Test("1970 begins with the day 0, and a few others are where they are known to be")
  func known() throws {
    for (year, month, day, days): (Int64, Int64, Int64, Int64) in [
      (1970, 1, 1, 0), (1969, 12, 31, -1), (2000, 2, 29, 11_016), (2000, 3, 1, 11_017),
      (1, 1, 1, -719_162), (0, 12, 31, -719_163), (9999, 12, 31, 2_932_896),
      (1600, 2, 29, -135_081),
    ] {
      #expect(CivilDate(year: year, month: month, day: day)?.daysSince1970 == days, "\(year)")
    }
  }

  @Test("A date that does not exist is none")
  func absent() {
    for year in [-9999, -4, -1, 0, 1, 4, 1900, 1970, 2000, 2023, 2024, 2100, 9999] as [Int64] {
      for month in Int64(-1)...14 {
        for day in Int64(-1)...33 {
          let exists =
            (1...12).contains(month) && day >= 1 && day <= Self.length(of: month, in: year)
          #expect((CivilDate(year: year, month: month, day: day) != nil) == exists)
        }
      }
    }
    for number in [Int64.min, -10_000, 10_000, .max] {
      #expect(CivilDate(year: number, month: 1, day: 1) == nil)
      #expect(CivilDate(year: 2000, month: number, day: 1) == nil)
      #expect(CivilDate(year: 2000, month: 1, day: number) == nil)
    }
  }

  @Test("All that 64 bits of seconds reach has a date")
  func farAway() {
    for days in [Int64.min / 86_400 - 1, .max / 86_400] as [Int64] {
      #expect(CivilDate(daysSince1970: days).daysSince1970 == days)
    }
    #expect(CivilDate(daysSince1970: .max / 86_400).year == 292_277_026_596)
  }
}
