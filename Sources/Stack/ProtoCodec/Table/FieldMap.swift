/// The protobuf type of a map's keys, and the Swift type that holds them.
public struct MapKey<Key: Hashable & Sendable>: Sendable {
  @usableFromInline let type: FieldType
  @usableFromInline let empty: Key

  @usableFromInline init(_ type: FieldType, _ empty: Key) {
    self.type = type
    self.empty = empty
  }
}

extension MapKey<Int32> {
  public static var int32: Self { Self(.int32, 0) }
  public static var sint32: Self { Self(.sint32, 0) }
  public static var sfixed32: Self { Self(.sfixed32, 0) }
}

extension MapKey<Int64> {
  public static var int64: Self { Self(.int64, 0) }
  public static var sint64: Self { Self(.sint64, 0) }
  public static var sfixed64: Self { Self(.sfixed64, 0) }
}

extension MapKey<UInt32> {
  public static var uint32: Self { Self(.uint32, 0) }
  public static var fixed32: Self { Self(.fixed32, 0) }
}

extension MapKey<UInt64> {
  public static var uint64: Self { Self(.uint64, 0) }
  public static var fixed64: Self { Self(.fixed64, 0) }
}

extension MapKey<Bool> {
  public static var bool: Self { Self(.bool, false) }
}

extension MapKey<String> {
  public static var string: Self { Self(.string, "") }
}

/// The protobuf type of a map's values, and the Swift type that holds them.
public struct MapValue<Value: Equatable & Sendable>: Sendable {
  @usableFromInline let type: FieldType
  @usableFromInline let empty: @Sendable () -> Value
  @usableFromInline var message: (@Sendable () -> MessageLayout)?
  @usableFromInline var enumeration: (@Sendable () -> EnumType)?

  @usableFromInline init(_ type: FieldType, _ empty: @escaping @Sendable () -> Value) {
    self.type = type
    self.empty = empty
  }
}

extension MapValue<Double> {
  public static var double: Self { Self(.double) { 0 } }
}

extension MapValue<Float> {
  public static var float: Self { Self(.float) { 0 } }
}

extension MapValue<Int32> {
  public static var int32: Self { Self(.int32) { 0 } }
  public static var sint32: Self { Self(.sint32) { 0 } }
  public static var sfixed32: Self { Self(.sfixed32) { 0 } }
}

extension MapValue<Int64> {
  public static var int64: Self { Self(.int64) { 0 } }
  public static var sint64: Self { Self(.sint64) { 0 } }
  public static var sfixed64: Self { Self(.sfixed64) { 0 } }
}

extension MapValue<UInt32> {
  public static var uint32: Self { Self(.uint32) { 0 } }
  public static var fixed32: Self { Self(.fixed32) { 0 } }
}

extension MapValue<UInt64> {
  public static var uint64: Self { Self(.uint64) { 0 } }
  public static var fixed64: Self { Self(.fixed64) { 0 } }
}

extension MapValue<Bool> {
  public static var bool: Self { Self(.bool) { false } }
}

extension MapValue<String> {
  public static var string: Self { Self(.string) { "" } }
}

extension MapValue<[UInt8]> {
  public static var bytes: Self { Self(.bytes) { [] } }
}

extension MapValue where Value: Message {
  public static var message: Self {
    var value = Self(.message) { Value() }
    value.message = { Value.fields.layout }
    return value
  }
}

extension MapValue where Value: ProtoEnum {
  public static var enumeration: Self {
    precondition(
      MemoryLayout<Value>.size == MemoryLayout<Int32>.size,
      "\(Value.self) must have its rawValue as the only stored property")
    var value = Self(.enumeration) { Value(rawValue: 0) }
    value.enumeration = { Value.type }
    return value
  }
}

/// One entry of a map, which on the wire is a message with the fields 1 and 2.
@usableFromInline struct MapEntry<Key, Value> {
  @usableFromInline var key: Key
  @usableFromInline var value: Value

  @inlinable init(key: Key, value: Value) {
    self.key = key
    self.value = value
  }

  @inlinable static var valueOffset: Int {
    let alignment = MemoryLayout<Value>.alignment
    return (MemoryLayout<Key>.size + alignment - 1) / alignment * alignment
  }
}

extension Field {
  /// A map, such as `Field.map(6, "labels", key: .string, value: .string, \.labels)`. The values of
  /// messages and enums are `.message` and `.enumeration`.
  @inlinable public static func map<Key, Value>(
    _ number: Int, _ name: String, key: MapKey<Key>, value: MapValue<Value>,
    _ path: KeyPath<Root, [Key: Value]>, json: String? = nil
  ) -> Self {
    let emptyKey = key.empty
    let emptyValue = value.empty
    let access = FieldAccess(
      stride: MemoryLayout<MapEntry<Key, Value>>.stride,
      encode: { field, row, writer in
        for (key, value) in field.assumingMemoryBound(to: [Key: Value].self).pointee {
          let entry = MapEntry(key: key, value: value)
          withUnsafePointer(to: entry) { writer.message(row, UnsafeRawPointer($0)) }
        }
      },
      decode: { field, row, reader throws(DecodingError) in
        let map = field.assumingMemoryBound(to: [Key: Value].self)
        repeat {
          try reader.spend(MemoryLayout<MapEntry<Key, Value>>.stride)
          var entry = MapEntry(key: emptyKey, value: emptyValue())
          try withUnsafeMutablePointer(to: &entry) { pointer throws(DecodingError) in
            try reader.message(row, into: UnsafeMutableRawPointer(pointer))
          }
          map.pointee[entry.key] = entry.value
        } while reader.continues(row)
      },
      visit: { field, body throws(JSONEncodingError) in
        for (key, value) in field.assumingMemoryBound(to: [Key: Value].self).pointee {
          let entry = MapEntry(key: key, value: value)
          try withUnsafePointer(to: entry) { pointer throws(JSONEncodingError) in
            try body(UnsafeRawPointer(pointer))
          }
        }
      },
      insert: { field, fill throws(JSONDecodingError) in
        var entry = MapEntry(key: emptyKey, value: emptyValue())
        try withUnsafeMutablePointer(to: &entry) { pointer throws(JSONDecodingError) in
          try fill(UnsafeMutableRawPointer(pointer))
        }
        let map = field.assumingMemoryBound(to: [Key: Value].self)
        guard map.pointee.updateValue(entry.value, forKey: entry.key) == nil else {
          throw JSONDecodingError(.duplicate, "a key stands twice")
        }
      })
    let keyField = FieldDefinition(
      number: 1, name: "key", type: key.type, shape: .always, offset: 0)
    var valueField = FieldDefinition(
      number: 2, name: "value", type: value.type, shape: .always,
      offset: MapEntry<Key, Value>.valueOffset)
    valueField.message = value.message
    valueField.enumeration = value.enumeration
    var field = FieldDefinition(
      number: number, name: name, type: .message, shape: .access, offset: offset(of: path, name))
    field.isRepeated = true
    field.access = access
    field.customJSONName = json
    field.mapEntry = MessageLayout(
      name: field.mapEntryName, fields: [keyField, valueField], unknownOffset: -1,
      customJSON: nil)
    return Field(field)
  }
}
