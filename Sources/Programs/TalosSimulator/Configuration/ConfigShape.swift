/// What a part of a configuration may be: the field names that Talos' strict decoder knows, and the
/// kinds of their values.
///
/// It is written down in a short notation: names with spaces between, each followed by what the value
/// is. `[]` is a list, `{}` a mapping with names of any kind, `(…)` a mapping with these names, `:bool`,
/// `:int`, `:uint`, `:duration`, `:url` a scalar and `:any` anything. A name with nothing behind it is a
/// text.
indirect enum ConfigShape: Sendable, Equatable {
  enum Scalar: String, Sendable {
    case text
    case bool
    case int
    case uint
    case duration
    case url
  }

  case scalar(Scalar)
  case list(ConfigShape)
  case map(ConfigShape)
  case fields([String: ConfigShape])
  case any

  /// The fields that the notation names; a mistake in the notation ends the program.
  init(_ notation: String) {
    var reader = Reader(rest: notation[...])
    self = .fields(reader.fields())
    precondition(reader.rest.isEmpty, "a shape ends before its end: \(reader.rest)")
  }

  private struct Reader {
    var rest: Substring

    mutating func fields() -> [String: ConfigShape] {
      var found: [String: ConfigShape] = [:]
      skipSpace()
      while let first = rest.first, first != ")" {
        let name = word()
        precondition(!name.isEmpty, "a shape has no name where one belongs: \(rest.prefix(20))")
        found[name] = value()
        skipSpace()
      }
      return found
    }

    private mutating func value() -> ConfigShape {
      switch rest.first {
      case "[":
        rest.removeFirst(2)
        return .list(value())
      case "{":
        rest.removeFirst(2)
        return .map(value())
      case "(":
        rest.removeFirst()
        let inner = fields()
        rest.removeFirst()
        return .fields(inner)
      case ":":
        rest.removeFirst()
        let kind = word()
        if kind == "any" { return .any }
        guard let scalar = Scalar(rawValue: kind) else {
          preconditionFailure("a shape has a value of unknown kind: \(kind)")
        }
        return .scalar(scalar)
      default:
        return .scalar(.text)
      }
    }

    private mutating func word() -> String {
      let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "-" }
      rest = rest.dropFirst(word.count)
      return String(word)
    }

    private mutating func skipSpace() { rest = rest.drop(while: \.isWhitespace) }
  }
}
