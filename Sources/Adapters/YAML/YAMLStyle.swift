internal import Encodings

/// How values are written: indentation, quoting, line ending.
struct YAMLStyle {
  /// Spaces per level of mapping.
  var step = 4
  var newline = "\n"
  /// Whether a text of several lines may be a literal block (`|`); else it is quoted.
  var allowsLiteral = true

  /// A value that begins on the line of its key: a scalar, a literal block, an empty collection.
  /// Nil for a collection that has to begin below.
  ///
  /// - Parameter literalIndent: the column of a literal block's lines.
  func inline(_ value: YAMLValue, literalIndent: Int) -> String? {
    switch value {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .string(let text): literal(text, indent: literalIndent) ?? scalar(text, inFlow: false)
    case .sequence(let items): items.isEmpty ? "[]" : nil
    case .mapping(let fields): fields.isEmpty ? "{}" : nil
    }
  }

  /// A collection in block style whose first line is already indented to `column`; the others bring
  /// their own indentation. Without a final line break.
  func block(_ value: YAMLValue, column: Int) -> String {
    let separator = newline + spaces(column)
    switch value {
    case .sequence(let items) where !items.isEmpty:
      return items.map { "- " + item($0, dashColumn: column) }.joined(separator: separator)
    case .mapping(let fields) where !fields.isEmpty:
      return fields.map { field($0, column: column) }.joined(separator: separator)
    default: return inline(value, literalIndent: column) ?? ""
    }
  }

  /// `key: value` with the key at `column`.
  func field(_ field: YAMLValue.Field, column: Int) -> String {
    let key = scalar(field.key, inFlow: false) + ":"
    let nested = column + step
    if let text = inline(field.value, literalIndent: nested) { return key + " " + text }
    return key + newline + spaces(nested) + block(field.value, column: nested)
  }

  /// What follows `- ` of a sequence whose dashes stand at `dashColumn`.
  ///
  /// - Parameter literalIndent: where the lines of a literal block begin; two behind the dash if nil.
  func item(_ value: YAMLValue, dashColumn: Int, literalIndent: Int? = nil) -> String {
    inline(value, literalIndent: literalIndent ?? dashColumn + 2)
      ?? block(value, column: dashColumn + 2)
  }

  /// A value on one line, in flow style.
  func flow(_ value: YAMLValue) -> String {
    switch value {
    case .null, .bool, .integer: inline(value, literalIndent: 0) ?? ""
    case .string(let text): scalar(text, inFlow: true)
    case .sequence(let items): "[" + items.map(flow).joined(separator: ", ") + "]"
    case .mapping(let fields): "{" + fields.map(flow).joined(separator: ", ") + "}"
    }
  }

  func flow(_ field: YAMLValue.Field) -> String {
    scalar(field.key, inFlow: true) + ": " + flow(field.value)
  }

  /// A string in the quotes that stood around the scalar whose place it takes; nil if there were none,
  /// or if the string does not fit into them on one line.
  func requoted(_ value: YAMLValue, like old: YAMLNode) -> String? {
    guard case .string(let text) = value, let scalar = old.scalar, !old.isAlias,
      text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F })
    else { return nil }
    return switch scalar.style {
    case .doubleQuoted: quoted(text)
    case .singleQuoted: "'" + text.replacing("'", with: "''") + "'"
    case .plain, .literal, .folded: nil
    }
  }

  func spaces(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

  /// A string plain where no reader could take it for anything else, else in double quotes.
  func scalar(_ text: String, inFlow: Bool) -> String {
    isPlainSafe(text, inFlow: inFlow) ? text : quoted(text)
  }

  private func isPlainSafe(_ text: String, inFlow: Bool) -> Bool {
    let bytes = Array(text.utf8)
    guard let first = bytes.first, YAMLScalar.plainKind(of: text) == .string else { return false }
    guard isLetter(first) || first == UInt8(ascii: "/") || isAddress(bytes) else { return false }
    for (index, byte) in bytes.enumerated() {
      switch byte {
      case _ where isLetter(byte), UInt8(ascii: "0")...UInt8(ascii: "9"): continue
      case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "+"),
        UInt8(ascii: "="), UInt8(ascii: "-"), UInt8(ascii: "@"):
        continue
      case UInt8(ascii: ":"):
        let next = index + 1 < bytes.count ? bytes[index + 1] : UInt8(ascii: " ")
        if inFlow || next == UInt8(ascii: " ") { return false }
      default: return false
      }
    }
    return true
  }

  private func isLetter(_ byte: UInt8) -> Bool {
    (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
  }

  /// Four groups of digits: no number in any reader, so it needs no quotes.
  private func isAddress(_ bytes: [UInt8]) -> Bool {
    let groups = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return groups.count == 4
      && groups.allSatisfy { group in
        !group.isEmpty && group.count <= 3
          && group.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      }
  }

  /// A text of several lines that ends in at most one line break, as a literal block; nil when the
  /// text needs quoting to survive.
  private func literal(_ text: String, indent: Int) -> String? {
    guard allowsLiteral, text.utf8.contains(UInt8(ascii: "\n")), !text.hasSuffix("\n\n"),
      text.unicodeScalars.allSatisfy({
        $0 == "\n" || ($0.value >= 0x20 && $0.value < 0x7F)
          || ($0.value >= 0xA0 && $0 != "\u{FEFF}"
            && $0 != "\u{2028}" && $0 != "\u{2029}" && $0.value < 0xFFFE)
      })
    else { return nil }
    let body = text.hasSuffix("\n") ? text.dropLast() : text[...]
    let lines = body.split(separator: "\n", omittingEmptySubsequences: false)
    // The first line says how far the block is indented, so it begins with no blank.
    guard let first = lines.first, !first.isEmpty, !first.hasPrefix(" "),
      !lines.contains(where: { !$0.isEmpty && $0.allSatisfy { $0 == " " } }),
      lines.last?.isEmpty == false
    else { return nil }
    let header = text.hasSuffix("\n") ? "|" : "|-"
    return header
      + lines.map { newline + ($0.isEmpty ? "" : spaces(indent) + $0) }.joined()
  }

  /// A double-quoted string on one line; also valid JSON but for the escapes of control characters.
  private func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case _ where scalar.value < 0x20 || (scalar.value >= 0x7F && scalar.value < 0xA0),
        "\u{2028}", "\u{2029}", "\u{FEFF}":
        out += JSONText.escape(UInt16(scalar.value))
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}
