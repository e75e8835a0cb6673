import TestSupport
import Testing

@testable import YAML

@Suite("Reading YAML")
struct ParsingTests {
  @Test("Documents, mappings, sequences and scalars come out in order")
  func structure() throws {
    let documents = try YAMLParser.parse(
      """
      # head
      version: v1alpha1
      machine:
          type: controlplane
          nodes: [a, 'b', "c\\n"]
      ---
      kind: Other
      list:
      - one
      - key: value
      ...
      """)
    #expect(documents.count == 2)
    #expect(documents[0]["machine"]?["type"]?.text == "controlplane")
    #expect(documents[0]["machine"]?["nodes"]?.items?.compactMap(\.text) == ["a", "b", "c\n"])
    #expect(documents[0].entries?.map(\.name) == ["version", "machine"])
    #expect(documents[1]["list"]?[1]?["key"]?.text == "value")
    #expect(documents[1].node(at: ["list", 1, "key"])?.text == "value")
    #expect(documents[1].node(at: ["list", 2]) == nil)
    #expect(documents[0]["nothing"] == nil)
  }

  @Test("An empty text has no documents", arguments: ["", "\n", "# only a comment\n", "\u{FEFF}"])
  func empty(text: String) throws {
    #expect(try YAMLParser.parse(text).isEmpty)
  }

  @Test("A marker alone is a document that is null")
  func nullDocument() throws {
    let documents = try YAMLParser.parse("---\n---\na: b\n")
    #expect(documents.count == 2)
    #expect(documents[0].isNull)
  }

  @Test("Plain scalars have the kind that other readers give them")
  func kinds() throws {
    let expected: [(String, YAMLScalarKind)] = [
      ("null", .null), ("~", .null), ("true", .bool), ("False", .bool), ("yes", .bool),
      ("12", .integer), ("-3", .integer), ("0x1F", .integer), ("0o17", .integer), ("1.5", .float),
      ("1e3", .float), (".inf", .float), ("-.INF", .float), ("text", .string), ("1.2.3.4", .string),
      ("1h", .string), ("-", .string), ("'12'", .string), ("\"true\"", .string),
      ("!!str 12", .string),
      ("v1", .string), ("0xZZ", .string), (".", .string),
    ]
    for (text, kind) in expected where text != "-" {
      #expect(try YAMLParser.parse("k: \(text)")[0]["k"]?.kind == kind, "\(text)")
    }
    #expect(try YAMLParser.parse("k: 6443")[0]["k"]?.integer == 6443)
    #expect(try YAMLParser.parse("k: true")[0]["k"]?.bool == true)
    #expect(try YAMLParser.parse("k: 'true'")[0]["k"]?.bool == nil)
    #expect(try YAMLParser.parse("k:")[0]["k"]?.isNull == true)
    #expect(try YAMLParser.parse("k:")[0]["k"]?.text == nil)
  }

  @Test("Literal and folded blocks keep their text by their chomping")
  func blocks() throws {
    let root = try YAMLParser.parse(
      "clip: |\n  a\n\n  b\n\nstrip: |-\n  a\nkeep: |+\n  a\n\nfold: >\n  a\n  b\n")[0]
    #expect(root["clip"]?.text == "a\n\nb\n")
    #expect(root["strip"]?.text == "a")
    #expect(root["keep"]?.text == "a\n\n")
    #expect(root["fold"]?.text == "a b\n")
    #expect(root["fold"]?.scalar?.style == .folded)
  }

  @Test(
    "Byte ranges name the bytes of the value, also behind a byte order mark, CRLF and non-ASCII text",
    arguments: ["", "\u{FEFF}"], ["\n", "\r\n"])
  func ranges(mark: String, newline: String) throws {
    let text =
      mark
      + "ä: 'ö€𝄞'\nlist: [über, \"x\"]\nmap:\n    k: v # ü\n    deep: {é: ï}\n".split(
        separator: "\n", omittingEmptySubsequences: false
      ).joined(separator: newline)
    let bytes = Array(text.utf8)
    let root = try YAMLParser.parse(bytes)[0]
    func slice(_ node: YAMLNode?) -> String? {
      node.map { String(decoding: bytes[$0.range], as: UTF8.self) }
    }
    #expect(slice(root["ä"]) == "'ö€𝄞'")
    #expect(slice(root["list"]) == "[über, \"x\"]")
    #expect(slice(root["list"]?[0]) == "über")
    #expect(slice(root["map"]?["k"]) == "v")
    #expect(slice(root["map"]?["deep"]) == "{é: ï}")
    #expect(slice(root["map"]?["deep"]?["é"]) == "ï")
    #expect(slice(root["map"]) == "k: v # ü" + newline + "    deep: {é: ï}")
    #expect(root["map"]?.line == 4)
    #expect(root["map"]?["deep"]?.column == 11)
  }

  @Test("Positions are right in a long text with many wide characters")
  func longRanges() throws {
    let lines = (0..<500).map { "key\($0): \(String(repeating: "é€", count: $0 % 7))v\($0)" }
    let bytes = Array(lines.joined(separator: "\n").utf8)
    let root = try YAMLParser.parse(bytes)[0]
    for (index, entry) in (root.entries ?? []).enumerated() {
      let key = String(decoding: bytes[entry.key.range], as: UTF8.self)
      let value = String(decoding: bytes[entry.value.range], as: UTF8.self)
      #expect(key + ": " + value == lines[index])
    }
    #expect(root.entries?.count == 500)
  }

  @Test("A block collection ends with its last child, not with the comments behind it")
  func collectionEnd() throws {
    let text = "a:\n  b: c # same line\n  # below\n\n# far below\nd: e\n"
    let root = try YAMLParser.parse(text)[0]
    let range = try #require(root["a"]?.range)
    #expect(String(decoding: Array(text.utf8)[range], as: UTF8.self) == "b: c")
  }

  @Test("An alias means its anchor's content and stands in its own place")
  func aliases() throws {
    let root = try YAMLParser.parse("a: &x {k: v}\nb: *x\nc: [*x, *x]\n")[0]
    #expect(root["b"]?["k"]?.text == "v")
    #expect(root["b"]?.isAlias == true)
    #expect(root["a"]?.anchor == "x")
    #expect(root["b"]?.line == 2)
    #expect(root["c"]?[1]?["k"]?.text == "v")
  }

  @Test("Anchors do not reach into the next document")
  func anchorScope() {
    let error = #expect(throws: YAMLError.self) {
      try YAMLParser.parse("a: &x 1\n---\nb: *x\n")
    }
    #expect(error?.code == .unsupported)
    #expect(error?.line == 3)
  }

  @Test("Meaning is compared without regard to style")
  func equivalence() throws {
    let first = try YAMLParser.parse("a: {b: c, d: [1, ~]}\n")[0]
    let second = try YAMLParser.parse("a: # x\n  b: \"c\"\n  d:\n  - 1\n  - null\n")[0]
    #expect(first.isEquivalent(to: second))
    for other in ["a: {b: c, d: ['1', ~]}", "a: {d: [1, ~], b: c}", "a: {b: c}", "a: []", "a"] {
      #expect(!first.isEquivalent(to: try YAMLParser.parse(other)[0]), "\(other)")
    }
  }
}

@Suite("Refusing YAML")
struct RefusalTests {
  @Test(
    "What is not YAML is refused with its place",
    arguments: [
      ("a: [b\n", 2), ("a: b\n c: d\n", 2), ("a: 'b\n", 2), ("a: \"\\q\"\n", 1), ("\ta: b\n", 1),
      ("a: @b\n", 1), ("a: b\n- c\n", 2), ("%YAML 3.0\n---\na", 1), ("a: *nothing\n", 1),
      ("a: &x [*x]\n", 1), ("a: !t!x y\n", 1), ("ok: yes\nb: \u{1}\n", 2),
    ])
  func syntax(text: String, line: Int) {
    let error = #expect(throws: YAMLError.self) { try YAMLParser.parse(text) }
    #expect(error?.line == line, "\(String(describing: error))")
    #expect(error?.column ?? 0 > 0)
    #expect(error.map(\.description)?.contains("line \(line)") == true)
  }

  @Test(
    "Broken encodings are refused",
    arguments: [
      [0x61, 0x3A, 0x20, 0xFF], [0x61, 0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80],
      [0xF5, 0x80, 0x80, 0x80], [0xFF, 0xFE, 0x61], [0xFE, 0xFF, 0xD8, 0x00], [0x00],
    ] as [[UInt8]])
  func encoding(bytes: [UInt8]) {
    let error = #expect(throws: YAMLError.self) { try YAMLParser.parse(bytes) }
    #expect(error?.code == .syntax)
  }

  @Test(
    "The same key twice is refused",
    arguments: ["a: 1\na: 2\n", "{a: 1, 'a': 2}", "x:\n  - {b: 1, c: 2, \"b\": 3}\n"])
  func duplicateKeys(text: String) {
    let error = #expect(throws: YAMLError.self) { try YAMLParser.parse(text) }
    #expect(error?.code == .duplicateKey)
  }

  @Test("Collections as keys are refused", arguments: ["? [a, b]\n: c\n", "{{a: b}: c}"])
  func complexKeys(text: String) {
    let error = #expect(throws: YAMLError.self) { try YAMLParser.parse(text) }
    #expect(error?.code == .unsupported)
  }

  @Test("Depth, nodes, bytes and documents are limited")
  func limits() throws {
    func code(_ text: String, _ limits: YAMLLimits = .default) -> YAMLError.Code? {
      do throws(YAMLError) {
        _ = try YAMLParser.parse(text, limits: limits)
        return nil
      } catch { return error.code }
    }
    let deep = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
    #expect(code(deep) == .limitExceeded)
    #expect(code(String(deep.dropFirst().dropLast())) == nil)
    #expect(code(String(repeating: "[", count: 200_000)) == .limitExceeded)
    #expect(code("[a, b, c]", YAMLLimits(maximumNodes: 3)) == .limitExceeded)
    #expect(code("[a, b, c]", YAMLLimits(maximumNodes: 4)) == nil)
    #expect(code("abc", YAMLLimits(maximumBytes: 2)) == .limitExceeded)
    #expect(code("--- a\n--- b\n", YAMLLimits(maximumDocuments: 1)) == .limitExceeded)
  }

  @Test("Aliases that multiply are refused before they cost anything")
  func billionLaughs() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1...30 {
      let previous = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
      text += "a\(level): &a\(level) [\(previous)]\n"
    }
    let error = #expect(throws: YAMLError.self) { try YAMLParser.parse(text) }
    #expect(error?.code == .limitExceeded)
  }

  @Test("Bytes that are no UTF-8 are refused, whatever they resemble")
  func noUTF8() {
    for second in UInt8.min...UInt8.max {
      for lead: UInt8 in [0xC2, 0xE0, 0xF0, 0xF3, 0xF4, 0xFF] where second >= 0xC0 {
        let bytes = Array("a: ".utf8) + [lead, second, 0x80, 0x80] + Array("\n".utf8)
        #expect(throws: YAMLError.self) { try YAMLParser.parse(bytes) }
      }
    }
  }

  @Test("Mutilated texts are read or refused, nothing else")
  func mutilated() throws {
    let text = Array(
      "a: &x {b: 'c', d: [1, \"é\\n\"]}\nk: |\n  text\n  more\nl:\n- *x\n- !!str y\n---\nz: >-\n q\n"
        .utf8)
    let seed = RandomSeed()
    var generator = seed.generator
    for end in text.indices { _ = try? YAMLParser.parse(Array(text[..<end])) }
    for _ in 0..<3_000 {
      var bytes = text
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(
          in: 0...255, using: &generator)
      }
      guard let documents = try? YAMLParser.parse(bytes) else { continue }
      for document in documents { #expect(document.range.upperBound <= bytes.count, "\(seed)") }
    }
  }
}
