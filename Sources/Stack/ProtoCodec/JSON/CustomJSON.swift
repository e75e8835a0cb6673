/// A message whose JSON form is not an object with its fields: the well-known types.
public protocol CustomJSONMessage: Message {
  /// Writes exactly one JSON value.
  func writeJSON(to writer: inout JSONWriter) throws(JSONEncodingError)

  /// Reads what `writeJSON` writes.
  init(json value: JSONValue, reader: inout JSONReader) throws(JSONDecodingError)

  /// Whether JSON's null is a value of it, not the absence of one.
  static var acceptsJSONNull: Bool { get }
}

extension CustomJSONMessage {
  public static var acceptsJSONNull: Bool { false }
}

/// A message whose JSON form is that of its only field, with number 1: `google.protobuf.Int32Value`
/// and its like.
public protocol WrapperMessage: CustomJSONMessage {}

extension WrapperMessage {
  public func writeJSON(to writer: inout JSONWriter) throws(JSONEncodingError) {
    let layout = Self.fields.layout
    withUnsafePointer(to: self) { pointer in
      writer.scalar(layout.fields[0], UnsafeRawPointer(pointer) + layout.fields[0].offset)
    }
  }

  public init(json value: JSONValue, reader: inout JSONReader) throws(JSONDecodingError) {
    self.init()
    let field = Self.fields.layout.fields[0]
    try withUnsafeMutablePointer(to: &self) { pointer throws(JSONDecodingError) in
      try reader.scalar(field, value, into: UnsafeMutableRawPointer(pointer) + field.offset)
    }
  }
}

/// `CustomJSONMessage` with the type taken away, for the engine.
@usableFromInline struct CustomJSON: Sendable {
  let write: @Sendable (UnsafeRawPointer, inout JSONWriter) throws(JSONEncodingError) -> Void
  let read:
    @Sendable (UnsafeMutableRawPointer, JSONValue, inout JSONReader)
      throws(JSONDecodingError) -> Void
  let acceptsNull: Bool

  /// Nil for a message in the usual form.
  @usableFromInline init?<Root: Message>(_ type: Root.Type) {
    guard let custom = type as? any CustomJSONMessage.Type else { return nil }
    self.init(opened: custom)
  }

  private init<Custom: CustomJSONMessage>(opened type: Custom.Type) {
    write = { pointer, writer throws(JSONEncodingError) in
      try pointer.assumingMemoryBound(to: Custom.self).pointee.writeJSON(to: &writer)
    }
    read = { pointer, value, reader throws(JSONDecodingError) in
      pointer.assumingMemoryBound(to: Custom.self).pointee = try Custom(
        json: value, reader: &reader)
    }
    acceptsNull = type.acceptsJSONNull
  }
}

/// The names of a message's fields in JSON.
final class JSONNames: Sendable {
  /// By position in the declaration.
  let camelCase: [String]
  /// Positions by either name.
  let positions: [String: Int]

  init(_ fields: [FieldDefinition]) {
    camelCase = fields.map(\.jsonName)
    var positions = Dictionary(
      fields.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { _, new in new })
    for (position, name) in camelCase.enumerated() { positions[name] = position }
    self.positions = positions
  }
}
