/// Questions about lines that edits ask of a source text.
struct SourceText {
  let bytes: [UInt8]

  var count: Int { bytes.count }

  /// The line ending of the first line, or a line feed.
  var newline: String {
    guard let feed = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return "\n" }
    return feed > 0 && bytes[feed - 1] == UInt8(ascii: "\r") ? "\r\n" : "\n"
  }

  func isBreak(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
  func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

  /// Where the line that holds `offset` begins (behind a byte order mark).
  func lineStart(_ offset: Int) -> Int {
    var index = offset
    while index > 0, !isBreak(bytes[index - 1]) { index -= 1 }
    return index == 0 && bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? min(3, offset) : index
  }

  /// The line break that ends the line holding `offset`, or the end of the text.
  func lineEnd(_ offset: Int) -> Int {
    var index = offset
    while index < count, !isBreak(bytes[index]) { index += 1 }
    return index
  }

  /// The bytes of the line break at `offset`: 0 at the end of the text.
  func breakLength(_ offset: Int) -> Int {
    guard offset < count, isBreak(bytes[offset]) else { return 0 }
    let isPair =
      bytes[offset] == UInt8(ascii: "\r") && offset + 1 < count
      && bytes[offset + 1] == UInt8(ascii: "\n")
    return isPair ? 2 : 1
  }

  /// The bytes of the line break that ends right before `offset`.
  func breakLength(before offset: Int) -> Int {
    guard offset > 0, isBreak(bytes[offset - 1]) else { return 0 }
    let isPair =
      offset > 1 && bytes[offset - 1] == UInt8(ascii: "\n")
      && bytes[offset - 2] == UInt8(ascii: "\r")
    return isPair ? 2 : 1
  }

  /// Whether only blanks stand between the start of the line and `offset`.
  func beginsLine(_ offset: Int) -> Bool {
    bytes[lineStart(offset)..<offset].allSatisfy(isBlank)
  }

  /// Characters between the start of the line and `offset`.
  func column(_ offset: Int) -> Int {
    bytes[lineStart(offset)..<offset].count { $0 & 0xC0 != 0x80 }
  }

  /// The first byte at or behind `offset` that is no white space, line break or comment.
  func skipSpace(_ offset: Int) -> Int {
    var index = offset
    while index < count {
      if isBlank(bytes[index]) || isBreak(bytes[index]) {
        index += 1
      } else if bytes[index] == UInt8(ascii: "#") {
        index = lineEnd(index)
      } else {
        break
      }
    }
    return index
  }

  /// What stands between `offset` and the end of its line, without trailing blanks.
  func restOfLine(_ offset: Int) -> String {
    var rest = bytes[offset..<lineEnd(offset)]
    while let last = rest.last, isBlank(last) { rest.removeLast() }
    return String(decoding: rest, as: UTF8.self)
  }

  /// Where a node's own text ends: for block scalars before the line break (and blank lines) that
  /// libyaml counts in.
  func contentEnd(_ node: YAMLNode) -> Int {
    let leaf = node.lastLeaf
    guard let style = leaf.scalar?.style, style == .literal || style == .folded, !leaf.isAlias
    else { return node.range.upperBound }
    var end = leaf.range.upperBound
    while true {
      end -= breakLength(before: end)
      let start = lineStart(end)
      guard start > leaf.range.lowerBound, bytes[start..<end].allSatisfy(isBlank) else {
        return end
      }
      end = start
    }
  }

  /// The indentation of a block scalar's lines; nil for any other node and for one without lines.
  func blockIndent(_ node: YAMLNode) -> Int? {
    guard let style = node.scalar?.style, style == .literal || style == .folded, !node.isAlias
    else { return nil }
    let end = contentEnd(node)
    var line = lineEnd(node.range.lowerBound)
    while line < end {
      line += breakLength(line)
      let stop = lineEnd(line)
      if let first = bytes[line..<stop].firstIndex(where: { !isBlank($0) }) { return first - line }
      line = stop
    }
    return nil
  }

  /// Whether the node ends in a block scalar whose trailing blank lines are part of its text.
  func keepsTrailingLines(_ node: YAMLNode) -> Bool {
    let leaf = node.lastLeaf
    guard let style = leaf.scalar?.style, style == .literal || style == .folded, !leaf.isAlias
    else { return false }
    let header = bytes[leaf.range.lowerBound..<lineEnd(leaf.range.lowerBound)]
    return header.prefix { $0 != UInt8(ascii: "#") }.contains(UInt8(ascii: "+"))
  }

  /// The start of the line below a block node, where something can be put behind it; nil when the
  /// text ends without a line break.
  func lineBelow(_ node: YAMLNode) -> Int? {
    if keepsTrailingLines(node) {
      let end = node.lastLeaf.range.upperBound
      return breakLength(before: end) > 0 ? end : nil
    }
    let end = lineEnd(contentEnd(node))
    let length = breakLength(end)
    return length > 0 ? end + length : nil
  }
}

extension YAMLNode {
  /// The last scalar (or empty collection, flow collection, alias) in a block node.
  fileprivate var lastLeaf: YAMLNode {
    var node = self
    while !node.isAlias, !node.isFlow {
      switch node.content {
      case .sequence(let items):
        guard let last = items.last else { return node }
        node = last
      case .mapping(let entries):
        guard let last = entries.last else { return node }
        node = last.value
      case .scalar: return node
      }
    }
    return node
  }
}
