/// One node of a parsed document, with the place in the source that it came from.
///
/// Byte ranges refer to the text that was parsed. A range covers the node's properties (tag, anchor)
/// and, of a flow collection or quoted scalar, its delimiters. A block collection ends with its last
/// child; a block scalar with the line break (and blank lines) after its text.
public struct YAMLNode: Sendable {
  public enum Content: Sendable {
    case scalar(YAMLScalar)
    case sequence([YAMLNode])
    case mapping([Entry])
  }

  /// One `key: value` of a mapping, in source order. A value that is not written is a null scalar
  /// with an empty range.
  public struct Entry: Sendable {
    public var key: YAMLNode
    public var value: YAMLNode

    /// The key's text.
    public var name: String { key.scalar?.text ?? "" }
  }

  public var content: Content
  /// The tag as written and resolved (`tag:yaml.org,2002:str`), if one is written.
  public var tag: String?
  /// The name of the anchor that stands on this node, if one does.
  public var anchor: String?
  /// Whether this node is written as an alias; content is then that of the anchor's node, and
  /// ranges inside it point to there.
  public var isAlias = false
  /// The anchor's name, where this node is an alias of it.
  var aliasedAnchor: String?
  /// Whether a collection is written in flow style (`{}`, `[]`).
  public var isFlow = false
  /// Where the node stands, in bytes of the source.
  public var range: Range<Int>
  /// Where it begins: 1-based line and column, in characters.
  public var line: Int
  public var column: Int
  /// Nodes in this tree, aliases counted as what they stand for.
  var weight = 1
}

/// A scalar's text and how it was written.
public struct YAMLScalar: Sendable, Hashable {
  public enum Style: Sendable, Hashable { case plain, singleQuoted, doubleQuoted, literal, folded }

  /// The text after unquoting, unescaping and folding.
  public var text: String
  public var style: Style

  public init(text: String, style: Style) {
    self.text = text
    self.style = style
  }
}

extension YAMLNode {
  /// The scalar, if the node is one.
  public var scalar: YAMLScalar? {
    if case .scalar(let scalar) = content { scalar } else { nil }
  }

  /// The items, if the node is a sequence.
  public var items: [YAMLNode]? {
    if case .sequence(let items) = content { items } else { nil }
  }

  /// The entries, if the node is a mapping.
  public var entries: [Entry]? {
    if case .mapping(let entries) = content { entries } else { nil }
  }

  /// The value of a mapping's key. Merge keys (`<<`) are not followed.
  public subscript(key: String) -> YAMLNode? {
    entries?.first { $0.name == key }?.value
  }

  /// An item of a sequence.
  public subscript(index: Int) -> YAMLNode? {
    guard let items, items.indices.contains(index) else { return nil }
    return items[index]
  }

  /// The node at a path, or nil when something on the way is missing.
  public func node(at path: [YAMLPathElement]) -> YAMLNode? {
    var node = self
    for element in path {
      let next: YAMLNode? =
        switch element {
        case .key(let name): node[name]
        case .index(let index): node[index]
        }
      guard let next else { return nil }
      node = next
    }
    return node
  }

  /// Whether two trees mean the same: equal structure, keys in the same order, scalars of the same
  /// text and kind. Style, comments and places do not count.
  public func isEquivalent(to other: YAMLNode) -> Bool {
    guard tag == other.tag else { return false }
    switch (content, other.content) {
    case (.scalar(let left), .scalar(let right)):
      return kind == other.kind && (isNull || left.text == right.text)
    case (.sequence(let left), .sequence(let right)):
      return left.count == right.count
        && zip(left, right).allSatisfy { $0.isEquivalent(to: $1) }
    case (.mapping(let left), .mapping(let right)):
      return left.count == right.count
        && zip(left, right).allSatisfy {
          $0.key.isEquivalent(to: $1.key) && $0.value.isEquivalent(to: $1.value)
        }
    default: return false
    }
  }
}

/// One step of the way to a node.
public enum YAMLPathElement: Sendable, Hashable, ExpressibleByStringLiteral,
  ExpressibleByIntegerLiteral
{
  case key(String)
  case index(Int)

  public init(stringLiteral value: String) { self = .key(value) }
  public init(integerLiteral value: Int) { self = .index(value) }
}
