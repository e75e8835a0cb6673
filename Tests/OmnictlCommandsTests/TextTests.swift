import ProtoCodec
import Testing

@testable import OmnictlCommands

@Suite struct TextTests {
  @Test("What a terminal would act on becomes harmless")
  func sanitised() {
    #expect(Printable.line("cp-1\u{1B}[31m\u{07}") == "cp-1\u{FFFD}[31m\u{FFFD}")
    #expect(Printable.line("a\r\nb\tc") == "a b c")
    #expect(Printable.line("\u{9B}2J\u{202E}x\u{200B}") == "\u{FFFD}2J\u{FFFD}x\u{FFFD}")
    #expect(Printable.line("Zürich-節点") == "Zürich-節点")
    #expect(Printable.text("a: b\n\tc\u{1B}]0;x") == "a: b\n\tc\u{FFFD}]0;x")
  }

  @Test("No scalar below the printable ones gets through", arguments: 0..<0xA0)
  func control(value: Int) throws {
    let scalar = try #require(Unicode.Scalar(UInt32(value)))
    let isControl = value < 0x20 || value >= 0x7F
    let line = Printable.line(String(Character(scalar)))
    #expect(line.unicodeScalars.contains(scalar) == !isControl)
  }

  @Test("Harmful characters within JSON become escapes of the same JSON")
  func json() {
    #expect(
      Printable.json("{\n\"a\":\"\u{9B}x\u{7F}\u{202E}\"}")
        == "{\n\"a\":\"\\u009bx\\u007f\\u202e\"}")
  }

  @Test(
    "A text is one JSON string of the same text, whatever a server makes its characters of",
    arguments: [
      "plain", "a \"word\"", "a\\b", "a\r\nb", "\"\u{301}, \"code\": 0", "\\\u{301}",
      "\u{9B}2J\u{7F}\t",
    ])
  func quoting(text: String) throws {
    #expect(try JSONValue(parsing: JSONDocument.text(text)) == .string(text))
    #expect(try JSONValue(parsing: JSONDocument.string(text)) == .string(Printable.line(text)))
    #expect(!JSONDocument.text(text).unicodeScalars.contains("\n"))
  }

  @Test("Wide characters count twice, marks not at all")
  func widths() {
    #expect(DisplayWidth.of("abc") == 3)
    #expect(DisplayWidth.of("節点") == 4)
    #expect(DisplayWidth.of("e\u{301}") == 1)
    #expect(DisplayWidth.of("🚀") == 2)
    #expect(DisplayWidth.fit("節点節点", to: 5) == "節点…")
    #expect(DisplayWidth.fit("節点節点", to: 4) == "節…")
    #expect(DisplayWidth.fit("abcdef", to: 6) == "abcdef")
    #expect(DisplayWidth.fit("abcdef", to: 3) == "ab…")
    #expect(DisplayWidth.fit("abcdef", to: 1) == "…")
    #expect(DisplayWidth.fit("abcdef", to: 0) == "")
    #expect(DisplayWidth.pad("節", to: 4) == "節  ")
  }

  @Test("Long text is broken at spaces, and within words that are too long")
  func wraps() {
    #expect(DisplayWidth.wrap("one two three", to: 80, lines: 3) == ["one two three"])
    #expect(DisplayWidth.wrap("one two three", to: 8, lines: 3) == ["one two", "three"])
    #expect(DisplayWidth.wrap("one two three four", to: 8, lines: 2) == ["one two", "three f…"])
    #expect(DisplayWidth.wrap("a 0123456789", to: 6, lines: 9) == ["a 0123", "456789"])
    #expect(DisplayWidth.wrap("節点節点", to: 3, lines: 9) == ["節", "点", "節", "点"])
    #expect(DisplayWidth.wrap("節", to: 1, lines: 9) == ["…"])
    #expect(DisplayWidth.wrap("", to: 8, lines: 2).isEmpty)
    #expect(DisplayWidth.wrap("x", to: 0, lines: 2).isEmpty)
  }

  @Test("Tables are aligned, without spaces at the ends of lines")
  func table() {
    var table = TextTable("NAME", "ROLE", "ADDRESS")
    table.add("節点", "worker", "10.0.0.1")
    table.add("control-plane-1", "", "x\u{1B}y")
    #expect(
      table.text == """
        NAME             ROLE    ADDRESS
        節点             worker  10.0.0.1
        control-plane-1  -       x\u{FFFD}y

        """)
  }

  @Test("On a terminal the last column goes on below itself, or on lines of its own")
  func narrowTable() {
    var table = TextTable("MACHINE", "DETAIL")
    table.add("cp-1", "the API server has not been restarted since the change was made")
    table.add("w", "short")
    #expect(
      table.text(columns: 40) == """
        MACHINE  DETAIL
        cp-1     the API server has not been
                 restarted since the change
                 was made
        w        short

        """)
    #expect(
      table.text(columns: 30) == """
        MACHINE  DETAIL
        cp-1
            the API server has not
            been restarted since the
            change was made
        w        short

        """)
    for columns in [1, 10, 20, 39, 79] {
      let lines = table.text(columns: columns).split(separator: "\n")
      #expect(
        lines.allSatisfy { columns < 12 || DisplayWidth.of(String($0)) < max(columns, 16) },
        "\(columns)")
    }
    #expect(table.text(columns: nil) == table.text)
  }

  @Test(
    "Where more than the last column does not fit, the others stand below each row after their headings"
  )
  func foldedTable() {
    var table = TextTable("STARTED", "STATE", "BY", "REASON", "ROTATION")
    table.add(
      "2026-11-29T12:00:00Z", "SUCCEEDED", "uid:0", "leaked-talosconfig: laptop", "1b50739d")
    table.add("2026-11-28T12:00:00Z", "ABORTED", "", "", "77aa0c1d")
    #expect(
      table.text(columns: 48) == """
        STARTED               STATE      BY
        2026-11-29T12:00:00Z  SUCCEEDED  uid:0
            reason: leaked-talosconfig: laptop
            rotation: 1b50739d
        2026-11-28T12:00:00Z  ABORTED    -
            rotation: 77aa0c1d

        """)
    #expect(table.text(columns: 100) == table.text)
  }

  @Test(
    "At every width no line is as wide as the terminal, and nothing is lost",
    arguments: 40...200)
  func everyWidth(columns: Int) {
    let samples: [(headings: [String], rows: [[String]])] = [
      (
        ["NAME", "TALOS", "CONTROL-PLANES", "WORKERS", "ROTATION", "MARKS"],
        [
          [
            "prod", "v1.13.9", "3", "120", "talos-ca PAUSED POST_ROTATE 12/123",
            "tainted-by-importing,leaked-secrets",
          ],
          ["節点-クラスタ", "v1.7.0", "1", "0", "", ""],
          [
            String(repeating: "long-name-", count: 6), "v1.7.0", "1", "0",
            "kubernetes-ca SUCCEEDED", "e\u{301}e\u{301}",
          ],
        ]
      ),
      (
        ["ID", "STATE", "DETAIL"],
        [
          [
            String(repeating: "f", count: 64), "valid",
            String(repeating: "word ", count: 60) + "end",
          ],
          ["5e71", "revoked", ""],
        ]
      ),
      (["ONE"], [[String(repeating: "x", count: 210)], ["y"]]),
    ]
    for (headings, rows) in samples {
      var table = TextTable(headings)
      for row in rows { table.add(row) }
      let text = table.text(columns: columns)
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      #expect(lines.allSatisfy { DisplayWidth.of($0) < columns }, "\(text)")
      #expect(
        text.hasSuffix("\n") && !lines.contains { $0.hasSuffix(" ") && !$0.isEmpty }, "\(text)")
      // Wherever it is broken: what was said stands there, in its order.
      let shown = text.filter { !$0.isWhitespace }
      for row in rows {
        var rest = shown[...]
        for cell in row where !cell.isEmpty {
          let wanted = cell.filter { !$0.isWhitespace }
          guard let found = rest.firstRange(of: wanted) else {
            Issue.record("\(cell) is lost in \(text)")
            continue
          }
          rest = rest[found.upperBound...]
        }
      }
    }
  }

  @Test("A property that does not fit goes on below itself")
  func narrowProperty() {
    var properties = PropertyList()
    properties.add("Name", "demo")
    properties.add("Mark", "tainted-by-importing since then: its keys were elsewhere")
    #expect(
      properties.text(columns: 30) == """
        Name:  demo
        Mark:  tainted-by-importing
               since then: its keys
               were elsewhere

        """)
    #expect(properties.text.split(separator: "\n").count == 2)
  }

  @Test("A styled line is cut by columns, and its styles stay within it")
  func styled() {
    var line = StyledLine("abc", .bold)
    line.append("defgh", .red)
    #expect(line.fitted(to: 8) == line)
    #expect(line.fitted(to: 5).text == "abcd…")
    #expect(line.fitted(to: 3).text == "ab…")
    #expect(line.fitted(to: 0).text == "")
    #expect(
      line.fitted(to: 5).rendered(hasColor: true)
        == "\u{1B}[1mabc\u{1B}[0m\u{1B}[31md…\u{1B}[0m")
    #expect(line.rendered(hasColor: false) == "abcdefgh")
  }
}
