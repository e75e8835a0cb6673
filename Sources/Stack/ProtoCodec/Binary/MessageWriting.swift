extension BackwardWriter {
  /// The message at `base`, without tag and length.
  @inline(__always) mutating func encode(
    _ table: UnsafePointer<CodingTable>, from base: UnsafeRawPointer, before place: Place
  ) -> Place {
    var place = place
    let unknownOffset = table.pointee.unknownOffset
    if unknownOffset >= 0 {
      let unknown = (base + unknownOffset).assumingMemoryBound(to: UnknownFields.self)
      if let bytes = unknown.pointee.storage {
        place = bytes.withUnsafeBytes { raw($0, before: place) }
      }
    }
    let first = UnsafePointer(table.pointee.rows)
    var row = first + table.pointee.count
    while row > first {
      row -= 1
      place = field(row, base + row.pointee.offset, before: place)
    }
    return place
  }

  /// A field that holds one message, tag and length included.
  private mutating func message(
    _ row: UnsafePointer<Row>, _ base: UnsafeRawPointer, before place: Place
  ) -> Place {
    let before = end - place
    let first = encode(row.pointee.table.unsafelyUnwrapped, from: base, before: place)
    return header(row, count: (end - first) &- before, before: first)
  }

  /// The most frequent kinds are told apart by branches, which are predicted better than a jump
  /// through a table, and leave the loop around this small.
  @inline(__always) private mutating func field(
    _ row: UnsafePointer<Row>, _ field: UnsafeRawPointer, before place: Place
  ) -> Place {
    let code = row.pointee.code
    if code == .string {
      let value = field.assumingMemoryBound(to: String.self)
      return value.pointee.isEmpty ? place : string(row, value, before: place)
    }
    if code == .int32 {
      let value = field.load(as: Int32.self)
      if value == 0 { return place }
      return number(row, varint: UInt64(bitPattern: Int64(value)), before: place)
    }
    if code == .access {
      cursor = place
      row.pointee.access.unsafelyUnwrapped._withUnsafeGuaranteedRef {
        $0.encode(field, row, &self)
      }
      return cursor
    }
    if code == .varint64 {
      let value = field.load(as: UInt64.self)
      return value == 0 ? place : number(row, varint: value, before: place)
    }
    if code == .bool {
      return field.load(as: Bool.self) ? number(row, varint: 1, before: place) : place
    }
    return otherField(row, field, before: place)
  }

  @inline(never) private mutating func otherField(
    _ row: UnsafePointer<Row>, _ field: UnsafeRawPointer, before place: Place
  ) -> Place {
    switch row.pointee.code {
    case .uint32:
      let value = field.load(as: UInt32.self)
      if value != 0 { return number(row, varint: UInt64(value), before: place) }
    case .sint32:
      let value = field.load(as: Int32.self)
      if value != 0 { return number(row, varint: UInt64(zigzag(value)), before: place) }
    case .sint64:
      let value = field.load(as: Int64.self)
      if value != 0 { return number(row, varint: zigzag(value), before: place) }
    case .fixed32:
      // Floats come here as bits, so that -0.0, which is not the default, is written.
      let value = field.load(as: UInt32.self)
      if value != 0 { return number(row, fixed: value, before: place) }
    case .fixed64:
      let value = field.load(as: UInt64.self)
      if value != 0 { return number(row, fixed: value, before: place) }
    case .bytes:
      let value = field.assumingMemoryBound(to: [UInt8].self)
      if !value.pointee.isEmpty { return bytes(row, value, before: place) }
    case .list: return list(row, field, before: place)
    case .optionalVarint64, .optionalInt32, .optionalUInt32, .optionalSInt32, .optionalSInt64,
      .optionalFixed32, .optionalFixed64, .optionalBool, .optionalString, .optionalBytes:
      return optional(row, field, before: place)
    default: return always(row.pointee.code, row, field, before: place)
    }
    return place
  }

  @inline(never) private mutating func optional(
    _ row: UnsafePointer<Row>, _ field: UnsafeRawPointer, before place: Place
  ) -> Place {
    switch row.pointee.code {
    case .optionalVarint64:
      if let value = field.load(as: UInt64?.self) {
        return number(row, varint: value, before: place)
      }
    case .optionalInt32:
      if let value = field.load(as: Int32?.self) {
        return number(row, varint: UInt64(bitPattern: Int64(value)), before: place)
      }
    case .optionalUInt32:
      if let value = field.load(as: UInt32?.self) {
        return number(row, varint: UInt64(value), before: place)
      }
    case .optionalSInt32:
      if let value = field.load(as: Int32?.self) {
        return number(row, varint: UInt64(zigzag(value)), before: place)
      }
    case .optionalSInt64:
      if let value = field.load(as: Int64?.self) {
        return number(row, varint: zigzag(value), before: place)
      }
    case .optionalFixed32:
      if let value = field.load(as: UInt32?.self) {
        return number(row, fixed: value, before: place)
      }
    case .optionalFixed64:
      if let value = field.load(as: UInt64?.self) {
        return number(row, fixed: value, before: place)
      }
    case .optionalBool:
      if let value = field.load(as: Bool?.self) {
        return number(row, varint: value ? 1 : 0, before: place)
      }
    case .optionalString:
      // A set Optional starts with its payload.
      if field.assumingMemoryBound(to: String?.self).pointee != nil {
        return string(row, field.assumingMemoryBound(to: String.self), before: place)
      }
    default:
      if field.assumingMemoryBound(to: [UInt8]?.self).pointee != nil {
        return bytes(row, field.assumingMemoryBound(to: [UInt8].self), before: place)
      }
    }
    return place
  }

  @inline(never) private mutating func always(
    _ code: RowCode, _ row: UnsafePointer<Row>, _ field: UnsafeRawPointer, before place: Place
  ) -> Place {
    switch code {
    case .alwaysVarint64: number(row, varint: field.load(as: UInt64.self), before: place)
    case .alwaysInt32:
      number(row, varint: UInt64(bitPattern: Int64(field.load(as: Int32.self))), before: place)
    case .alwaysUInt32: number(row, varint: UInt64(field.load(as: UInt32.self)), before: place)
    case .alwaysSInt32:
      number(row, varint: UInt64(zigzag(field.load(as: Int32.self))), before: place)
    case .alwaysSInt64: number(row, varint: zigzag(field.load(as: Int64.self)), before: place)
    case .alwaysFixed32: number(row, fixed: field.load(as: UInt32.self), before: place)
    case .alwaysFixed64: number(row, fixed: field.load(as: UInt64.self), before: place)
    case .alwaysBool: number(row, varint: field.load(as: Bool.self) ? 1 : 0, before: place)
    case .alwaysString:
      string(row, field.assumingMemoryBound(to: String.self), before: place)
    case .alwaysBytes: bytes(row, field.assumingMemoryBound(to: [UInt8].self), before: place)
    default: message(row, field, before: place)
    }
  }
}

// MARK: - For FieldAccess

extension BackwardWriter {
  /// A field that holds one message.
  @usableFromInline mutating func message(_ row: UnsafePointer<Row>, _ base: UnsafeRawPointer) {
    cursor = message(row, base, before: cursor)
  }

  /// A list of messages that lie `stride` bytes apart.
  @usableFromInline mutating func messages(
    _ row: UnsafePointer<Row>, _ base: UnsafeRawPointer?, _ count: Int, _ stride: Int
  ) {
    guard let base else { return }
    var place = cursor
    var element = base + count * stride
    while element > base {
      element -= stride
      place = message(row, element, before: place)
    }
    cursor = place
  }

  /// The payload of a oneof's case, which is written whatever its value.
  @usableFromInline mutating func payload(_ row: UnsafePointer<Row>, _ value: UnsafeRawPointer) {
    cursor = always(row.pointee.payload, row, value, before: cursor)
  }

  /// A list of enum values, whose memory is that of Int32s.
  @usableFromInline mutating func enumerations(
    _ row: UnsafePointer<Row>, _ list: UnsafeRawBufferPointer
  ) {
    cursor = varints(row, list, Int32.self, before: cursor) { UInt64(bitPattern: Int64($0)) }
  }
}
