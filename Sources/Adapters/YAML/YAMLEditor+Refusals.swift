/// Why an edit is refused, and what to do about it.
extension YAMLEditor {
  /// The reason why a splice would change more than it should, with the place of the splice itself.
  func refusal(of splice: Splice, document: Int) -> YAMLError {
    let place = SourceMap(source).position(ofByte: splice.range.lowerBound)
    var message =
      "the text's layout does not allow this edit without changing other parts: write the field "
      + "as Talos does (key: value, on lines of its own)"
    let anchors = Self.anchors(in: documents[document], within: splice.range)
    if Self.hasAlias(of: anchors, in: documents[document], outside: splice.range) {
      message =
        "its anchor (&) is shared with another field, which is an alias (*) of it: write the value "
        + "out there, without the alias"
    }
    return YAMLError(.unsupported, message, line: place.line, column: place.column)
  }

  /// The names of anchors that stand in a part of the source.
  private static func anchors(in node: YAMLNode, within range: Range<Int>) -> Set<String> {
    guard !node.isAlias, !node.range.isEmpty, node.range.overlaps(range) else { return [] }
    var names: Set<String> = []
    if let anchor = node.anchor, range.contains(node.range.lowerBound) { names.insert(anchor) }
    for child in node.children { names.formUnion(anchors(in: child, within: range)) }
    return names
  }

  private static func hasAlias(
    of names: Set<String>, in node: YAMLNode, outside range: Range<Int>
  ) -> Bool {
    guard !names.isEmpty else { return false }
    if let name = node.aliasedAnchor {
      return names.contains(name) && !range.contains(node.range.lowerBound)
    }
    return node.children.contains { hasAlias(of: names, in: $0, outside: range) }
  }
}

extension YAMLNode {
  /// Items, or keys and values.
  fileprivate var children: [YAMLNode] {
    switch content {
    case .scalar: []
    case .sequence(let items): items
    case .mapping(let entries): entries.flatMap { [$0.key, $0.value] }
    }
  }
}
