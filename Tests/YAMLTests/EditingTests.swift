import TestSupport
import Testing

@testable import YAML

@Suite("Editing YAML in place")
struct EditingTests {
  /// One edit, and the text it must give.
  struct Edit: Sendable, CustomTestStringConvertible {
    var title: String
    var before: String
    var after: String
    var edit: @Sendable (inout YAMLEditor) throws(YAMLError) -> Void
    var testDescription: String { title }

    init(
      _ title: String, _ before: String, _ after: String,
      _ edit: @escaping @Sendable (inout YAMLEditor) throws(YAMLError) -> Void
    ) {
      (self.title, self.before, self.after, self.edit) = (title, before, after, edit)
    }
  }

  static let replacing: [Edit] = [
    Edit("a plain scalar before a comment", "a: b # c\nd: e\n", "a: x # c\nd: e\n") {
      editor throws(YAMLError) in try editor.set("x", at: ["a"])
    },
    Edit("quoted scalars", "a: 'b'\nc: [\"d\", 'e']\n", "a: 'it''s'\nc: [\"x\", \"\\n\"]\n") {
      editor throws(YAMLError) in
      try editor.set("it's", at: ["a"])
      try editor.set("x", at: ["c", 0])
      try editor.set("\n", at: ["c", 1])
    },
    Edit("a multi-line plain scalar", "a: b\n  c\n  d # e\nf: g\n", "a: x # e\nf: g\n") {
      editor throws(YAMLError) in try editor.set("x", at: ["a"])
    },
    Edit("a literal block by a scalar", "a: |\n  b\n  c\n\nd: e\n", "a: x\n\nd: e\n") {
      editor throws(YAMLError) in try editor.set("x", at: ["a"])
    },
    Edit("a scalar by a literal block", "m:\n  a: b\nd: e\n", "m:\n  a: |\n    x\n    u\nd: e\n") {
      editor throws(YAMLError) in try editor.set("x\nu\n", at: ["m", "a"])
    },
    Edit(
      "a scalar before a comment by a text of lines", "a: b # c\nd: e\n",
      "a: \"x\\nu\\n\" # c\nd: e\n"
    ) { editor throws(YAMLError) in try editor.set("x\nu\n", at: ["a"]) },
    Edit("the last scalar without a line break by lines", "a: b", "a: \"x\\nu\\n\"") {
      editor throws(YAMLError) in try editor.set("x\nu\n", at: ["a"])
    },
    Edit("a literal block by another", "a: |\n    b\nd: e\n", "a: |\n    x\n    u\nd: e\n") {
      editor throws(YAMLError) in try editor.set("x\nu\n", at: ["a"])
    },
    Edit(
      "a deep literal block by another", "m:\n  a: |-\n       b\n       c\nd: e\n",
      "m:\n  a: |\n       x\n       y\nd: e\n"
    ) { editor throws(YAMLError) in try editor.set("x\ny\n", at: ["m", "a"]) },
    Edit("nothing by a scalar", "a:   # c\nb: d\n", "a: x   # c\nb: d\n") {
      editor throws(YAMLError) in try editor.set("x", at: ["a"])
    },
    Edit("nothing at the end by a scalar", "a:", "a: x") { editor throws(YAMLError) in
      try editor.set("x", at: ["a"])
    },
    Edit("nothing by a mapping", "m:\n  a: # c\n  b: d\n", "m:\n  a: # c\n    x: u\n  b: d\n") {
      editor throws(YAMLError) in try editor.set(["x": "u"], at: ["m", "a"])
    },
    Edit(
      "null by a sequence", "m:\n  a: null # c\n  b: d\n",
      "m:\n  a: # c\n    - x\n    - u\n  b: d\n"
    ) {
      editor throws(YAMLError) in try editor.set(["x", "u"], at: ["m", "a"])
    },
    Edit(
      "an empty flow sequence by items", "a: [] # c\nb: d\n",
      "a: # c\n    - k: v\n      l: w\nb: d\n"
    ) {
      editor throws(YAMLError) in try editor.set([["k": "v", "l": "w"]], at: ["a"])
    },
    Edit(
      "a block mapping by a scalar", "a: # c\n  b: c\n  d: e # f\ng: h\n", "a: x # c # f\ng: h\n"
    ) {
      editor throws(YAMLError) in try editor.set("x", at: ["a"])
    },
    Edit(
      "a block mapping by a mapping", "a:\n   b: c\n   d: e\ng: h\n", "a:\n   x: u\n   z: w\ng: h\n"
    ) {
      editor throws(YAMLError) in try editor.set(["x": "u", "z": "w"], at: ["a"])
    },
    Edit("a sequence at its key's column by another", "a:\n- b\n- c\ng: h\n", "a:\n- x\ng: h\n") {
      editor throws(YAMLError) in try editor.set(["x"], at: ["a"])
    },
    Edit("a flow value", "a: {b: c, d: [e]} # f\n", "a: {b: {x: u}, d: [e]} # f\n") {
      editor throws(YAMLError) in try editor.set(["x": "u"], at: ["a", "b"])
    },
    Edit("a flow value that is not written", "a: {b: , c}\n", "a: {b: x , c: u}\n") {
      editor throws(YAMLError) in
      try editor.set("x", at: ["a", "b"])
      try editor.set("u", at: ["a", "c"])
    },
    Edit("an item by a mapping", "a:\n  - b # c\n  - d\n", "a:\n  - x: u # c\n  - d\n") {
      editor throws(YAMLError) in try editor.set(["x": "u"], at: ["a", 0])
    },
    Edit("an empty item", "a:\n  -\n  - d\n", "a:\n  - x: u\n    z: w\n  - d\n") {
      editor throws(YAMLError) in try editor.set(["x": "u", "z": "w"], at: ["a", 0])
    },
    Edit("an item's field", "a:\n- b: c\n  d: e\n", "a:\n- b: x\n  d: e\n") {
      editor throws(YAMLError) in try editor.set("x", at: ["a", 0, "b"])
    },
    Edit("an alias by a value of its own", "a: &k 1\nb: *k\n", "a: &k 1\nb: x\n") {
      editor throws(YAMLError) in try editor.set("x", at: ["b"])
    },
  ]

  static let adding: [Edit] = [
    Edit("a key at the end", "m:\n  a: b # c\n# d\nn: o\n", "m:\n  a: b # c\n  x: u\n# d\nn: o\n") {
      editor throws(YAMLError) in try editor.set("u", at: ["m", "x"])
    },
    Edit("a key behind another", "m:\n    a: b\n    c: d\n", "m:\n    a: b\n    x: u\n    c: d\n") {
      editor throws(YAMLError) in try editor.set("u", at: ["m", "x"], after: "a")
    },
    Edit("a key without a last line break", "a: b", "a: b\nx: u") { editor throws(YAMLError) in
      try editor.set("u", at: ["x"])
    },
    Edit(
      "a key behind a literal block", "m:\n  a: |\n    b\n\n  # c\nn: o\n",
      "m:\n  a: |\n    b\n  x: u\n\n  # c\nn: o\n"
    ) { editor throws(YAMLError) in try editor.set("u", at: ["m", "x"]) },
    Edit(
      "a key behind a block that keeps its blank lines", "m:\n  a: |+\n    b\n\n\nn: o\n",
      "m:\n  a: |+\n    b\n\n\n  x: u\nn: o\n"
    ) { editor throws(YAMLError) in try editor.set("u", at: ["m", "x"]) },
    Edit("a key to an empty mapping", "m: {}\n", "m: {x: u}\n") { editor throws(YAMLError) in
      try editor.set("u", at: ["m", "x"])
    },
    Edit("a key to null", "m:\nn: o\n", "m:\n    x: u\nn: o\n") { editor throws(YAMLError) in
      try editor.set("u", at: ["m", "x"])
    },
    Edit("a key to a flow mapping", "m: {a: b, c: d }\n", "m: {a: b, x: u, c: d, z: [w] }\n") {
      editor throws(YAMLError) in
      try editor.set("u", at: ["m", "x"], after: "a")
      try editor.set(["w"], at: ["m", "z"])
    },
    Edit("a key behind a trailing comma", "m: {\n  a: b, # c\n}\n", "m: {\n  a: b, x: u, # c\n}\n")
    {
      editor throws(YAMLError) in try editor.set("u", at: ["m", "x"])
    },
    Edit(
      "an item", "a:\n    - b\n    # c\nd: e\n",
      "a:\n    - b\n    - k: v\n      l: w\n    # c\nd: e\n"
    ) {
      editor throws(YAMLError) in try editor.append(["k": "v", "l": "w"], to: ["a"])
    },
    Edit("an item at the key's column", "a:\n- b\nd: e\n", "a:\n- b\n- x\nd: e\n") {
      editor throws(YAMLError) in try editor.append("x", to: ["a"])
    },
    Edit(
      "a literal item", "a:\n  - |-\n    b\n    c\n  # d\n",
      "a:\n  - |-\n    b\n    c\n  - |\n    x\n    u\n  # d\n"
    ) { editor throws(YAMLError) in try editor.append("x\nu\n", to: ["a"]) },
    Edit(
      "a literal item as deep as the one before", "a:\n- |\n      b\n      c\n",
      "a:\n- |\n      b\n      c\n- |\n      x\n      u\n"
    ) { editor throws(YAMLError) in try editor.append("x\nu\n", to: ["a"]) },
    Edit(
      "in the indentation of its own document", "a:\n    b: c\n---\na:\n  b: c\n",
      "a:\n    b: c\n---\na:\n  b: c\n  x:\n    u: v\n"
    ) { editor throws(YAMLError) in try editor.set(["u": "v"], at: ["a", "x"], document: 1) },
    Edit("an item in flow style", "a: [b, 'c'] # d\n", "a: [b, 'c', {k: v}] # d\n") {
      editor throws(YAMLError) in try editor.append(["k": "v"], to: ["a"])
    },
    Edit("the first item in flow style", "a: []\n", "a: [x]\n") { editor throws(YAMLError) in
      try editor.append("x", to: ["a"])
    },
    Edit("the first item to null", "m:\n  a: ~\n", "m:\n  a:\n    - x\n") {
      editor throws(YAMLError) in try editor.append("x", to: ["m", "a"])
    },
    Edit("an item without a last line break", "a:\n  - b", "a:\n  - b\n  - \"x\\nu\\n\"") {
      editor throws(YAMLError) in try editor.append("x\nu\n", to: ["a"])
    },
    Edit(
      "an item of a nested sequence", "a:\n- - b\n  - c\n- d\n", "a:\n- - b\n  - c\n  - x\n- d\n"
    ) {
      editor throws(YAMLError) in try editor.append("x", to: ["a", 0])
    },
    Edit("an item behind an anchor", "a: &k\n  - b\nd: e\n", "a: &k\n  - b\n  - x\nd: e\n") {
      editor throws(YAMLError) in try editor.append("x", to: ["a"])
    },
    Edit(
      "with the line ending of the text", "a: b\r\nc:\r\n  - d\r\n",
      "a: b\r\nx:\r\n    - u\r\nc:\r\n  - d\r\n  - |\r\n    p\r\n    q\r\n"
    ) {
      editor throws(YAMLError) in
      try editor.set(["u"], at: ["x"], after: "a")
      try editor.append("p\nq\n", to: ["c"])
    },
    Edit(
      "in the second document only", "a: b\n--- # two\na: b\n...\n",
      "a: b\n--- # two\na: b\nx: u\n...\n"
    ) {
      editor throws(YAMLError) in try editor.set("u", at: ["x"], document: 1)
    },
  ]

  static let removing: [Edit] = [
    Edit(
      "a key", "m:\n  a: b\n  # above\n  c: d # gone\n  e: f\n", "m:\n  a: b\n  # above\n  e: f\n"
    ) {
      editor throws(YAMLError) in try editor.remove(at: ["m", "c"])
    },
    Edit(
      "a key with a block below it", "a:\n  b:\n    - c\n    - d # x\n# u\ne: f\n", "# u\ne: f\n"
    ) {
      editor throws(YAMLError) in try editor.remove(at: ["a"])
    },
    Edit("the only key", "m: # x\n  a: b\nn: o\n", "m: {} # x\nn: o\n") {
      editor throws(YAMLError) in try editor.remove(at: ["m", "a"])
    },
    Edit("the last key without a last line break", "a: b\nc: d", "a: b") {
      editor throws(YAMLError) in try editor.remove(at: ["c"])
    },
    Edit("the first key of an item", "a:\n  - b: c\n    d: e\n", "a:\n  - d: e\n") {
      editor throws(YAMLError) in try editor.remove(at: ["a", 0, "b"])
    },
    Edit("flow keys", "m: {a: b, c: d, e: f}\n", "m: {c: d}\n") { editor throws(YAMLError) in
      try editor.remove(at: ["m", "a"])
      try editor.remove(at: ["m", "e"])
    },
    Edit("the only flow key", "m: { a: b }\n", "m: {  }\n") { editor throws(YAMLError) in
      try editor.remove(at: ["m", "a"])
    },
    Edit("an item in the middle", "a:\n- b\n- c: d\n  e: f\n# x\n- g\n", "a:\n- b\n# x\n- g\n") {
      editor throws(YAMLError) in try editor.remove(at: ["a", 1])
    },
    Edit("a literal item", "a:\n  - |\n    b\n    c\n  - |\n    d\n", "a:\n  - |\n    d\n") {
      editor throws(YAMLError) in try editor.remove(at: ["a", 0])
    },
    Edit("the only item", "a:\n    - b: c # x\nd: e\n", "a: [] # x\nd: e\n") {
      editor throws(YAMLError) in try editor.remove(at: ["a", 0])
    },
    Edit("the first of a compact sequence", "a:\n- - b\n  - c\n", "a:\n- - c\n") {
      editor throws(YAMLError) in try editor.remove(at: ["a", 0, 0])
    },
    Edit("flow items", "a: [b, {c: d}, e]\n", "a: [{c: d}]\n") { editor throws(YAMLError) in
      try editor.remove(at: ["a", 2])
      try editor.remove(at: ["a", 0])
    },
    Edit("with CRLF", "a: b\r\nc:\r\n  - d\r\n  - e\r\n", "c:\r\n  - d\r\n") {
      editor throws(YAMLError) in
      try editor.remove(at: ["c", 1])
      try editor.remove(at: ["a"])
    },
  ]

  @Test("An edit changes its value and no other byte", arguments: replacing + adding + removing)
  func edits(edit: Edit) throws {
    var editor = try YAMLEditor(edit.before)
    try edit.edit(&editor)
    #expect(editor.text == edit.after)
    #expect(Array(edit.after.utf8) == editor.bytes)
  }

  @Test(
    "The same edits work behind a byte order mark and inside other documents",
    arguments: (replacing + adding + removing).filter { !$0.before.contains("---") })
  func editsElsewhere(edit: Edit) throws {
    var marked = try YAMLEditor("\u{FEFF}" + edit.before)
    try edit.edit(&marked)
    #expect(marked.bytes == Array(("\u{FEFF}" + edit.after).utf8))
    let newline = edit.before.contains("\r\n") ? "\r\n" : "\n"
    let tail = edit.before.hasSuffix("\n") ? "---\(newline)other: 'ä' # keep\(newline)" : ""
    var first = try YAMLEditor("# é\(newline)" + edit.before + tail)
    try edit.edit(&first)
    #expect(first.text == "# é\(newline)" + edit.after + tail)
  }

  @Test("An edit that would change another place is refused and leaves the text")
  func refusals() throws {
    let cases: [(String, @Sendable (inout YAMLEditor) throws(YAMLError) -> Void)] = [
      (
        "a: &k {b: c}\nd: *k\n",
        { editor throws(YAMLError) in try editor.set("x", at: ["a", "b"]) }
      ),
      (
        "a: &k {b: c}\nd: *k\n",
        { editor throws(YAMLError) in try editor.set("x", at: ["d", "b"]) }
      ),
      ("a: &k b\nd: *k\n", { editor throws(YAMLError) in try editor.remove(at: ["a"]) }),
    ]
    for (text, edit) in cases {
      var editor = try YAMLEditor(text)
      let error = #expect(throws: YAMLError.self) { try edit(&editor) }
      #expect(error?.code == .unsupported, "\(text)")
      #expect(editor.text == text)
    }
  }

  @Test("An edit at a place that is not there is refused")
  func paths() throws {
    var editor = try YAMLEditor("a: [b]\nc: d\n")
    for path in [["x", "y"], ["a", "k"], ["a", 3], ["c", "k"], [], ["a", 0, "k"]]
      as [[YAMLPathElement]]
    {
      #expect(throws: YAMLError.self) { try editor.set("v", at: path) }
      #expect(throws: YAMLError.self) { try editor.remove(at: path) }
    }
    #expect(throws: YAMLError.self) { try editor.append("v", to: ["c"]) }
    #expect(throws: YAMLError.self) { try editor.set("v", at: ["a"], document: 1) }
    #expect(editor.text == "a: [b]\nc: d\n")
  }

  @Test("Random edits of random documents are right or refused, and undoing them is possible")
  func randomEdits() throws {
    let seed = RandomSeed()
    var generator = seed.generator
    var performed = 0
    for _ in 0..<2_000 {
      let value = YAMLValue.random(depth: 3, using: &generator)
      guard case .mapping(let fields) = value, !fields.isEmpty else { continue }
      let text =
        Bool.random(using: &generator)
        ? value.document(step: Int.random(in: 1...6, using: &generator)) : YAMLStyle().flow(value)
      var editor = try YAMLEditor(text)
      let field = try #require(fields.randomElement(using: &generator))
      let replacement = YAMLValue.random(depth: 2, using: &generator)
      try editor.set(replacement, at: [.key(field.key)])
      #expect(editor.documents[0][field.key]?.isEquivalent(to: replacement.node) == true, "\(seed)")
      try editor.set(field.value, at: [.key(field.key)])
      #expect(editor.documents[0].isEquivalent(to: value.node), "\(seed)")
      try editor.remove(at: [.key(field.key)])
      #expect(editor.documents[0][field.key] == nil, "\(seed)")
      performed += 1
    }
    #expect(performed > 300, "\(seed)")
  }
}

extension YAMLValue {
  fileprivate static func random(
    depth: Int, using generator: inout some RandomNumberGenerator
  ) -> YAMLValue {
    switch Int.random(in: 0...(depth > 0 ? 6 : 3), using: &generator) {
    case 0: return .null
    case 1: return .integer(Int.random(in: -5...5, using: &generator))
    case 2: return .string(["x", "a b", "true", "", "é"].randomElement(using: &generator) ?? "")
    case 3: return .string("line\nline\n")
    case 4:
      return .sequence(
        (0..<Int.random(in: 0...3, using: &generator)).map { _ in
          random(depth: depth - 1, using: &generator)
        })
    default:
      return .mapping(
        (0..<Int.random(in: 0...3, using: &generator)).map {
          Field("k\($0)", random(depth: depth - 1, using: &generator))
        })
    }
  }
}
