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
      "machine waits", [.cluster: "demo", .attempt: 3, .error: "no route to host"])
    #expect(
      lines.text == "2026-11-23T18:00:00.000Z WARNING machine waits cluster=demo attempt=3 "
        + "error=\"no route to host\"\n")
  }

  @Test("A JSON line is one object with numbers as numbers")
  func json() {
    let lines = Lines()
    lines.logger(.info, .json).info("started", [.cluster: "a\"b", .revision: 7])
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
      "a\nb\u{1B}[2J", [.reason: "x\r\n\u{7F}\u{9B}\u{2028}", .note: ""])
    #expect(lines.text.unicodeScalars.filter { $0 == "\n" }.count == 1)
    #expect(
      lines.text.dropLast().unicodeScalars.allSatisfy {
        $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) && $0.value != 0x2028
      })
  }

  @Test("What turns text round or hides in it is written out, in halves beyond U+FFFF")
  func unseen() {
    let lines = Lines()
    let value = "a\u{202E}b\u{2066}c\u{FEFF}d\u{E0041}e"
    lines.logger().info("x", [.reason: .string(value)])
    lines.logger(.info, .json).info("x", [.reason: .string(value)])
    let written = #""a\u202eb\u2066c\ufeffd\udb40\udc41e""#
    let all = lines.text.split(separator: "\n")
    #expect(all.count == 2)
    #expect(all[0].hasSuffix("reason=" + written) && all[1].hasSuffix(":" + written + "}"))
  }

  @Test("A value is cut where it is too long, between letters", arguments: LogFormat.allCases)
  func length(_ format: LogFormat) {
    let lines = Lines()
    lines.logger(.info, format).info(
      "x", [.note: .string(String(repeating: "ß", count: 100_000)), .error: "no"])
    let kept = String(repeating: "ß", count: LogLine.valueLimit / 2) + "…"
    #expect(lines.text.contains("\"\(kept)\""))
    #expect(lines.text.utf8.count < LogLine.valueLimit + 200)
    #expect(lines.text.contains(format == .text ? "error=no" : "\"error\":\"no\""))
  }

  @Test(
    "A field stands once in a line, where it was first said, and one without a value not at all")
  func fields() {
    var fields: LogFields = [.cluster: "a", .stage: "PRE_ROTATE"]
    fields[.cluster] = "b"
    fields[.stage] = nil
    fields[.role] = nil
    let lines = Lines()
    lines.logger().info("x", fields.with([.machine: "m", .cluster: "c"]))
    #expect(lines.text.hasSuffix("INFO    x cluster=c machine=m\n"))
  }

  @Test("No field has the name of what every line has")
  func reserved() {
    let names = LogField.allCases.map(\.rawValue)
    #expect(Set(names).count == names.count)
    #expect(Set(names).isDisjoint(with: ["time", "level", "message"]))
  }

  @Test("Times are UTC to the millisecond")
  func time() {
    #expect(WallClock.timestamp(0) == "1970-01-01T00:00:00.000Z")
    #expect(WallClock.timestamp(1_795_456_978_123_999_999) == "2026-11-23T18:02:58.123Z")
  }
}
