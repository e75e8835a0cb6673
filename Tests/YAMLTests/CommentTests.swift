import Testing

@testable import YAML

@Suite("Comments around a value that is replaced")
struct CommentTests {
  /// One value set, and the text it must give.
  struct Case: Sendable, CustomTestStringConvertible {
    var before: String
    var path: [YAMLPathElement]
    var value: YAMLValue
    var after: String
    var testDescription: String { before }
  }

  static let cases: [Case] = [
    Case(
      before: "m:\n  a: | # made 2023\n    x\n    y\nb: c\n", path: ["m", "a"], value: "p\nq\n",
      after: "m:\n  a: | # made 2023\n    p\n    q\nb: c\n"),
    Case(
      before: "m:\n  a: |- # made 2023\n    x\nb: c\n", path: ["m", "a"], value: "p",
      after: "m:\n  a: p # made 2023\nb: c\n"),
    Case(
      before: "m:\r\n  a: >+ # made 2023  \r\n    x\r\nb: c\r\n", path: ["m", "a"], value: "p\n",
      after: "m:\r\n  a: | # made 2023\r\n    p\r\nb: c\r\n"),
    Case(
      before: "l:\n  - | # note\n    x\n    y\n  - z # end\n", path: ["l", 0], value: "p\nq\n",
      after: "l:\n  - | # note\n    p\n    q\n  - z # end\n"),
    Case(
      before: "a: # one\n  # two\n  | # three\n  x\n  y\nb: c\n", path: ["a"], value: "p\nq\n",
      after: "a: # one\n  # two\n  | # three\n  p\n  q\nb: c\n"),
    Case(
      before: "a: # one\n  # two\n  x # three\nb: c\n", path: ["a"], value: "p",
      after: "a: # one\n  # two\n  p # three\nb: c\n"),
    Case(
      before: "a: !!str # one\n  x # two\nb: c\n", path: ["a"], value: "p",
      after: "a: p # one # two\nb: c\n"),
    Case(
      before: "a: &n # one\n  | # two\n  x\n  y\nb: c\n", path: ["a"], value: "p\nq\n",
      after: "a: | # one # two\n  p\n  q\nb: c\n"),
    Case(
      before: "m:\n  a: x # no # second\n", path: ["m", "a"], value: "p",
      after: "m:\n  a: p # no # second\n"),
    Case(
      before: "m:\n  a: |\n    x # no comment\nb: c\n", path: ["m", "a"], value: "p",
      after: "m:\n  a: p\nb: c\n"),
    Case(
      before: "m:\n  a: # one\n    # two\n    null # three\nb: c\n", path: ["m", "a"],
      value: ["x"], after: "m:\n  a: # one\n    # two\n    # three\n    - x\nb: c\n"),
    Case(
      before: "m:\n  a: ~ # one\nb: c\n", path: ["m", "a"], value: ["x"],
      after: "m:\n  a: # one\n    - x\nb: c\n"),
    Case(
      before: "m:\n  a: !!null # one\nb: c\n", path: ["m", "a"], value: ["x"],
      after: "m:\n  a: # one\n    - x\nb: c\n"),
    Case(
      before: "m:\n  a: !!seq # one\n    # two\n    - x\nb: c\n", path: ["m", "a"], value: [],
      after: "m:\n  a: [] # one # two\nb: c\n"),
  ]

  @Test("All stay", arguments: cases)
  func replacing(example: Case) throws {
    var editor = try YAMLEditor(example.before)
    try editor.set(example.value, at: example.path)
    #expect(editor.text == example.after)
  }

  @Test("A null below its key becomes a list and an empty list again")
  func nullBelow() throws {
    var editor = try YAMLEditor("m:\n  a: # one\n    # two\n    null # three\nb: c\n")
    try editor.append("x", to: ["m", "a"])
    try editor.removeOrEmpty(at: ["m", "a"])
    #expect(editor.text == "m:\n  a: [] # one\n    # two\n    # three\nb: c\n")
  }

  @Test("A text with lines that are indented further is written as a block")
  func indentedText() throws {
    var editor = try YAMLEditor("m:\n  a: |\n    x\n    y\nb: c\n")
    try editor.set("Data:\n    Serial\n\n  z\nend\n", at: ["m", "a"])
    #expect(
      editor.text == "m:\n  a: |\n    Data:\n        Serial\n\n      z\n    end\nb: c\n")
    for text in [" x\ny\n", "x\n  \ny\n"] {
      try editor.set(.string(text), at: ["m", "a"])
      #expect(editor.documents[0]["m"]?["a"]?.text == text)
    }
  }
}
