/// Changes single values of a YAML text and leaves every other byte as it was: comments, order,
/// quoting, indentation, line endings, other documents.
///
/// Every edit is a splice of the source. After each the text is parsed again and compared with what
/// the edit should mean; if anything else changed (an anchor that other places use, a layout that this
/// editor does not know), the edit is refused and the text stays. So a result is either right or an
/// error.
public struct YAMLEditor: Sendable {
  /// The text as it is now, in UTF-8.
  private(set) var source: [UInt8]
  private let encoding: YAMLEncoding
  /// The documents' roots, of the text as it is now.
  public private(set) var documents: [YAMLNode]
  private let limits: YAMLLimits

  public init(_ bytes: [UInt8], limits: YAMLLimits = .default) throws(YAMLError) {
    encoding = YAMLEncoding(of: bytes)
    documents = try YAMLParser.parse(bytes, limits: limits)
    source = try encoding.decoded(bytes)
    self.limits = limits
  }

  public init(_ text: String, limits: YAMLLimits = .default) throws(YAMLError) {
    try self.init(Array(text.utf8), limits: limits)
  }

  /// The text as it is now.
  public var text: String { String(decoding: source, as: UTF8.self) }

  /// The text as it is now, stored as it was.
  public var bytes: [UInt8] { encoding.encoded(source) }

  /// Sets the value at a path: replaces what is there, or adds the last key to its mapping.
  ///
  /// - Parameters:
  ///   - path: the way from the document's root; all but the last step must exist.
  ///   - sibling: the key behind which a new key is put; at the end of the mapping without it.
  public mutating func set(
    _ value: YAMLValue, at path: [YAMLPathElement], document: Int = 0, after sibling: String? = nil
  ) throws(YAMLError) {
    let (parent, last) = try parent(of: path, document: document)
    var expected = documents[document]
    let splice: Splice
    switch (parent.content, last) {
    case (.mapping(let entries), .key(let name)):
      if let index = entries.firstIndex(where: { $0.name == name }) {
        splice = try planner(document).replace(
          entries[index].value, in: parent, at: index, with: value)
        expected.update(path[...]) { $0 = value.node }
      } else {
        let position = sibling.flatMap { key in entries.firstIndex { $0.name == key } }
        let index = position ?? entries.count - 1
        let field = YAMLValue.Field(name, value)
        splice = try planner(document).insert(field, into: parent, after: index)
        expected.update(path.dropLast()) { $0.insert(field, after: index) }
      }
    case (.sequence(let items), .index(let index)) where items.indices.contains(index):
      splice = try planner(document).replace(items[index], in: parent, at: index, with: value)
      expected.update(path[...]) { $0 = value.node }
    case (.scalar, .key(let name)) where parent.isNull:
      return try set(
        .mapping([YAMLValue.Field(name, value)]), at: path.dropLast(), document: document)
    default: throw YAMLError(.invalidPath, "nothing of this kind stands at the path of the edit")
    }
    try perform(splice, document: document, expected: expected)
  }

  /// Removes a key with its value, or an item.
  public mutating func remove(
    at path: [YAMLPathElement], document: Int = 0
  ) throws(YAMLError) {
    let (parent, last) = try parent(of: path, document: document)
    let index: Int
    switch (parent.content, last) {
    case (.mapping(let entries), .key(let name)):
      guard let found = entries.firstIndex(where: { $0.name == name }) else { throw missing() }
      index = found
    case (.sequence(let items), .index(let position)) where items.indices.contains(position):
      index = position
    default: throw missing()
    }
    var expected = documents[document]
    expected.update(path.dropLast()) { $0.removeChild(at: index) }
    let splice: Splice
    if parent.childCount == 1, !parent.isFlow {
      // A block collection cannot be empty.
      splice = try replacement(
        of: path.dropLast(), document: document, with: parent.items == nil ? [:] : [])
    } else {
      splice = try planner(document).remove(childAt: index, from: parent)
    }
    try perform(splice, document: document, expected: expected)
  }

  /// Removes a sequence with its key; if comments of its own stand in it, only its items, so that the
  /// comments stay behind `[]`. A comment on an item's line goes with the item.
  public mutating func removeOrEmpty(
    at path: [YAMLPathElement], document: Int = 0
  ) throws(YAMLError) {
    let (parent, last) = try parent(of: path, document: document)
    guard case .key(let name) = last,
      let entry = parent.entries?.first(where: { $0.name == name }),
      let items = entry.value.items, !entry.value.isFlow, !entry.value.isAlias,
      planner(document).source.hasOwnComments(items, behind: entry.key)
    else { return try remove(at: path, document: document) }
    for index in items.indices.reversed() {
      try remove(at: path + [.index(index)], document: document)
    }
  }

  /// Ends the text with a line break, if it has none.
  ///
  /// A block scalar at the very end then ends in a line break, too, which changes its value.
  ///
  /// - Parameter fields: the paths below which a value may change so.
  public mutating func endLastLine(
    changing fields: [[YAMLPathElement]], document: Int = 0
  ) throws(YAMLError) {
    let source = planner(document).source
    guard documents.indices.contains(document), let last = source.bytes.last,
      !source.isBreak(last)
    else { return }
    let splice = Splice(range: source.count..<source.count, text: source.newline)
    do {
      try perform(splice, document: document, expected: documents[document])
    } catch {
      let path = documents[document].lastPath
      guard fields.contains(where: { path.starts(with: $0) }) else { throw error }
      var expected = documents[document]
      expected.update(path[...]) { node in
        guard let scalar = node.scalar else { return }
        node = YAMLValue.string(scalar.text + "\n").node
      }
      try perform(splice, document: document, expected: expected)
    }
  }

  /// Adds an item at the end of a sequence, or makes the first of one that is null.
  public mutating func append(
    _ value: YAMLValue, to path: [YAMLPathElement], document: Int = 0
  ) throws(YAMLError) {
    let target = try node(at: path, document: document)
    if target.isNull, !path.isEmpty {
      return try set(.sequence([value]), at: path, document: document)
    }
    guard target.items != nil else {
      throw YAMLError(.invalidPath, "no sequence stands at the path of the edit")
    }
    let splice = try planner(document).append(value, to: target)
    var expected = documents[document]
    expected.update(path[...]) { $0.appendItem(value) }
    try perform(splice, document: document, expected: expected)
  }

  private func planner(_ document: Int) -> SplicePlanner {
    SplicePlanner(bytes: source, documents: documents, document: document)
  }

  private func replacement(
    of path: ArraySlice<YAMLPathElement>, document: Int, with value: YAMLValue
  ) throws(YAMLError) -> Splice {
    guard let last = path.last else {
      return planner(document).replaceRoot(documents[document], with: value)
    }
    let parent = try node(at: Array(path.dropLast()), document: document)
    switch (parent.content, last) {
    case (.mapping(let entries), .key(let name)):
      guard let index = entries.firstIndex(where: { $0.name == name }) else { throw missing() }
      return try planner(document).replace(entries[index].value, in: parent, at: index, with: value)
    case (.sequence(let items), .index(let index)) where items.indices.contains(index):
      return try planner(document).replace(items[index], in: parent, at: index, with: value)
    default: throw missing()
    }
  }

  private func missing() -> YAMLError {
    YAMLError(.invalidPath, "nothing stands at the path of the edit")
  }

  /// The node at a path, none of whose steps goes through an alias: what an alias shows belongs to
  /// another place.
  private func node(at path: [YAMLPathElement], document: Int) throws(YAMLError) -> YAMLNode {
    guard documents.indices.contains(document) else {
      throw YAMLError(.invalidPath, "the text has \(documents.count) documents")
    }
    var node = documents[document]
    for element in path {
      guard !node.isAlias else { break }
      guard let next = node.node(at: [element]) else { throw missing() }
      node = next
    }
    guard !node.isAlias else {
      throw YAMLError(
        .unsupported,
        "it is an alias (*) of another place: write its value out here, without the alias",
        line: node.line, column: node.column)
    }
    return node
  }

  private func parent(
    of path: [YAMLPathElement], document: Int
  ) throws(YAMLError) -> (YAMLNode, YAMLPathElement) {
    guard let last = path.last else {
      throw YAMLError(.invalidPath, "an edit needs a path below the root")
    }
    return (try node(at: path.dropLast(), document: document), last)
  }

  /// Makes the change if it means what it should, else leaves the text as it is.
  mutating func perform(
    _ splice: Splice, document: Int, expected: YAMLNode
  ) throws(YAMLError) {
    var changed = source
    changed.replaceSubrange(splice.range, with: Array(splice.text.utf8))
    guard let parsed = try? YAMLParser.parse(source: changed, limits: limits),
      parsed.count == documents.count,
      parsed.indices.allSatisfy({ index in
        parsed[index].isEquivalent(to: index == document ? expected : documents[index])
      })
    else { throw refusal(of: splice, document: document) }
    source = changed
    documents = parsed
  }
}
