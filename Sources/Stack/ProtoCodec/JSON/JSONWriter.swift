import Encodings

/// Writes JSON, value by value. The caller keeps to the grammar: one value per element and member.
public struct JSONWriter {
  /// What has been written.
  public internal(set) var bytes: [UInt8] = []
  let options: JSONEncodingOptions
  /// Levels of arrays and objects.
  private var level = 0
  /// Whether the innermost array or object is still empty.
  private var isFirst = true
  /// Levels of messages.
  var depth = 0

  public init(options: JSONEncodingOptions = .default) { self.options = options }

  /// The types that an `Any` can be written of.
  public var types: TypeRegistry { options.types }

  public mutating func null() { text("null") }
  public mutating func bool(_ value: Bool) { text(value ? "true" : "false") }
  public mutating func number(_ value: JSONNumber) { bytes.append(contentsOf: value.text.utf8) }

  /// A 64-bit integer, as a string.
  public mutating func integerString(_ value: some FixedWidthInteger) {
    quoted(String(value))
  }

  /// NaN and the infinities are strings.
  public mutating func double(_ value: Double) {
    if let number = JSONNumber(value) { self.number(number) } else { special(value) }
  }

  /// The shortest text that gives the same float back.
  public mutating func float(_ value: Float) {
    if let number = JSONNumber(value) { self.number(number) } else { special(Double(value)) }
  }

  private mutating func special(_ value: Double) {
    quoted(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
  }

  /// Base64.
  public mutating func base64(_ value: [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    Base64.append(value, to: &bytes)
    bytes.append(UInt8(ascii: "\""))
  }

  public mutating func string(_ value: String) { JSONText.append(value, to: &bytes) }

  private mutating func text(_ value: StaticString) {
    bytes.append(
      contentsOf: UnsafeBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount))
  }

  /// A string that needs no escape.
  private mutating func quoted(_ value: String) {
    bytes.append(UInt8(ascii: "\""))
    bytes.append(contentsOf: value.utf8)
    bytes.append(UInt8(ascii: "\""))
  }
}

// MARK: - Arrays and objects

extension JSONWriter {
  public mutating func beginArray() { begin(UInt8(ascii: "[")) }
  public mutating func endArray() { end(UInt8(ascii: "]")) }
  public mutating func beginObject() { begin(UInt8(ascii: "{")) }
  public mutating func endObject() { end(UInt8(ascii: "}")) }

  /// Comes before every element of an array.
  public mutating func element() {
    if !isFirst { bytes.append(UInt8(ascii: ",")) }
    isFirst = false
    lineBreak()
  }

  /// Comes before the value of every member of an object.
  public mutating func key(_ name: String) {
    element()
    string(name)
    bytes.append(UInt8(ascii: ":"))
    if options.isPretty { bytes.append(0x20) }
  }

  private mutating func begin(_ bracket: UInt8) {
    bytes.append(bracket)
    level += 1
    isFirst = true
  }

  private mutating func end(_ bracket: UInt8) {
    level -= 1
    if !isFirst { lineBreak() }
    bytes.append(bracket)
    isFirst = false
  }

  private mutating func lineBreak() {
    guard options.isPretty else { return }
    bytes.append(0x0A)
    bytes.append(contentsOf: repeatElement(0x20, count: 2 * level))
  }

  /// What `body` writes as a member of an object that is still to be begun.
  mutating func aside(
    _ body: (inout JSONWriter) throws(JSONEncodingError) -> Void
  ) throws(JSONEncodingError) -> [UInt8] {
    var outer: [UInt8] = []
    swap(&outer, &bytes)
    let wasFirst = isFirst
    level += 1
    defer {
      swap(&outer, &bytes)
      isFirst = wasFirst
      level -= 1
    }
    try body(&self)
    let written = bytes
    bytes = []
    return written
  }

  /// A whole value.
  public mutating func value(_ value: JSONValue) {
    switch value {
    case .null: null()
    case .bool(let value): bool(value)
    case .number(let value): number(value)
    case .string(let value): string(value)
    case .array(let elements):
      beginArray()
      for element in elements {
        self.element()
        self.value(element)
      }
      endArray()
    case .object(let object):
      beginObject()
      for member in object.members {
        key(member.key)
        self.value(member.value)
      }
      endObject()
    }
  }
}

extension JSONValue {
  /// The text, on one line or with line breaks and two spaces of indentation per level.
  public func text(pretty: Bool = false) -> String {
    String(decoding: utf8(pretty: pretty), as: UTF8.self)
  }

  /// The text as UTF-8.
  public func utf8(pretty: Bool = false) -> [UInt8] {
    var options = JSONEncodingOptions()
    options.isPretty = pretty
    var writer = JSONWriter(options: options)
    writer.value(self)
    return writer.bytes
  }
}
