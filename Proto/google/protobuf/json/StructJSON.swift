public import ProtoCodec

/// Any JSON object.
extension ProtoStruct: CustomJSONMessage {
  public func writeJSON(to writer: inout JSONWriter) throws(JSONEncodingError) {
    writer.beginObject()
    for (name, value) in fieldValues.sorted(by: { $0.key < $1.key }) {
      writer.key(name)
      try writer.message(value)
    }
    writer.endObject()
  }

  public init(json value: JSONValue, reader: inout JSONReader) throws(JSONDecodingError) {
    guard case .object(let object) = value else {
      throw JSONDecodingError(.wrongKind, "an object was expected, not \(value.kind)")
    }
    self.init()
    for member in object.members {
      try reader.spend(elementsOf: ProtoValue.self)
      fieldValues[member.key] = try reader.message(ProtoValue.self, from: member.value)
    }
  }
}

/// Any JSON value.
extension ProtoValue: CustomJSONMessage {
  public static var acceptsJSONNull: Bool { true }

  public func writeJSON(to writer: inout JSONWriter) throws(JSONEncodingError) {
    switch kind {
    case .null: writer.null()
    case .number(let value):
      guard value.isFinite else { throw JSONEncodingError("a value is not a finite number") }
      writer.double(value)
    case .string(let value): writer.string(value)
    case .bool(let value): writer.bool(value)
    case .structure(let value): try writer.message(value)
    case .list(let value): try writer.message(value)
    case nil: throw JSONEncodingError("a value is not set")
    }
  }

  public init(json value: JSONValue, reader: inout JSONReader) throws(JSONDecodingError) {
    switch value {
    case .null: self.init(.null(.null))
    case .bool(let value): self.init(.bool(value))
    case .string(let value): self.init(.string(value))
    case .number(let value):
      guard let number = value.double else {
        throw JSONDecodingError(.outOfRange, "beyond what a double holds")
      }
      self.init(.number(number))
    case .array: self.init(.list(try reader.message(ProtoListValue.self, from: value)))
    case .object: self.init(.structure(try reader.message(ProtoStruct.self, from: value)))
    }
  }
}

/// Any JSON array.
extension ProtoListValue: CustomJSONMessage {
  public func writeJSON(to writer: inout JSONWriter) throws(JSONEncodingError) {
    writer.beginArray()
    for value in values {
      writer.element()
      try writer.message(value)
    }
    writer.endArray()
  }

  public init(json value: JSONValue, reader: inout JSONReader) throws(JSONDecodingError) {
    guard case .array(let elements) = value else {
      throw JSONDecodingError(.wrongKind, "an array was expected, not \(value.kind)")
    }
    self.init()
    for element in elements {
      try reader.spend(elementsOf: ProtoValue.self)
      values.append(try reader.message(ProtoValue.self, from: element))
    }
  }
}
