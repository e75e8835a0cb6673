import Encodings

extension JSONValue {
  /// What a parser accepts from a peer that is not trusted.
  public struct ParsingLimits: Sendable, Hashable {
    /// Levels of arrays and objects.
    public var maximumDepth: Int
    /// Size of the text in bytes.
    public var maximumBytes: Int
    /// What becomes of a key that stands twice in an object: refused, or the last value counts.
    public var allowsDuplicateKeys: Bool

    public init(
      maximumDepth: Int = 100, maximumBytes: Int = 1 << 28, allowsDuplicateKeys: Bool = false
    ) {
      self.maximumDepth = maximumDepth
      self.maximumBytes = maximumBytes
      self.allowsDuplicateKeys = allowsDuplicateKeys
    }
  }

  /// Parses a text that is one JSON value and nothing else, strictly by RFC 8259.
  public init(
    parsing text: [UInt8], limits: ParsingLimits = ParsingLimits()
  ) throws(JSONDecodingError) {
    self = try text.withUnsafeBufferPointer { bytes throws(JSONDecodingError) in
      var parser = JSONParser(bytes, limits)
      return try parser.document()
    }
  }

  /// The same for a string.
  public init(
    parsing text: String, limits: ParsingLimits = ParsingLimits()
  ) throws(JSONDecodingError) {
    self = try JSONValue(parsing: Array(text.utf8), limits: limits)
  }
}

/// A recursive-descent parser; the depth limit bounds its stack.
struct JSONParser {
  private let bytes: UnsafeBufferPointer<UInt8>
  private let limits: JSONValue.ParsingLimits
  private var position = 0
  private var depth = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>, _ limits: JSONValue.ParsingLimits) {
    self.bytes = bytes
    self.limits = limits
  }

  static func isNumber(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var parser = JSONParser(bytes, JSONValue.ParsingLimits())
    return (try? parser.number()) != nil && parser.position == bytes.count
  }

  mutating func document() throws(JSONDecodingError) -> JSONValue {
    guard bytes.count <= limits.maximumBytes else {
      throw JSONDecodingError(.tooLarge, "the text is too large")
    }
    let value = try self.value()
    skipSpace()
    guard position == bytes.count else { throw fault("something follows the value") }
    return value
  }

  private func fault(
    _ reason: String, _ code: JSONDecodingError.Code = .syntax
  ) -> JSONDecodingError {
    JSONDecodingError(code, reason, offset: position)
  }

  /// 0 at the end, which no token begins with.
  @inline(__always) private var next: UInt8 { position < bytes.count ? bytes[position] : 0 }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  private mutating func value() throws(JSONDecodingError) -> JSONValue {
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
    case UInt8(ascii: "t"):
      try word("true")
      return .bool(true)
    case UInt8(ascii: "f"):
      try word("false")
      return .bool(false)
    case UInt8(ascii: "n"):
      try word("null")
      return .null
    default:
      throw fault(position < bytes.count ? "a value was expected" : "the text ends too early")
    }
  }

  private mutating func word(_ expected: StaticString) throws(JSONDecodingError) {
    let count = expected.utf8CodeUnitCount
    for offset in 0..<count {
      guard position + offset < bytes.count,
        bytes[position + offset] == expected.utf8Start[offset]
      else { throw fault("a value was expected") }
    }
    position += count
  }

  private mutating func enter() throws(JSONDecodingError) {
    depth += 1
    guard depth <= limits.maximumDepth else { throw fault("nested too deeply", .tooDeep) }
    position += 1
  }

  private mutating func array() throws(JSONDecodingError) -> JSONValue {
    try enter()
    defer { depth -= 1 }
    var elements: [JSONValue] = []
    skipSpace()
    if next == UInt8(ascii: "]") {
      position += 1
      return .array(elements)
    }
    while true {
      elements.append(try value())
      skipSpace()
      switch next {
      case UInt8(ascii: ","): position += 1
      case UInt8(ascii: "]"):
        position += 1
        return .array(elements)
      default: throw fault("',' or ']' was expected")
      }
    }
  }

  private mutating func object() throws(JSONDecodingError) -> JSONValue {
    try enter()
    defer { depth -= 1 }
    var object = JSONObject()
    skipSpace()
    if next == UInt8(ascii: "}") {
      position += 1
      return .object(object)
    }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw fault("a key was expected") }
      let keyPosition = position
      let key = try string()
      skipSpace()
      guard next == UInt8(ascii: ":") else { throw fault("':' was expected") }
      position += 1
      let value = try self.value()
      let before = object.count
      object[key] = value
      if object.count == before, !limits.allowsDuplicateKeys {
        position = keyPosition
        throw fault("a key stands twice", .duplicate)
      }
      skipSpace()
      switch next {
      case UInt8(ascii: ","): position += 1
      case UInt8(ascii: "}"):
        position += 1
        return .object(object)
      default: throw fault("',' or '}' was expected")
      }
    }
  }

  private mutating func digits() throws(JSONDecodingError) {
    let before = position
    while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) { position += 1 }
    if position == before { throw fault("a digit was expected") }
  }

  private mutating func number() throws(JSONDecodingError) -> JSONNumber {
    let start = position
    if next == UInt8(ascii: "-") { position += 1 }
    if next == UInt8(ascii: "0") { position += 1 } else { try digits() }
    if next == UInt8(ascii: ".") {
      position += 1
      try digits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      position += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
    let text = UnsafeBufferPointer(rebasing: bytes[start..<position])
    return JSONNumber(validText: String(decoding: text, as: UTF8.self))
  }
}

// MARK: - Strings

extension JSONParser {
  private mutating func string() throws(JSONDecodingError) -> String {
    position += 1
    let start = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        let value = try text(UnsafeBufferPointer(rebasing: bytes[start..<position]))
        position += 1
        return value
      case UInt8(ascii: "\\"): return try escapedString(from: start)
      case 0..<0x20: throw fault("a control character stands in a string")
      default: position += 1
      }
    }
    throw fault("a string does not end")
  }

  private func text(
    _ utf8: UnsafeBufferPointer<UInt8>
  ) throws(JSONDecodingError) -> String {
    guard let value = String(validating: utf8, as: UTF8.self) else {
      throw fault("a string is not UTF-8", .invalidUTF8)
    }
    return value
  }

  /// A string with escapes; `position` is at the first.
  private mutating func escapedString(from start: Int) throws(JSONDecodingError) -> String {
    var utf8 = Array(bytes[start..<position])
    while position < bytes.count {
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\""):
        let value = try utf8.withUnsafeBufferPointer { all throws(JSONDecodingError) in
          try text(all)
        }
        position += 1
        return value
      case UInt8(ascii: "\\"): try escape(into: &utf8)
      case 0..<0x20: throw fault("a control character stands in a string")
      default:
        utf8.append(byte)
        position += 1
      }
    }
    throw fault("a string does not end")
  }

  private mutating func escape(into utf8: inout [UInt8]) throws(JSONDecodingError) {
    position += 1
    do throws(JSONText.EscapeFault) {
      try JSONText.readEscape(bytes.span, at: &position, to: &utf8)
    } catch {
      switch error {
      case .unknown: throw fault("an escape that JSON does not have")
      case .noHexadecimalDigit: throw fault("a hexadecimal digit was expected")
      case .halfCharacter: throw fault("an escape stands for half a character", .invalidUTF8)
      }
    }
  }
}
