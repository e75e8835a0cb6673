/// One case of a oneof, within `Field.oneof`.
///
/// Every function takes the field's number, its name in the .proto, the case's constructor, and a
/// closure that takes the payload out again when the choice is this case:
///
/// ```swift
/// OneofCase.string(4, "name", Choice.name) { if case .name(let value) = $0 { value } else { nil } }
/// ```
public struct OneofCase<Choice: Equatable & Sendable>: Sendable {
  @usableFromInline var definition: FieldDefinition

  @usableFromInline init(_ definition: FieldDefinition) { self.definition = definition }

  @inlinable static func scalar<Value: Sendable>(
    _ type: FieldType, _ number: Int, _ name: String, _ empty: Value, _ json: String?,
    _ embed: @escaping @Sendable (Value) -> Choice,
    _ extract: @escaping @Sendable (Choice) -> Value?
  ) -> Self {
    var definition = FieldDefinition(
      number: number, name: name, type: type, shape: .access, offset: 0)
    definition.customJSONName = json
    definition.access = FieldAccess(
      stride: MemoryLayout<Value>.stride,
      encode: { field, row, writer in
        guard let choice = field.assumingMemoryBound(to: Choice?.self).pointee,
          let value = extract(choice)
        else { return }
        withUnsafePointer(to: value) { writer.payload(row, UnsafeRawPointer($0)) }
      },
      decode: { field, row, reader throws(DecodingError) in
        var value = empty
        try withUnsafeMutablePointer(to: &value) { pointer throws(DecodingError) in
          try reader.payload(row, into: UnsafeMutableRawPointer(pointer))
        }
        field.assumingMemoryBound(to: Choice?.self).pointee = embed(value)
      },
      visit: { field, body throws(JSONEncodingError) in
        guard let choice = field.assumingMemoryBound(to: Choice?.self).pointee,
          let value = extract(choice)
        else { return }
        try withUnsafePointer(to: value) { pointer throws(JSONEncodingError) in
          try body(UnsafeRawPointer(pointer))
        }
      },
      insert: { field, fill throws(JSONDecodingError) in
        var value = empty
        try withUnsafeMutablePointer(to: &value) { pointer throws(JSONDecodingError) in
          try fill(UnsafeMutableRawPointer(pointer))
        }
        field.assumingMemoryBound(to: Choice?.self).pointee = embed(value)
      })
    return OneofCase(definition)
  }

  @inlinable public static func double(
    _ number: Int, _ name: String, _ embed: @escaping @Sendable (Double) -> Choice,
    json: String? = nil, _ extract: @escaping @Sendable (Choice) -> Double?
  ) -> Self {
    scalar(.double, number, name, 0, json, embed, extract)
  }

  @inlinable public static func float(
    _ number: Int, _ name: String, _ embed: @escaping @Sendable (Float) -> Choice,
    json: String? = nil, _ extract: @escaping @Sendable (Choice) -> Float?
  ) -> Self {
    scalar(.float, number, name, 0, json, embed, extract)
  }

  @inlinable public static func int32(
    _ number: Int, _ name: String, _ embed: @escaping @Sendable (Int32) -> Choice,
    json: String? = nil, _ extract: @escaping @Sendable (Choice) -> Int32?
  ) -> Self {
    scalar(.int32, number, name, 0, json, embed, extract)
  }

  @inlinable public static func int64(
    _ number: Int, _ name: String, _ embed: @escaping @Sendable (Int64) -> Choice,
    json: String? = nil, _ extract: @escaping @Sendable (Choice) -> Int64?
  ) -> Self {
    scalar(.int64, number, name, 0, json, embed, extract)
  }

  @inlinable public static func uint32(
    _ number: Int, _ name: String, _ embed: @escaping @Sendable (UInt32) -> Choice,
    json: String? = nil, _ extract: @escaping @Sendable (Choice) -> UInt32?
  ) -> Self {
    scalar(.uint32, number, name, 0, json, embed, extract)
  }

  @inlinable public static func uint64(
    _ number: Int, _ name: String, _ embed: @escaping @Sendable (UInt64) -> Choice,
    json: String? = nil, _ extract: @escaping @Sendable (Choice) -> UInt64?
  ) -> Self {
    scalar(.uint64, number, name, 0, json, embed, extract)
  }

  @inlinable public static func sint32(
    _ number: Int, _ name: String, _ embed: @escaping @Sendable (Int32) -> Choice,
    json: String? = nil, _ extract: @escaping @Sendable (Choice) -> Int32?
  ) -> Self {
    scalar(.sint32, number, name, 0, json, embed, extract)
  }

  @inlinable public static func sint64(
    _ number: Int, _ name: String, _ embed: @escaping @Sendable (Int64) -> Choice,
    json: String? = nil, _ extract: @escaping @Sendable (Choice) -> Int64?
  ) -> Self {
    scalar(.sint64, number, name, 0, json, embed, extract)
  }

  @inlinable public static func fixed32(
    _ number: Int, _ name: String, _ embed: @escaping @Sendable (UInt32) -> Choice,
    json: String? = nil, _ extract: @escaping @Sendable (Choice) -> UInt32?
  ) -> Self {
    scalar(.fixed32, number, name, 0, json, embed, extract)
  }

  @inlinable public static func fixed64(
    _ number: Int, _ name: String, _ embed: @escaping @Sendable (UInt64) -> Choice,
    json: String? = nil, _ extract: @escaping @Sendable (Choice) -> UInt64?
  ) -> Self {
    scalar(.fixed64, number, name, 0, json, embed, extract)
  }

  @inlinable public static func sfixed32(
    _ number: Int, _ name: String, _ embed: @escaping @Sendable (Int32) -> Choice,
    json: String? = nil, _ extract: @escaping @Sendable (Choice) -> Int32?
  ) -> Self {
    scalar(.sfixed32, number, name, 0, json, embed, extract)
  }

  @inlinable public static func sfixed64(
    _ number: Int, _ name: String, _ embed: @escaping @Sendable (Int64) -> Choice,
    json: String? = nil, _ extract: @escaping @Sendable (Choice) -> Int64?
  ) -> Self {
    scalar(.sfixed64, number, name, 0, json, embed, extract)
  }

  @inlinable public static func bool(
    _ number: Int, _ name: String, _ embed: @escaping @Sendable (Bool) -> Choice,
    json: String? = nil, _ extract: @escaping @Sendable (Choice) -> Bool?
  ) -> Self {
    scalar(.bool, number, name, false, json, embed, extract)
  }

  @inlinable public static func string(
    _ number: Int, _ name: String, _ embed: @escaping @Sendable (String) -> Choice,
    json: String? = nil, _ extract: @escaping @Sendable (Choice) -> String?
  ) -> Self {
    scalar(.string, number, name, "", json, embed, extract)
  }

  @inlinable public static func bytes(
    _ number: Int, _ name: String, _ embed: @escaping @Sendable ([UInt8]) -> Choice,
    json: String? = nil, _ extract: @escaping @Sendable (Choice) -> [UInt8]?
  ) -> Self {
    scalar(.bytes, number, name, [], json, embed, extract)
  }

  @inlinable public static func enumeration<E: ProtoEnum>(
    _ number: Int, _ name: String, _ embed: @escaping @Sendable (E) -> Choice,
    json: String? = nil, _ extract: @escaping @Sendable (Choice) -> E?
  ) -> Self {
    precondition(
      MemoryLayout<E>.size == MemoryLayout<Int32>.size,
      "\(E.self) must have its rawValue as the only stored property")
    var field = scalar(.enumeration, number, name, E(rawValue: 0), json, embed, extract)
    field.definition.enumeration = { E.type }
    return field
  }

  @inlinable public static func message<Sub: Message>(
    _ number: Int, _ name: String, _ embed: @escaping @Sendable (Sub) -> Choice,
    json: String? = nil, _ extract: @escaping @Sendable (Choice) -> Sub?
  ) -> Self {
    var definition = FieldDefinition(
      number: number, name: name, type: .message, shape: .access, offset: 0)
    definition.customJSONName = json
    definition.message = { Sub.fields.layout }
    definition.access = FieldAccess(
      stride: MemoryLayout<Sub>.stride,
      encode: { field, row, writer in
        guard let choice = field.assumingMemoryBound(to: Choice?.self).pointee,
          let value = extract(choice)
        else { return }
        withUnsafePointer(to: value) { writer.message(row, UnsafeRawPointer($0)) }
      },
      decode: { field, row, reader throws(DecodingError) in
        let choice = field.assumingMemoryBound(to: Choice?.self)
        // A message that is there already is merged into; taken out of the enum first, so that
        // its lists grow in place.
        var value = choice.pointee.flatMap(extract) ?? Sub()
        choice.pointee = nil
        defer { choice.pointee = embed(value) }
        try withUnsafeMutablePointer(to: &value) { pointer throws(DecodingError) in
          try reader.message(row, into: UnsafeMutableRawPointer(pointer))
        }
      },
      visit: { field, body throws(JSONEncodingError) in
        guard let choice = field.assumingMemoryBound(to: Choice?.self).pointee,
          let value = extract(choice)
        else { return }
        try withUnsafePointer(to: value) { pointer throws(JSONEncodingError) in
          try body(UnsafeRawPointer(pointer))
        }
      },
      insert: { field, fill throws(JSONDecodingError) in
        var value = Sub()
        try withUnsafeMutablePointer(to: &value) { pointer throws(JSONDecodingError) in
          try fill(UnsafeMutableRawPointer(pointer))
        }
        field.assumingMemoryBound(to: Choice?.self).pointee = embed(value)
      })
    return OneofCase(definition)
  }
}

/// Collects the cases of a oneof.
@resultBuilder public enum OneofBuilder<Choice: Equatable & Sendable> {
  @inlinable public static func buildExpression(
    _ field: OneofCase<Choice>
  ) -> [OneofCase<Choice>] { [field] }
  @inlinable public static func buildPartialBlock(
    first: [OneofCase<Choice>]
  ) -> [OneofCase<Choice>] { first }
  @inlinable public static func buildPartialBlock(
    accumulated: [OneofCase<Choice>], next: [OneofCase<Choice>]
  ) -> [OneofCase<Choice>] { accumulated + next }
}

extension Field {
  /// A oneof: an optional enum with a payload per case. A case that holds the message itself makes
  /// the enum `indirect`.
  @inlinable public static func oneof<Choice: Equatable & Sendable>(
    _ name: String, _ path: KeyPath<Root, Choice?>,
    @OneofBuilder<Choice> _ cases: () -> [OneofCase<Choice>]
  ) -> Self {
    let start = offset(of: path, name)
    return Field(
      cases().map { field in
        var definition = field.definition
        definition.offset = start
        definition.oneof = name
        return definition
      })
  }
}
