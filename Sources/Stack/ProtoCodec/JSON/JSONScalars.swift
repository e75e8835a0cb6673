// How scalar fields stand in memory, for the JSON form. The binary format has its own, faster way.

extension JSONWriter {
  /// The address of the value if it is to be written: it is not the default, or it is set.
  func present(_ field: FieldDefinition, _ address: UnsafeRawPointer) -> UnsafeRawPointer? {
    if field.shape == .always || field.shape == .implicit && options.writesDefaults {
      return address
    }
    let isPresent: Bool
    if field.shape == .optional {
      isPresent =
        switch field.type.coding {
        case .varint64, .sint64, .fixed64: address.load(as: UInt64?.self) != nil
        case .int32, .uint32, .sint32, .fixed32: address.load(as: UInt32?.self) != nil
        case .bool: address.load(as: Bool?.self) != nil
        case .string: address.assumingMemoryBound(to: String?.self).pointee != nil
        case .bytes, .message: address.assumingMemoryBound(to: [UInt8]?.self).pointee != nil
        }
    } else {
      isPresent =
        switch field.type.coding {
        case .varint64, .sint64, .fixed64: address.load(as: UInt64.self) != 0
        case .int32, .uint32, .sint32, .fixed32: address.load(as: UInt32.self) != 0
        case .bool: address.load(as: Bool.self)
        case .string: !address.assumingMemoryBound(to: String.self).pointee.isEmpty
        case .bytes, .message: !address.assumingMemoryBound(to: [UInt8].self).pointee.isEmpty
        }
    }
    // A set Optional begins with its payload.
    return isPresent ? address : nil
  }

  /// The value at `value`, which is there.
  mutating func scalar(_ field: FieldDefinition, _ value: UnsafeRawPointer) {
    switch field.type {
    case .double: double(value.load(as: Double.self))
    case .float: float(value.load(as: Float.self))
    case .int64, .sint64, .sfixed64: integerString(value.load(as: Int64.self))
    case .uint64, .fixed64: integerString(value.load(as: UInt64.self))
    case .int32, .sint32, .sfixed32: number(JSONNumber(Int64(value.load(as: Int32.self))))
    case .uint32, .fixed32: number(JSONNumber(UInt64(value.load(as: UInt32.self))))
    case .bool: bool(value.load(as: Bool.self))
    case .string: string(value.assumingMemoryBound(to: String.self).pointee)
    case .bytes, .message: base64(value.assumingMemoryBound(to: [UInt8].self).pointee)
    case .enumeration: enumeration(field.enumeration!(), value.load(as: Int32.self))
    }
  }

  private mutating func enumeration(_ type: EnumType, _ value: Int32) {
    if type.isJSONNull, value == 0 {
      null()
    } else if !options.writesEnumsAsNumbers, let name = type.name(of: value) {
      string(name)
    } else {
      number(JSONNumber(Int64(value)))
    }
  }

  /// A map's key, which JSON has as a string.
  func mapKey(_ field: FieldDefinition, _ key: UnsafeRawPointer) -> String {
    switch field.type.coding {
    case .string: key.assumingMemoryBound(to: String.self).pointee
    case .bool: key.load(as: Bool.self) ? "true" : "false"
    case .varint64, .sint64, .fixed64:
      field.type == .uint64 || field.type == .fixed64
        ? String(key.load(as: UInt64.self)) : String(key.load(as: Int64.self))
    default:
      field.type == .uint32 || field.type == .fixed32
        ? String(key.load(as: UInt32.self)) : String(key.load(as: Int32.self))
    }
  }

  func listCount(_ field: FieldDefinition, _ address: UnsafeRawPointer) -> Int {
    switch field.type {
    case .double: address.assumingMemoryBound(to: [Double].self).pointee.count
    case .float: address.assumingMemoryBound(to: [Float].self).pointee.count
    case .int64, .sint64, .sfixed64: address.assumingMemoryBound(to: [Int64].self).pointee.count
    case .uint64, .fixed64: address.assumingMemoryBound(to: [UInt64].self).pointee.count
    case .uint32, .fixed32: address.assumingMemoryBound(to: [UInt32].self).pointee.count
    case .bool: address.assumingMemoryBound(to: [Bool].self).pointee.count
    case .string: address.assumingMemoryBound(to: [String].self).pointee.count
    case .bytes: address.assumingMemoryBound(to: [[UInt8]].self).pointee.count
    case .int32, .sint32, .sfixed32, .enumeration, .message:
      address.assumingMemoryBound(to: [Int32].self).pointee.count
    }
  }

  /// The addresses of an array's elements.
  mutating func eachElement(
    _ field: FieldDefinition, _ address: UnsafeRawPointer,
    _ body: (inout JSONWriter, UnsafeRawPointer) -> Void
  ) {
    func each<Element>(_ type: Element.Type, _ writer: inout JSONWriter) {
      address.assumingMemoryBound(to: [Element].self).pointee.withUnsafeBufferPointer { list in
        guard let start = list.baseAddress else { return }
        for position in list.indices { body(&writer, UnsafeRawPointer(start + position)) }
      }
    }
    switch field.type {
    case .double: each(Double.self, &self)
    case .float: each(Float.self, &self)
    case .int64, .sint64, .sfixed64: each(Int64.self, &self)
    case .uint64, .fixed64: each(UInt64.self, &self)
    case .uint32, .fixed32: each(UInt32.self, &self)
    case .bool: each(Bool.self, &self)
    case .string: each(String.self, &self)
    case .bytes: each([UInt8].self, &self)
    case .int32, .sint32, .sfixed32, .enumeration, .message: each(Int32.self, &self)
    }
  }
}

extension EnumType {
  /// `google.protobuf.NullValue`, whose only value is JSON's null. Numbers that a peer has sent instead
  /// stay numbers, as with every enum.
  var isJSONNull: Bool { name == "google.protobuf.NullValue" }
}
