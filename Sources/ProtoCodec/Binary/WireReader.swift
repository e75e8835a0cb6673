/// Reads the binary format.
///
/// `cursor` moves to `end`, the end of the innermost message; nothing is ever read behind it.
@usableFromInline struct WireReader {
  private(set) var cursor: UnsafePointer<UInt8>
  private var end: UnsafePointer<UInt8>
  private let start: UnsafePointer<UInt8>
  /// Levels of messages that may still be entered.
  private var depth: Int
  /// Bytes of memory that list elements may still take.
  private var memory: Int
  /// The tag of the field being read; 0 before the first.
  private var currentTag: UInt32 = 0

  /// - Parameter start: `count` bytes, which must stay where they are while the reader is used.
  @usableFromInline init(start: UnsafeRawPointer, count: Int, limits: DecodingLimits) {
    self.start = start.assumingMemoryBound(to: UInt8.self)
    cursor = self.start
    end = cursor + count
    depth = limits.maximumDepth
    memory = limits.maximumMemory
  }

  @inline(never) func failure(_ code: DecodingError.Code) -> DecodingError {
    DecodingError(code, offset: cursor - start, field: Int(currentTag >> 3))
  }

  /// Takes `count` bytes of memory from what the limits allow.
  @usableFromInline @inline(__always) mutating func spend(_ count: Int) throws(DecodingError) {
    memory -= count
    if memory < 0 { throw failure(.tooManyElements) }
  }
}

// MARK: - Numbers

extension WireReader {
  @inline(__always) private mutating func varint() throws(DecodingError) -> UInt64 {
    if cursor < end, cursor.pointee < 0x80 {
      let value = UInt64(cursor.pointee)
      cursor += 1
      return value
    }
    return try longVarint()
  }

  private mutating func longVarint() throws(DecodingError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    var next = cursor
    while next < end {
      let byte = next.pointee
      next += 1
      // Bits beyond the 64th of a ten-byte varint are dropped, as everywhere.
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 {
        cursor = next
        return value
      }
      shift += 7
      if shift > 63 { throw failure(.malformedVarint) }
    }
    throw failure(.truncated)
  }

  /// A tag, which has at most five bytes and a field number that is not 0.
  @inline(__always) private mutating func tag() throws(DecodingError) -> UInt32 {
    let first = cursor.pointee
    if first < 0x80, first >= 8 {
      cursor += 1
      return UInt32(first)
    }
    return try longTag()
  }

  private mutating func longTag() throws(DecodingError) -> UInt32 {
    currentTag = 0
    let before = cursor
    let value = try longVarint()
    guard cursor - before <= 5, value <= UInt64(UInt32.max), value >= 8 else {
      cursor = before
      throw failure(.invalidTag)
    }
    return UInt32(value)
  }

  /// The length of what follows, which lies within the message.
  @inline(__always) private mutating func length() throws(DecodingError) -> Int {
    let value = try varint()
    guard value <= UInt64(end - cursor) else { throw failure(.truncated) }
    return Int(truncatingIfNeeded: value)
  }

  @inline(__always) private mutating func fixed<T: FixedWidthInteger>(
    _ type: T.Type
  ) throws(DecodingError) -> T {
    guard end - cursor >= MemoryLayout<T>.size else { throw failure(.truncated) }
    let value = UnsafeRawPointer(cursor).loadUnaligned(as: T.self)
    cursor += MemoryLayout<T>.size
    return T(littleEndian: value)
  }

  @inline(__always) private mutating func string() throws(DecodingError) -> String {
    let count = try length()
    let bytes = UnsafeBufferPointer(start: cursor, count: count)
    guard let value = String(validating: bytes, as: UTF8.self) else {
      throw failure(.invalidUTF8)
    }
    cursor += count
    return value
  }

  @inline(__always) private mutating func bytes() throws(DecodingError) -> [UInt8] {
    let count = try length()
    let value = [UInt8](UnsafeBufferPointer(start: cursor, count: count))
    cursor += count
    return value
  }
}

// MARK: - Messages

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
    while cursor < end {
      let before = cursor
      let tag = try self.tag()
      let fieldNumber = tag >> 3
      currentTag = tag
      let row =
        fieldNumber < directCount
        ? direct[Int(fieldNumber)] : table.pointee.search(fieldNumber)
      if let row, row.pointee.tag == tag || row.pointee.otherTag == tag {
        try field(row, base)
      } else {
        try unknown(tag, from: before, table, base)
      }
    }
  }

  @inline(__always) private mutating func field(
    _ row: UnsafePointer<Row>, _ base: UnsafeMutableRawPointer
  ) throws(DecodingError) {
    let field = base + row.pointee.offset
    switch row.pointee.code {
    case .access:
      // The closures are never changed once the table stands.
      let access = row.pointee.access.unsafelyUnwrapped._withUnsafeGuaranteedRef { $0.decode }
      try access(field, row, &self)
    case .list:
      try list(row, field)
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
    case .alwaysMessage: try message(row, into: field)
    default: try plain(row.pointee.code, field)
    }
  }

  /// A value that is stored as it is, whether it has implicit presence or is always written.
  @inline(__always) private mutating func plain(
    _ code: RowCode, _ field: UnsafeMutableRawPointer
  ) throws(DecodingError) {
    switch code {
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
    default: preconditionFailure("a table has a row that is not a plain value")
    }
  }

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
    try plain(row.pointee.payload, field)
  }

  /// Whether the same field follows; its tag is then behind the cursor.
  @usableFromInline @inline(__always) mutating func continues(_ row: UnsafePointer<Row>) -> Bool {
    let count = Int(row.pointee.tagCount)
    guard end - cursor > count else { return false }
    if count == 1 {
      guard cursor.pointee == UInt8(truncatingIfNeeded: row.pointee.tagBytes) else { return false }
    } else {
      for position in 0..<count
      where cursor[position] != UInt8(truncatingIfNeeded: row.pointee.tagBytes >> (8 * position)) {
        return false
      }
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
    let most = memory / max(stride, 1)
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
  private mutating func unknown(
    _ tag: UInt32, from before: UnsafePointer<UInt8>, _ table: UnsafePointer<CodingTable>,
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

// MARK: - Lists

extension WireReader {
  @inline(never) private mutating func list(
    _ row: UnsafePointer<Row>, _ field: UnsafeMutableRawPointer
  ) throws(DecodingError) {
    // Both forms are accepted, whichever the schema asks for.
    let isPacked = currentTag & 7 == WireType.lengthDelimited.rawValue
    switch row.pointee.type {
    case .int64:
      try varints(isPacked, field, Int64.self) { Int64(bitPattern: $0) }
    case .uint64:
      try varints(isPacked, field, UInt64.self) { $0 }
    case .int32, .enumeration:
      try varints(isPacked, field, Int32.self) { Int32(truncatingIfNeeded: $0) }
    case .uint32:
      try varints(isPacked, field, UInt32.self) { UInt32(truncatingIfNeeded: $0) }
    case .sint32:
      try varints(isPacked, field, Int32.self) { unzigzag(UInt32(truncatingIfNeeded: $0)) }
    case .sint64:
      try varints(isPacked, field, Int64.self) { unzigzag($0) }
    case .bool:
      try varints(isPacked, field, Bool.self) { $0 != 0 }
    case .fixed32: try fixedNumbers(isPacked, field, UInt32.self)
    case .sfixed32: try fixedNumbers(isPacked, field, Int32.self)
    case .float: try fixedNumbers(isPacked, field, Float.self)
    case .fixed64: try fixedNumbers(isPacked, field, UInt64.self)
    case .sfixed64: try fixedNumbers(isPacked, field, Int64.self)
    case .double: try fixedNumbers(isPacked, field, Double.self)
    case .string:
      let values = field.assumingMemoryBound(to: [String].self)
      repeat {
        try spend(MemoryLayout<String>.stride)
        values.pointee.append(try string())
      } while continues(row)
    case .bytes, .message:
      let values = field.assumingMemoryBound(to: [[UInt8]].self)
      repeat {
        try spend(MemoryLayout<[UInt8]>.stride)
        values.pointee.append(try bytes())
      } while continues(row)
    }
  }

  @inline(__always) private mutating func varints<T: BitwiseCopyable>(
    _ isPacked: Bool, _ field: UnsafeMutableRawPointer, _ type: T.Type, _ value: (UInt64) -> T
  ) throws(DecodingError) {
    let values = field.assumingMemoryBound(to: [T].self)
    try varints(isPacked, into: &values.pointee, value)
  }

  @inline(__always) private mutating func varints<T: BitwiseCopyable>(
    _ isPacked: Bool, into values: inout [T], _ value: (UInt64) -> T
  ) throws(DecodingError) {
    guard isPacked else {
      try spend(MemoryLayout<T>.stride)
      values.append(value(try varint()))
      return
    }
    let count = try length()
    let outerEnd = end
    end = cursor + count
    defer { end = outerEnd }
    // As many elements as there are last bytes of varints.
    var elements = 0
    for byte in UnsafeBufferPointer(start: cursor, count: count) { elements += byte < 0x80 ? 1 : 0 }
    try spend(elements * MemoryLayout<T>.stride)
    if values.isEmpty { values.reserveCapacity(elements) }
    while cursor < end { values.append(value(try varint())) }
  }

  private mutating func fixedNumbers<T: BitwiseCopyable>(
    _ isPacked: Bool, _ field: UnsafeMutableRawPointer, _ type: T.Type
  ) throws(DecodingError) {
    let values = field.assumingMemoryBound(to: [T].self)
    let size = MemoryLayout<T>.size
    let count = isPacked ? try length() : size
    guard end - cursor >= count else { throw failure(.truncated) }
    guard count % size == 0 else { throw failure(.malformedPackedField) }
    try spend(count)
    if values.pointee.isEmpty, isPacked { values.pointee.reserveCapacity(count / size) }
    for position in stride(from: 0, to: count, by: size) {
      values.pointee.append(UnsafeRawPointer(cursor + position).loadUnaligned(as: T.self))
    }
    cursor += count
  }

  /// A list of enum values, in either form.
  @usableFromInline mutating func enumerations(
    into values: inout [Int32]
  ) throws(DecodingError) {
    let isPacked = currentTag & 7 == WireType.lengthDelimited.rawValue
    try varints(isPacked, into: &values) { Int32(truncatingIfNeeded: $0) }
  }
}
