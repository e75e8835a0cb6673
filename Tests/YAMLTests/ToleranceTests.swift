import Testing

@testable import YAML

@Suite("Reading what libyaml refuses and Talos reads")
struct ToleranceTests {
  @Test(
    "Plain scalars that begin with a colon in a flow sequence",
    arguments: [
      ("a: [0.0.0.0/0, ::/0]\n", ["0.0.0.0/0", "::/0"]),
      ("a: [::1, fe80::/10 ]\n", ["::1", "fe80::/10"]),
      ("a: [\n  0.0.0.0/0, # all\n  ::/0, # and all\n]\n", ["0.0.0.0/0", "::/0"]),
      ("a: ['# no comment', ::/0]\n", ["# no comment", "::/0"]),
      ("a: [\"x # y\", ::/0, :80]\n", ["x # y", "::/0", ":80"]),
      ("a: [b, :c d, 'e:, :f']\n", ["b", ":c d", "e:, :f"]),
    ])
  func flow(text: String, items: [String]) throws {
    let documents = try YAMLParser.parse(text)
    #expect(documents[0]["a"]?.items?.map { $0.text ?? "" } == items)
  }

  @Test(
    "An escaped apostrophe in double quotes, and two characters everywhere else",
    arguments: [
      (#"a: "it\'s""#, "it's"), (#"a: "\\\'x""#, #"\'x"#),
      (#"a: "\\'""#, #"\'"#),
    ])
  func apostrophes(text: String, value: String) throws {
    #expect(try YAMLParser.parse(text + "\n")[0]["a"]?.text == value)
    let others = "x: \"\\'\"\np: a\\'b\ns: 'a\\'\nl: |\n  a\\'b\n"
    let document = try YAMLParser.parse(others)[0]
    #expect(document["p"]?.text == "a\\'b")
    #expect(document["s"]?.text == "a\\")
    #expect(document["l"]?.text == "a\\'b\n")
  }

  @Test("DEL and C1 control characters, in every style")
  func controls() throws {
    for value in UInt32(0x7F)...0x9F where value != 0x85 {
      let character = String(try #require(Unicode.Scalar(value)))
      let text =
        "# \(character)\np: a\(character)b # \(character)\nd: \"\(character)\"\n"
        + "s: '\(character)'\nl: |\n  \(character)x\n\(character): key\n"
      let document = try YAMLParser.parse(text)[0]
      #expect(document["p"]?.text == "a\(character)b")
      #expect(document["d"]?.text == character && document["s"]?.text == character)
      #expect(document["l"]?.text == character + "x\n")
      #expect(document[character]?.text == "key")
    }
  }

  @Test("Characters for private use in the text are not taken for others")
  func privateUse() throws {
    let taken = "\u{F0001}\u{F0002}\u{F007F}\u{F0100}"
    let document = try YAMLParser.parse("a: '\(taken)'\nb: \"\\'\u{7F}\"\n")[0]
    #expect(document["a"]?.text == taken)
    #expect(document["b"]?.text == "'\u{7F}")
  }

  @Test(
    "A document end before the first document",
    arguments: ["...\n", "# x\n\n...  # y\n...\n", "\u{FEFF}...\r\n", "... # \u{80}\n"])
  func documentEnd(head: String) throws {
    let documents = try YAMLParser.parse(head + "a: b\n---\nc: d\n")
    #expect(documents.count == 2 && documents[0]["a"]?.text == "b")
    #expect(throws: YAMLError.self) { try YAMLParser.parse("... x\na: b\n") }
  }

  @Test("What no reader takes is refused still, at its own place")
  func refused() throws {
    for text in ["a: \"\\'\"\nb: [c\n", "a: [::1]\nb: 'x\n", "a: [b, ::]\n", "\u{7F}: \u{1}\n"] {
      #expect(throws: YAMLError.self, "\(text)") { try YAMLParser.parse(text) }
    }
    let error = #expect(throws: YAMLError.self) {
      try YAMLParser.parse("a: \"\u{80}\\'\"\nb: \u{1}\n")
    }
    #expect(error?.line == 2 && error?.column == 4)
  }

  private func utf16(_ text: String, bigEndian: Bool) -> [UInt8] {
    ("\u{FEFF}" + text).utf16.flatMap { unit in
      let bytes = [UInt8(truncatingIfNeeded: unit), UInt8(unit >> 8)]
      return bigEndian ? bytes.reversed() : bytes
    }
  }

  @Test("UTF-16 comes out as UTF-16 with all else unchanged", arguments: [false, true])
  func utf16(bigEndian: Bool) throws {
    let before = "# \u{1F600} ü\r\na: [::1, 'ä'] # x\r\nb: \"it\\'s \u{80}\"\r\n"
    var editor = try YAMLEditor(utf16(before, bigEndian: bigEndian))
    #expect(editor.bytes == utf16(before, bigEndian: bigEndian))
    try editor.append("w", to: ["a"])
    let after = before.replacing("'ä']", with: "'ä', w]")
    #expect(editor.bytes == utf16(after, bigEndian: bigEndian))
    let half = utf16(before, bigEndian: bigEndian) + (bigEndian ? [0xD8, 0x00] : [0x00, 0xD8])
    #expect(throws: YAMLError.self) { try YAMLEditor(half) }
    #expect(throws: YAMLError.self) { try YAMLEditor(Array(half.dropLast())) }
  }

  @Test("Names of anchors that go-yaml takes")
  func anchors() throws {
    let text =
      "a: &talos.ca x # &talos.ca\nb: *talos.ca\nc: [&a/b y, *a/b, *talos.ca]\nd: '*a/b &talos.ca'\n"
      + "e: &0 z\nf: *0\ng: &. w\nh: {k: *., l: *0}\ni: [::/0]\n"
    let document = try YAMLParser.parse(text)[0]
    #expect(document["b"]?.text == "x" && document["b"]?.aliasedAnchor == "talos.ca")
    #expect(document["c"]?.items?.map { $0.text ?? "" } == ["y", "y", "x"])
    #expect(document["d"]?.text == "*a/b &talos.ca")
    #expect(document["f"]?.text == "z" && document["h"]?["k"]?.text == "w")
    #expect(document["h"]?["l"]?.text == "z" && document["a"]?.anchor == "talos.ca")
    var editor = try YAMLEditor(text)
    try editor.set("v", at: ["e2"], after: "d")
    #expect(editor.text == text.replacing("e: &0", with: "e2: v\ne: &0"))
    let error = #expect(throws: YAMLError.self) { try editor.set("v", at: ["a"]) }
    #expect(error?.message.contains("alias (*)") == true)
  }

  @Test(
    "A name of an anchor that nobody takes is to be renamed; there may not be many of the others")
  func anchorNames() throws {
    for name in ["&\u{E4}", "&", "&a[b", "*a.b"] {
      #expect(throws: YAMLError.self, "\(name)") { try YAMLParser.parse("x: \(name) y\n") }
    }
    let error = #expect(throws: YAMLError.self) { try YAMLParser.parse("x: y\nz: &\u{E4} y\n") }
    #expect(error?.message.contains("rename") == true && error?.line == 2)
    func text(_ count: Int) -> String { (0..<count).map { "k\($0): &a.\($0) v\n" }.joined() }
    #expect(try YAMLParser.parse(text(AnchorNames.limit))[0].entries?.count == AnchorNames.limit)
    #expect(throws: YAMLError.self) { try YAMLParser.parse(text(AnchorNames.limit + 1)) }
  }

  @Test("Edits beside what libyaml refuses change their place and no other byte")
  func edits() throws {
    let text = "...\nn: [0.0.0.0/0, ::/0] # \u{80}\ne: \"it\\'s\"\nl: [x]\nm:\n  a: \u{7F}b\n"
    var editor = try YAMLEditor(text)
    try editor.append("v", to: ["l"])
    try editor.set("z", at: ["m", "c"])
    try editor.set("w", at: ["e"])
    #expect(
      editor.text
        == text.replacing("[x]", with: "[x, v]").replacing("\\'", with: "'")
        .replacing("\"it's\"", with: "\"w\"") + "  c: z\n")
  }
}
