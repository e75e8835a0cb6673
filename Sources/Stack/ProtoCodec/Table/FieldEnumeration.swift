extension Field {
  /// An enum field with implicit presence.
  public static func enumeration<E: ProtoEnum>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, E>, json: String? = nil
  ) -> Self {
    enumeration(E.self, scalar(.enumeration, number, name, path, .single, false, json))
  }

  /// An `optional` enum field.
  public static func enumeration<E: ProtoEnum>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, E?>, json: String? = nil
  ) -> Self {
    enumeration(E.self, scalar(.enumeration, number, name, path, .optional, false, json))
  }

  /// A list of enum values.
  @inlinable public static func enumeration<E: ProtoEnum>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, [E]>, packed: Bool = true,
    json: String? = nil
  ) -> Self {
    var field = scalar(.enumeration, number, name, path, .list, packed, json).definitions[0]
    field.shape = .access
    field.access = FieldAccess(
      stride: MemoryLayout<E>.stride,
      encode: { field, row, writer in
        // E is one Int32 and nothing else, so the elements' bytes are those of Int32s.
        field.assumingMemoryBound(to: [E].self).pointee.withUnsafeBytes { list in
          writer.enumerations(row, list)
        }
      },
      decode: { field, _, reader throws(DecodingError) in
        let list = field.assumingMemoryBound(to: [E].self)
        var numbers: [Int32] = []
        try reader.enumerations(into: &numbers)
        list.pointee.append(contentsOf: numbers.lazy.map { E(rawValue: $0) })
      },
      visit: { field, body throws(JSONEncodingError) in
        for value in field.assumingMemoryBound(to: [E].self).pointee {
          try withUnsafePointer(to: value) { pointer throws(JSONEncodingError) in
            try body(UnsafeRawPointer(pointer))
          }
        }
      },
      insert: { field, fill throws(JSONDecodingError) in
        var number: Int32 = 0
        try withUnsafeMutablePointer(to: &number) { pointer throws(JSONDecodingError) in
          try fill(UnsafeMutableRawPointer(pointer))
        }
        field.assumingMemoryBound(to: [E].self).pointee.append(E(rawValue: number))
      })
    return enumeration(E.self, Field(field))
  }

  @usableFromInline static func enumeration<E: ProtoEnum>(_ type: E.Type, _ field: Self) -> Self {
    precondition(
      MemoryLayout<E>.size == MemoryLayout<Int32>.size,
      "\(type) must have its rawValue as the only stored property")
    var definition = field.definitions[0]
    definition.enumeration = { E.type }
    return Field(definition)
  }
}
