@testable import YAML

/// The YAML reader and editor.
///
/// The input is a text, a NUL, and then what is edited.
enum YAMLTargets {
  static let target = FuzzTarget("yaml") { bytes in
    var input = FuzzInput(bytes)
    let text = input.line(until: 0)
    let limits = YAMLLimits(maximumBytes: 1 << 16, maximumDepth: 16, maximumNodes: 4096)
    guard let documents = try? YAMLParser.parse(text, limits: limits) else { return }
    guard let source = try? YAMLEncoding(of: text).decoded(text) else {
      throw Violation("what was read is in no encoding")
    }
    for document in documents { try check(document, within: 0..<source.count) }
    try checkWriting(documents)
    var editor: YAMLEditor
    do {
      editor = try YAMLEditor(text, limits: limits)
    } catch {
      throw Violation("the reader takes it, the editor does not: \(error)")
    }
    try require(editor.bytes == text, "it changes without an edit")
    for _ in 0..<8 where !input.isEmpty { try edit(&editor, &input, limits) }
  }

  private static func check(_ node: YAMLNode, within source: Range<Int>) throws(Violation) {
    try require(
      node.range.lowerBound >= source.lowerBound && node.range.upperBound <= source.upperBound,
      "a node at \(node.range), outside of \(source)")
    try require(node.line > 0 && node.column > 0, "a node at \(node.line):\(node.column)")
    if node.isAlias { return }
    switch node.content {
    case .scalar: break
    case .sequence(let items): for item in items { try check(item, within: source) }
    case .mapping(let entries):
      try require(Set(entries.map(\.name)).count == entries.count, "a key stands twice")
      for entry in entries {
        try check(entry.key, within: source)
        try check(entry.value, within: source)
      }
    }
  }

  /// A tree written afresh means the same.
  private static func checkWriting(_ documents: [YAMLNode]) throws(Violation) {
    for document in documents {
      let value = value(of: document)
      let written = value.document()
      let again: [YAMLNode]
      do {
        again = try YAMLParser.parse(written)
      } catch {
        throw Violation("what was written is refused: \(error)")
      }
      try require(
        again.count == 1 && again[0].isEquivalent(to: value.node), "written it means another thing")
    }
  }

  private static func value(of node: YAMLNode) -> YAMLValue {
    switch node.content {
    case .scalar(let scalar): .string(scalar.text)
    case .sequence(let items): .sequence(items.map(value))
    case .mapping(let entries):
      .mapping(entries.map { YAMLValue.Field($0.name, value(of: $0.value)) })
    }
  }

  /// Makes one edit. It is refused, and nothing changes; or it is made, and what it set is there.
  private static func edit(
    _ editor: inout YAMLEditor, _ input: inout FuzzInput, _ limits: YAMLLimits
  ) throws(Violation) {
    let before = editor.bytes
    let action = input.byte()
    let document = Int(action >> 4 & 1)
    let path = path(in: editor, document, &input)
    let value = values[Int(input.byte()) % values.count]
    do throws(YAMLError) {
      switch action & 3 {
      case 0, 1: try editor.set(value, at: path, document: document)
      case 2: try editor.remove(at: path, document: document)
      default: try editor.append(value, to: path, document: document)
      }
    } catch {
      return try require(editor.bytes == before, "refused, it changes the text")
    }
    guard let parsed = try? YAMLParser.parse(editor.bytes, limits: limits) else {
      throw Violation("the edited text is no YAML")
    }
    let found = parsed[document].node(at: path)
    switch action & 3 {
    case 0, 1: try require(found?.isEquivalent(to: value.node) == true, "what was set is not there")
    case 2:
      if case .key? = path.last { try require(found == nil, "what was removed is there") }
    default:
      try require(
        found?.items?.last?.isEquivalent(to: value.node) == true, "what was appended is not there")
    }
  }

  private static let values: [YAMLValue] = [
    .null, true, 7, "plain", "two\nlines\n", "- # tricky: 'text'", [], [:], ["a", "b"],
    ["key": ["inner": "x"]], [["crt": "QUJD"]], "\u{feff}\u{1f600}\t",
  ]

  /// A way through the tree: each byte picks a child, 255 ends it.
  private static func path(
    in editor: YAMLEditor, _ document: Int, _ input: inout FuzzInput
  ) -> [YAMLPathElement] {
    guard editor.documents.indices.contains(document) else { return ["key"] }
    var path: [YAMLPathElement] = []
    var node = editor.documents[document]
    while !input.isEmpty, path.count < 5 {
      let choice = Int(input.byte())
      if choice == 255 { break }
      if choice >= 250 {
        path.append("added")
        break
      }
      if let entries = node.entries, !entries.isEmpty {
        let entry = entries[choice % entries.count]
        path.append(.key(entry.name))
        node = entry.value
      } else if let items = node.items, !items.isEmpty {
        path.append(.index(choice % items.count))
        node = items[choice % items.count]
      } else {
        break
      }
    }
    return path
  }
}
