extension WireReader {
  /// Everything up to `end`, into the message at `base`.
  @usableFromInline mutating func decode(
    _ table: UnsafePointer<CodingTable>, into base: UnsafeMutableRawPointer
  ) throws(DecodingError) {
    do {
      try fields(table, base)
    } catch {
      var error = error
      if error.message.isEmpty {
        error.message = table.pointee.layout._withUnsafeGuaranteedRef { $0.name }
      }
      throw error
    }
  }

  @inline(__always) private mutating func fields(
    _ table: UnsafePointer<CodingTable>, _ base: UnsafeMutableRawPointer
  ) throws(DecodingError) {
    let direct = table.pointee.direct
    let directCount = UInt32(truncatingIfNeeded: table.pointee.directCount)
    var place = cursor
    let end = end
    while place < end {
      let before = place
      var tag = UInt32(place.pointee)
      if tag < 0x80, tag >= 8 {
        place += 1
      } else {
        cursor = place
        tag = try longTag()
        place = cursor
      }
      currentTag = tag
      let number = tag >> 3
      let row = number < directCount ? direct[Int(number)] : table.pointee.search(number)
      if let row, row.pointee.tag == tag {
        place = try field(row, base + row.pointee.offset, at: place)
        continue
      }
      cursor = place
      if let row, row.pointee.otherTag == tag {
        try otherField(row.pointee.code, row, base + row.pointee.offset)
      } else {
        try unknown(tag, from: before, table, base)
      }
      place = cursor
    }
    cursor = place
  }

  /// The most frequent kinds are told apart by branches, which are predicted better than a jump
  /// through a table.
  @inline(__always) private mutating func field(
    _ row: UnsafePointer<Row>, _ field: UnsafeMutableRawPointer, at place: Place
  ) throws(DecodingError) -> Place {
    let code = row.pointee.code
    if code == .string {
      cursor = place
      field.assumingMemoryBound(to: String.self).pointee = try string()
      return cursor
    }
    if code == .int32 {
      if place < end, place.pointee < 0x80 {
        field.storeBytes(of: Int32(place.pointee), as: Int32.self)
        return place + 1
      }
      cursor = place
      field.storeBytes(of: Int32(truncatingIfNeeded: try longVarint()), as: Int32.self)
      return cursor
    }
    cursor = place
    if code == .access {
      // The closures are never changed once the table stands.
      let decode = row.pointee.access.unsafelyUnwrapped._withUnsafeGuaranteedRef { $0.decode }
      try decode(field, row, &self)
      return cursor
    }
    if code == .varint64 {
      field.storeBytes(of: try varint(), as: UInt64.self)
      return cursor
    }
    try otherField(code, row, field)
    return cursor
  }

  @inline(never) private mutating func otherField(
    _ code: RowCode, _ row: UnsafePointer<Row>, _ field: UnsafeMutableRawPointer
  ) throws(DecodingError) {
    switch code {
    case .access:
      let decode = row.pointee.access.unsafelyUnwrapped._withUnsafeGuaranteedRef { $0.decode }
      try decode(field, row, &self)
    case .list: try list(row, field)
    case .optionalVarint64: field.storeBytes(of: try varint(), as: UInt64?.self)
    case .optionalInt32:
      field.storeBytes(of: Int32(truncatingIfNeeded: try varint()), as: Int32?.self)
    case .optionalUInt32:
      field.storeBytes(of: UInt32(truncatingIfNeeded: try varint()), as: UInt32?.self)
    case .optionalSInt32:
      field.storeBytes(
        of: unzigzag(UInt32(truncatingIfNeeded: try varint())), as: Int32?.self)
    case .optionalSInt64: field.storeBytes(of: unzigzag(try varint()), as: Int64?.self)
    case .optionalFixed32: field.storeBytes(of: try fixed(UInt32.self), as: UInt32?.self)
    case .optionalFixed64: field.storeBytes(of: try fixed(UInt64.self), as: UInt64?.self)
    case .optionalBool: field.storeBytes(of: try varint() != 0, as: Bool?.self)
    case .optionalString: field.assumingMemoryBound(to: String?.self).pointee = try string()
    case .optionalBytes: field.assumingMemoryBound(to: [UInt8]?.self).pointee = try bytes()
    case .varint64, .alwaysVarint64: field.storeBytes(of: try varint(), as: UInt64.self)
    case .int32, .alwaysInt32, .uint32, .alwaysUInt32:
      field.storeBytes(of: UInt32(truncatingIfNeeded: try varint()), as: UInt32.self)
    case .sint32, .alwaysSInt32:
      field.storeBytes(of: unzigzag(UInt32(truncatingIfNeeded: try varint())), as: Int32.self)
    case .sint64, .alwaysSInt64: field.storeBytes(of: unzigzag(try varint()), as: Int64.self)
    case .fixed32, .alwaysFixed32: field.storeBytes(of: try fixed(UInt32.self), as: UInt32.self)
    case .fixed64, .alwaysFixed64: field.storeBytes(of: try fixed(UInt64.self), as: UInt64.self)
    case .bool, .alwaysBool: field.storeBytes(of: try varint() != 0, as: Bool.self)
    case .string, .alwaysString: field.assumingMemoryBound(to: String.self).pointee = try string()
    case .bytes, .alwaysBytes: field.assumingMemoryBound(to: [UInt8].self).pointee = try bytes()
    case .alwaysMessage: try message(row, into: field)
    }
  }
}

// MARK: - For FieldAccess

extension WireReader {
  /// One message with its length, into `base`; what is there is merged with.
  @usableFromInline mutating func message(
    _ row: UnsafePointer<Row>, into base: UnsafeMutableRawPointer
  ) throws(DecodingError) {
    let count = try length()
    guard depth > 0 else { throw failure(.tooDeep) }
    let outerEnd = end
    end = cursor + count
    depth -= 1
    try decode(row.pointee.table.unsafelyUnwrapped, into: base)
    depth += 1
    end = outerEnd
  }

  /// The payload of a oneof's case.
  @usableFromInline mutating func payload(
    _ row: UnsafePointer<Row>, into field: UnsafeMutableRawPointer
  ) throws(DecodingError) {
    try otherField(row.pointee.payload, row, field)
  }

  /// Whether the same field follows; its tag is then behind the cursor.
  @usableFromInline mutating func continues(_ row: UnsafePointer<Row>) -> Bool {
    let count = Int(row.pointee.tagCount)
    guard end - cursor > count else { return false }
    for position in 0..<count
    where cursor[position] != UInt8(truncatingIfNeeded: row.pointee.tagBytes >> (8 * position)) {
      return false
    }
    cursor += count
    currentTag = row.pointee.tag
    return true
  }

  /// How many of the same length-delimited field stand here in a row, the one whose tag has just been
  /// read included. It is a hint for how much to reserve: as much as the limits allow, at most.
  @usableFromInline mutating func countRun(_ row: UnsafePointer<Row>, stride: Int) -> Int {
    let before = cursor
    defer { cursor = before }
    let most = elementsLeft(stride: stride)
    var count = 0
    repeat {
      guard count < most, let length = try? length() else { break }
      cursor += length
      count += 1
    } while continues(row)
    return count
  }
}

// MARK: - Unknown fields

extension WireReader {
  @inline(never) private mutating func unknown(
    _ tag: UInt32, from before: Place, _ table: UnsafePointer<CodingTable>,
    _ base: UnsafeMutableRawPointer
  ) throws(DecodingError) {
    try skip(tag)
    let offset = table.pointee.unknownOffset
    guard offset >= 0 else { return }
    let bytes = UnsafeRawBufferPointer(start: before, count: cursor - before)
    try spend(bytes.count)
    (base + offset).assumingMemoryBound(to: UnknownFields.self).pointee.append(bytes)
  }

  /// The content of a field whose tag has been read.
  private mutating func skip(_ tag: UInt32) throws(DecodingError) {
    switch WireType(rawValue: tag & 7) {
    case .varint: _ = try varint()
    case .fixed64: _ = try fixed(UInt64.self)
    case .fixed32: _ = try fixed(UInt32.self)
    case .lengthDelimited: cursor += try length()
    case .startGroup: try skipGroup(tag >> 3)
    case .endGroup: throw failure(.unbalancedGroup)
    case nil: throw failure(.invalidTag)
    }
  }

  private mutating func skipGroup(_ groupNumber: UInt32) throws(DecodingError) {
    guard depth > 0 else { throw failure(.tooDeep) }
    depth -= 1
    defer { depth += 1 }
    while cursor < end {
      let tag = try self.tag()
      if tag & 7 == WireType.endGroup.rawValue {
        guard tag >> 3 == groupNumber else { throw failure(.unbalancedGroup) }
        return
      }
      try skip(tag)
    }
    throw failure(.unbalancedGroup)
  }
}
