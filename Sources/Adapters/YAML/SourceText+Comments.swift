/// Questions about comments and keys that edits ask of a source text.
extension SourceText {
  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  /// Whether a comment stands in a part of the source in which no scalar stands.
  func hasComment(_ range: Range<Int>) -> Bool { bytes[range].contains(UInt8(ascii: "#")) }

  /// Whether a block sequence has comments that belong to none of its items: on the line of its key, or
  /// on lines of their own.
  func hasOwnComments(_ items: [YAMLNode], behind key: YAMLNode) -> Bool {
    var position = contentEnd(key)
    var isBehindKey = true
    for leaf in items.flatMap(\.leaves) {
      let gap = position..<max(position, leaf.range.lowerBound)
      let from = isBehindKey ? gap.lowerBound : min(lineEnd(gap.lowerBound), gap.upperBound)
      if hasComment(from..<gap.upperBound) { return true }
      position = contentEnd(leaf)
      isBehindKey = false
    }
    return false
  }

  /// The comment lines between the end of the first line of a gap and its last line, each with the line
  /// break before it; empty if there are none.
  func commentLines(_ gap: Range<Int>) -> String {
    let first = lineEnd(gap.lowerBound)
    let last = lineStart(gap.upperBound)
    guard first < last else { return "" }
    let lines = first..<(last - breakLength(before: last))
    return !lines.isEmpty && hasComment(lines) ? text(lines) : ""
  }

  /// Where an entry of a mapping begins: its key, or the `?` before it on the same line.
  func entryStart(_ key: YAMLNode) -> Int {
    var index = key.range.lowerBound
    while index > 0, isBlank(bytes[index - 1]) { index -= 1 }
    guard index > 0, index < key.range.lowerBound, bytes[index - 1] == UInt8(ascii: "?") else {
      return key.range.lowerBound
    }
    return index - 1
  }
}

extension YAMLNode {
  /// The scalars, aliases and flow collections of a block node, keys too, in the order of writing.
  fileprivate var leaves: [YAMLNode] {
    if isAlias || isFlow { return [self] }
    switch content {
    case .scalar: return [self]
    case .sequence(let items): return items.flatMap(\.leaves)
    case .mapping(let entries): return entries.flatMap { [$0.key] + $0.value.leaves }
    }
  }
}
