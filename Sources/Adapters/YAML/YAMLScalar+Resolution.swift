internal import Encodings

/// What a plain scalar means, as the YAML libraries that read these files decide it: the union of
/// YAML 1.1 and the YAML 1.2 core schema, so that a text taken for a string here is one everywhere.
public enum YAMLScalarKind: Sendable, Hashable { case null, bool, integer, float, string }

extension YAMLNode {
  /// The kind of a scalar: by its tag, else by its style and text. Nil for collections.
  public var kind: YAMLScalarKind? {
    guard let scalar else { return nil }
    switch tag {
    case "tag:yaml.org,2002:str", "!": return .string
    case "tag:yaml.org,2002:null": return .null
    case "tag:yaml.org,2002:bool": return .bool
    case "tag:yaml.org,2002:int": return .integer
    case "tag:yaml.org,2002:float": return .float
    default: break
    }
    return scalar.style == .plain ? YAMLScalar.plainKind(of: scalar.text) : .string
  }

  /// Whether the node is null: nothing, `~` or `null`.
  public var isNull: Bool { kind == .null }

  /// The text of a scalar of any kind but null, as a reader that wants a string takes it.
  public var text: String? {
    guard let scalar, !isNull else { return nil }
    return scalar.text
  }

  /// The value of `true` and `false`, in the forms of YAML 1.2.
  public var bool: Bool? {
    guard kind == .bool, let scalar else { return nil }
    return switch scalar.text {
    case "true", "True", "TRUE": true
    case "false", "False", "FALSE": false
    default: nil
    }
  }

  /// The value of a decimal integer.
  public var integer: Int? {
    guard kind == .integer, let scalar else { return nil }
    return Int(scalar.text)
  }
}

extension YAMLScalar {
  private static let nulls: Set<String> = ["", "~", "null", "Null", "NULL"]
  private static let booleans: Set<String> = [
    "true", "True", "TRUE", "false", "False", "FALSE", "yes", "Yes", "YES", "no", "No", "NO",
    "on", "On", "ON", "off", "Off", "OFF", "y", "Y", "n", "N",
  ]
  private static let floats: Set<String> = [
    ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN",
    ".NAN",
  ]

  /// The kind that an unquoted text has.
  static func plainKind(of text: String) -> YAMLScalarKind {
    if nulls.contains(text) { return .null }
    if booleans.contains(text) { return .bool }
    if floats.contains(text) { return .float }
    return numberKind(of: Array(text.utf8)) ?? .string
  }

  private static func numberKind(of text: [UInt8]) -> YAMLScalarKind? {
    var digits = text[...]
    if let sign = digits.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
      digits.removeFirst()
    }
    guard let first = digits.first else { return nil }
    if first == UInt8(ascii: "0"), digits.count > 2 {
      let rest = digits.dropFirst(2)
      switch digits[digits.startIndex + 1] {
      case UInt8(ascii: "x"):
        return rest.allSatisfy { Hexadecimal.value(of: $0) != nil } ? .integer : nil
      case UInt8(ascii: "o"): return rest.allSatisfy(isDigit) ? .integer : nil
      case UInt8(ascii: "b"): return rest.allSatisfy(isDigit) ? .integer : nil
      default: break
      }
    }
    guard isDigit(first) || first == UInt8(ascii: ".") else { return nil }
    if digits.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: "_") }) { return .integer }
    return isFloat(digits) ? .float : nil
  }

  /// `[0-9_]* . [0-9_]* ([eE] [-+]? [0-9]+)?`, with a digit somewhere before the exponent.
  private static func isFloat(_ text: ArraySlice<UInt8>) -> Bool {
    var sawDigit = false
    var sawPoint = false
    var index = text.startIndex
    while index < text.endIndex {
      let byte = text[index]
      switch byte {
      case _ where isDigit(byte): sawDigit = true
      case UInt8(ascii: "_"): break
      case UInt8(ascii: "."):
        if sawPoint { return false }
        sawPoint = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        var exponent = text[(index + 1)...]
        if let sign = exponent.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
          exponent.removeFirst()
        }
        return sawDigit && !exponent.isEmpty && exponent.allSatisfy(isDigit)
      default: return false
      }
      index += 1
    }
    return sawDigit
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}
