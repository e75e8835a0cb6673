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

  /// The comments in a part of the source in which no scalar stands, in order, each from its `#` on.
  func comments(in gap: Range<Int>) -> [String] {
    var found: [String] = []
    var index = gap.lowerBound
    while index < gap.upperBound {
      let isFirst = index == 0 || isBlank(bytes[index - 1]) || isBreak(bytes[index - 1])
      if bytes[index] == UInt8(ascii: "#"), isFirst {
        found.append(restOfLine(index))
        index = lineEnd(index)
      } else {
        index += 1
      }
    }
    return found
  }

  /// The comments within a node that its own text does not hold: behind its tag or anchor, and behind
  /// the `|` or `>` of a block scalar.
  func headComments(_ node: YAMLNode) -> [String] {
    guard !node.isAlias else { return [] }
    let start = min(afterProperties(of: node), node.range.upperBound)
    let style = node.scalar?.style
    let isBlock = style == .literal || style == .folded
    let end = isBlock ? min(lineEnd(start), node.range.upperBound) : start
    return comments(in: node.range.lowerBound..<max(end, node.range.lowerBound))
  }

  /// Where a node's content begins: behind its tag and its anchor.
  func afterProperties(of node: YAMLNode) -> Int {
    var position = node.range.lowerBound
    guard node.hasProperties else { return position }
    while position < count {
      position = skipSpace(position)
      guard position < count,
        bytes[position] == UInt8(ascii: "&") || bytes[position] == UInt8(ascii: "!")
      else { break }
      while position < count, !isBlank(bytes[position]), !isBreak(bytes[position]) {
        position += 1
      }
    }
    return position
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
  /// Whether a tag or an anchor stands before the node's content.
  var hasProperties: Bool { tag != nil || anchor != nil }

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
