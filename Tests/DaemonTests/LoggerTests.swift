import Synchronization
import Testing

@testable import Daemon

@Suite("Log")
struct LoggerTests {
  private final class Lines: Sendable {
    let all = Mutex<[String]>([])
    func logger(_ level: LogLevel = .info, _ format: LogFormat = .text) -> Logger {
      Logger(
        level: level, format: format, write: { line in self.all.withLock { $0.append(line) } },
        now: { "2026-11-23T18:00:00.000Z" })
    }
    var text: String { all.withLock { $0.joined() } }
  }

  @Test("A text line has time, level, message and the fields in their order")
  func text() {
    let lines = Lines()
    lines.logger().warning(
      "machine waits", ["cluster": "demo", "attempts": 3, "error": "no route to host"])
    #expect(
      lines.text == "2026-11-23T18:00:00.000Z WARNING machine waits cluster=demo attempts=3 "
        + "error=\"no route to host\"\n")
  }

  @Test("A JSON line is one object with numbers as numbers")
  func json() {
    let lines = Lines()
    lines.logger(.info, .json).info("started", ["cluster": "a\"b", "revision": 7])
    #expect(
      lines.text == #"{"time":"2026-11-23T18:00:00.000Z","level":"info","message":"started","#
        + #""cluster":"a\"b","revision":7}"# + "\n")
  }

  @Test("What matters less than the level is left out, and not even put together")
  func level() {
    let lines = Lines()
    var evaluated = false
    func message() -> String {
      evaluated = true
      return "call"
    }
    lines.logger(.info).debug(message())
    #expect(lines.text == "")
    #expect(!evaluated)
  }

  @Test(
    "No value breaks a line or reaches a terminal as a control character",
    arguments: LogFormat.allCases)
  func control(_ format: LogFormat) {
    let lines = Lines()
    lines.logger(.info, format).info(
      "a\nb\u{1B}[2J", ["field": "x\r\n\u{7F}\u{9B}\u{2028}", "empty": ""])
    #expect(lines.text.unicodeScalars.filter { $0 == "\n" }.count == 1)
    #expect(
      lines.text.dropLast().unicodeScalars.allSatisfy {
        $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) && $0.value != 0x2028
      })
  }

  @Test("Times are UTC to the millisecond")
  func time() {
    #expect(WallClock.timestamp(0) == "1970-01-01T00:00:00.000Z")
    #expect(WallClock.timestamp(1_795_456_978_123_999_999) == "2026-11-23T18:02:58.123Z")
  }
}
