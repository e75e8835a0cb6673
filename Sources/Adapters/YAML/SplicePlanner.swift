/// One replacement of bytes of the source.
struct Splice {
  var range: Range<Int>
  var text: String
}

/// Works out which bytes an edit replaces, and by what. Pure: the editor checks and performs it.
struct SplicePlanner {
  let source: SourceText
  private let style: YAMLStyle

  /// - Parameter document: the one that is edited; its indentation is followed, or the others' where
  ///   it has none.
  init(bytes: [UInt8], documents: [YAMLNode], document: Int) {
    source = SourceText(bytes: bytes)
    let edited = documents.indices.contains(document) ? Self.step(of: documents[document]) : nil
    style = YAMLStyle(
      step: edited ?? documents.lazy.compactMap(Self.step).first ?? 4, newline: source.newline)
  }

  /// The indentation in use: how far the first nested block mapping stands to the right.
  private static func step(of node: YAMLNode) -> Int? {
    guard !node.isFlow, !node.isAlias, let entries = node.entries else { return nil }
    for entry in entries where !entry.value.isFlow && !entry.value.isAlias {
      guard let first = entry.value.entries?.first, first.key.line > entry.key.line else {
        continue
      }
      let step = first.key.column - entry.key.column
      if step > 0 { return step }
    }
    return entries.lazy.compactMap { step(of: $0.value) }.first
  }

  // MARK: Replacing

  func replaceRoot(_ root: YAMLNode, with value: YAMLValue) -> Splice {
    Splice(range: root.range.lowerBound..<source.contentEnd(root), text: style.flow(value))
  }

  func replace(
    _ old: YAMLNode, in parent: YAMLNode, at index: Int, with value: YAMLValue
  ) throws(YAMLError) -> Splice {
    if parent.isFlow { return try replaceInFlow(old, in: parent, at: index, with: value) }
    let indicatorEnd = try self.indicatorEnd(of: index, in: parent)
    let column = self.column(of: parent)
    let nested = column + (parent.items == nil ? style.step : 2)
    if style.inline(value, literalIndent: nested) != nil {
      return replaceInline(old, after: indicatorEnd, nested: nested, with: value)
    }
    let end = source.contentEnd(old)
    let isBlockCollection = old.scalar == nil && !old.isFlow && !old.isAlias
    if isBlockCollection || parent.items != nil, !old.range.isEmpty, !old.hasProperties {
      // In place, at the column of what stood there, unless a mapping would come under a dash list
      // that stands at its key's own column.
      let own = source.column(old.range.lowerBound)
      if own > column || value.isSequence && own == column {
        return Splice(range: old.range.lowerBound..<end, text: style.block(value, column: own))
      }
    }
    if parent.items != nil {
      return Splice(range: indicatorEnd..<end, text: " " + style.block(value, column: nested))
    }
    let lead = isBlockCollection ? collectionLead(old, indicatorEnd) : scalarLead(old, indicatorEnd)
    return Splice(
      range: indicatorEnd..<(isBlockCollection ? end : source.lineEnd(end)),
      text: lead + source.newline + style.spaces(nested) + style.block(value, column: nested))
  }

  /// Puts a value on the line of its key or dash.
  private func replaceInline(
    _ old: YAMLNode, after indicatorEnd: Int, nested: Int, with value: YAMLValue
  ) -> Splice {
    let end = source.contentEnd(old)
    let beginsBelow =
      old.scalar == nil && !old.isFlow && !old.isAlias
      && source.lineEnd(indicatorEnd) < old.range.lowerBound
    // What stands behind the value on its line has to stay there, which a literal block rules out;
    // and one at the very end of the text would lose its line break.
    let comment = beginsBelow ? source.restOfLine(indicatorEnd) : source.restOfLine(end)
    var style = style
    style.allowsLiteral = comment.isEmpty && source.lineEnd(end) < source.count
    let written =
      style.requoted(value, like: old)
      ?? style.inline(value, literalIndent: source.blockIndent(old) ?? nested) ?? ""
    let text = Self.firstLine(of: written, newline: style.newline, with: source.headComments(old))
    if beginsBelow {
      let gap = source.commentLines(indicatorEnd..<old.range.lowerBound)
      return Splice(range: indicatorEnd..<end, text: " " + text + comment + gap)
    }
    if old.range.isEmpty {
      return Splice(range: indicatorEnd..<indicatorEnd, text: " " + text)
    }
    return Splice(range: old.range.lowerBound..<end, text: text)
  }

  private func replaceInFlow(
    _ old: YAMLNode, in parent: YAMLNode, at index: Int, with value: YAMLValue
  ) throws(YAMLError) -> Splice {
    let text = style.requoted(value, like: old) ?? style.flow(value)
    guard old.range.isEmpty, let key = parent.entries?[index].key else {
      return Splice(range: old.range, text: text)
    }
    let colon = source.skipSpace(key.range.upperBound)
    if colon < source.count, source.bytes[colon] == UInt8(ascii: ":") {
      return Splice(range: colon + 1..<colon + 1, text: " " + text)
    }
    return Splice(range: key.range.upperBound..<key.range.upperBound, text: ": " + text)
  }

  // MARK: Adding

  /// Puts a new key behind the entry at `index` (-1: the mapping is empty).
  func insert(
    _ field: YAMLValue.Field, into parent: YAMLNode, after index: Int
  ) throws(YAMLError) -> Splice {
    guard let entries = parent.entries else { throw notThere() }
    if parent.isFlow {
      return insertInFlow(style.flow(field), after: index, of: parent, entries.map(\.value))
    }
    let column = self.column(of: parent)
    return insertLines(below: entries[index].value) { style in
      style.spaces(column) + style.field(field, column: column)
    }
  }

  func append(_ value: YAMLValue, to parent: YAMLNode) throws(YAMLError) -> Splice {
    guard let items = parent.items else { throw notThere() }
    if parent.isFlow {
      return insertInFlow(style.flow(value), after: items.count - 1, of: parent, items)
    }
    guard let last = items.last else { throw notThere() }
    let column = self.column(of: parent)
    let indent = source.blockIndent(last)
    return insertLines(below: last) { style in
      style.spaces(column) + "- " + style.item(value, dashColumn: column, literalIndent: indent)
    }
  }

  private func insertLines(below node: YAMLNode, _ lines: (YAMLStyle) -> String) -> Splice {
    if let position = source.lineBelow(node) {
      return Splice(range: position..<position, text: lines(style) + style.newline)
    }
    // The text ends without a line break, and stays so; a literal block would need one.
    var style = style
    style.allowsLiteral = false
    return Splice(range: source.count..<source.count, text: style.newline + lines(style))
  }

  private func insertInFlow(
    _ text: String, after index: Int, of parent: YAMLNode, _ children: [YAMLNode]
  ) -> Splice {
    guard index >= 0 else {
      let position = parent.range.upperBound - 1
      return Splice(range: position..<position, text: text)
    }
    let end = children[index].range.upperBound
    let comma = source.skipSpace(end)
    if comma < source.count, source.bytes[comma] == UInt8(ascii: ",") {
      // Behind the comma that is there; a trailing one stays trailing.
      return Splice(range: comma + 1..<comma + 1, text: " " + text + ",")
    }
    return Splice(range: end..<end, text: ", " + text)
  }

  // MARK: Removing

  /// Removes one of several children, or any child of a flow collection.
  func remove(childAt index: Int, from parent: YAMLNode) throws(YAMLError) -> Splice {
    let starts = try childStarts(of: parent)
    let children = parent.items ?? parent.entries?.map(\.value) ?? []
    let start = starts[index]
    if parent.isFlow { return removeInFlow(index, starts, children) }
    guard source.beginsLine(start) else {
      guard index + 1 < starts.count else { throw notThere() }
      return Splice(range: start..<starts[index + 1], text: "")
    }
    let line = source.lineStart(start)
    if let below = source.lineBelow(children[index]) {
      return Splice(range: line..<below, text: "")
    }
    return Splice(range: line - source.breakLength(before: line)..<source.count, text: "")
  }

  /// Removes a child of a flow collection with one comma. Comments stay.
  private func removeInFlow(_ index: Int, _ starts: [Int], _ children: [YAMLNode]) -> Splice {
    let start = starts[index]
    let end = children[index].range.upperBound
    if index + 1 < starts.count {
      let next = starts[index + 1]
      guard source.hasComment(end..<next) else { return Splice(range: start..<next, text: "") }
      let comma = source.skipSpace(end)
      guard comma < next, source.bytes[comma] == UInt8(ascii: ",") else {
        return Splice(range: start..<next, text: "")
      }
      return Splice(range: start..<comma + 1, text: source.text(end..<comma))
    }
    guard index > 0 else { return Splice(range: start..<end, text: "") }
    let from = children[index - 1].range.upperBound
    let comma = source.skipSpace(from)
    guard source.hasComment(from..<start), comma < start,
      source.bytes[comma] == UInt8(ascii: ",")
    else { return Splice(range: from..<end, text: "") }
    return Splice(
      range: from..<end, text: source.text(from..<comma) + source.text(comma + 1..<start))
  }

  /// Where each child begins: its key, or its dash in a block sequence.
  private func childStarts(of parent: YAMLNode) throws(YAMLError) -> [Int] {
    if let entries = parent.entries { return entries.map { source.entryStart($0.key) } }
    guard let items = parent.items else { throw notThere() }
    return parent.isFlow ? items.map(\.range.lowerBound) : try dashes(of: parent, items)
  }

  // MARK: Places

  /// The column of a block collection's keys or dashes.
  private func column(of parent: YAMLNode) -> Int {
    if let key = parent.entries?.first?.key { return source.column(source.entryStart(key)) }
    if let items = parent.items, let dash = try? dashes(of: parent, items).first {
      return source.column(dash)
    }
    return source.column(parent.range.lowerBound)
  }

  /// The place right behind the colon or dash of a block collection's child.
  private func indicatorEnd(of index: Int, in parent: YAMLNode) throws(YAMLError) -> Int {
    if let items = parent.items { return try dashes(of: parent, items)[index] + 1 }
    guard let entries = parent.entries else { throw notThere() }
    let key = entries[index].key
    var colon = source.contentEnd(key)
    if source.entryStart(key) < key.range.lowerBound {
      // `? key` has its colon on a line of its own.
      colon = source.skipSpace(colon)
    } else {
      while colon < source.count, source.isBlank(source.bytes[colon]) { colon += 1 }
    }
    guard colon < source.count, source.bytes[colon] == UInt8(ascii: ":") else {
      throw YAMLError(
        .unsupported, "its key is of a form that cannot be edited: write it as \"key: value\"",
        line: key.line, column: key.column)
    }
    return colon + 1
  }

  /// Where the dashes of a block sequence stand. Between items there are only line breaks, blanks
  /// and comments.
  private func dashes(of parent: YAMLNode, _ items: [YAMLNode]) throws(YAMLError) -> [Int] {
    var dashes: [Int] = []
    var position = source.afterProperties(of: parent)
    for item in items {
      position = source.skipSpace(position)
      guard position < source.count, source.bytes[position] == UInt8(ascii: "-") else {
        throw notThere()
      }
      dashes.append(position)
      position = source.contentEnd(item)
    }
    return dashes
  }

  private func notThere() -> YAMLError {
    YAMLError(
      .unsupported,
      "it is written in a way that cannot be edited: write it as Talos does (key: value, on lines "
        + "of its own)")
  }
}

extension YAMLValue {
  fileprivate var isSequence: Bool {
    if case .sequence = self { true } else { false }
  }
}
