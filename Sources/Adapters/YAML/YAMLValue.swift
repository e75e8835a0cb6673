/// A value to be written: what an edit puts in, or a whole small document.
public indirect enum YAMLValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case integer(Int)
  /// Written so that it is read back as this string, whatever it looks like.
  case string(String)
  case sequence([YAMLValue])
  case mapping([Field])

  /// One `key: value`, in the order of writing.
  public struct Field: Sendable, Hashable {
    public var key: String
    public var value: YAMLValue

    public init(_ key: String, _ value: YAMLValue) {
      self.key = key
      self.value = value
    }
  }
}

extension YAMLValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(arrayLiteral elements: YAMLValue...) { self = .sequence(elements) }

  /// Keeps the order in which the literal is written.
  public init(dictionaryLiteral elements: (String, YAMLValue)...) {
    self = .mapping(elements.map { Field($0.0, $0.1) })
  }
}

extension YAMLValue {
  /// The value as a document of its own, in block style, ending with a line break.
  ///
  /// - Parameter step: spaces per level.
  public func document(step: Int = 4) -> String {
    let style = YAMLStyle(step: step)
    return (style.inline(self, literalIndent: step) ?? style.block(self, column: 0)) + "\n"
  }

  /// The tree that a parser makes of this value, for comparison; it has no place in a source.
  var node: YAMLNode {
    let content: YAMLNode.Content
    switch self {
    case .null: content = .scalar(YAMLScalar(text: "null", style: .plain))
    case .bool(let value): content = .scalar(YAMLScalar(text: "\(value)", style: .plain))
    case .integer(let value): content = .scalar(YAMLScalar(text: "\(value)", style: .plain))
    case .string(let text): content = .scalar(YAMLScalar(text: text, style: .doubleQuoted))
    case .sequence(let items): content = .sequence(items.map(\.node))
    case .mapping(let fields):
      content = .mapping(
        fields.map { YAMLNode.Entry(key: YAMLValue.string($0.key).node, value: $0.value.node) })
    }
    return YAMLNode(content: content, range: 0..<0, line: 0, column: 0)
  }
}
