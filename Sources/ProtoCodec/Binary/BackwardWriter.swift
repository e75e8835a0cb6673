import Synchronization

/// Writes the binary format from its end to its beginning.
///
/// The length of a message is known once its content is written, so one pass is enough and no
/// size is computed before. The bytes are moved once, to where they are wanted.
@usableFromInline struct BackwardWriter {
  /// The first byte written so far.
  private(set) var cursor: UnsafeMutablePointer<UInt8>
  private var start: UnsafeMutablePointer<UInt8>
  private var end: UnsafeMutablePointer<UInt8>
  private var ownsMemory: Bool

  private init(_ memory: UnsafeMutableRawBufferPointer, ownsMemory: Bool) {
    start = memory.baseAddress!.assumingMemoryBound(to: UInt8.self)
    end = start + memory.count
    cursor = end
    self.ownsMemory = ownsMemory
  }

  /// Messages up to this size are written on the stack.
  private static let stackCapacity = 1024

  /// Appends the message at `base` to `buffer`.
  @usableFromInline static func write(
    _ table: UnsafePointer<CodingTable>, of layout: MessageLayout, from base: UnsafeRawPointer,
    appendingTo buffer: inout [UInt8]
  ) {
    let guess = layout.sizeHint.load(ordering: .relaxed)
    var written = 0
    if guess <= stackCapacity {
      withUnsafeTemporaryAllocation(byteCount: stackCapacity, alignment: 8) { memory in
        var writer = BackwardWriter(memory, ownsMemory: false)
        writer.encode(table, from: base)
        written = writer.finish(appendingTo: &buffer)
      }
    } else {
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: guess, alignment: 8)
      var writer = BackwardWriter(memory, ownsMemory: true)
      writer.encode(table, from: base)
      written = writer.finish(appendingTo: &buffer)
    }
    // A little more than the last time, so that a message that grows slowly still fits.
    let wanted = written + written / 8
    if wanted > guess || wanted < guess / 4 {
      layout.sizeHint.store(wanted, ordering: .relaxed)
    }
  }

  private func finish(appendingTo buffer: inout [UInt8]) -> Int {
    let count = end - cursor
    buffer.append(contentsOf: UnsafeBufferPointer(start: cursor, count: count))
    if ownsMemory { start.deallocate() }
    return count
  }

  /// Makes room for `count` bytes before `cursor`.
  @inline(__always) private mutating func reserve(_ count: Int) {
    if cursor - start < count { grow(count) }
  }

  @inline(never) private mutating func grow(_ count: Int) {
    let written = end - cursor
    let capacity = max(2 * (end - start), written + count + 1024)
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    let newEnd = memory + capacity
    (newEnd - written).update(from: cursor, count: written)
    if ownsMemory { start.deallocate() }
    start = memory
    end = newEnd
    cursor = newEnd - written
    ownsMemory = true
  }
}

// MARK: - Parts of a field

extension BackwardWriter {
  /// The most that a tag (5 bytes) and a number or length (10) take.
  private static let numberRoom = 15

  @inline(__always) private mutating func tag(_ row: UnsafePointer<Row>) {
    // Room has been made by whoever wrote the value.
    let count = Int(row.pointee.tagCount)
    cursor -= count
    if count == 1 {
      cursor.pointee = UInt8(truncatingIfNeeded: row.pointee.tagBytes)
    } else {
      var bytes = row.pointee.tagBytes
      for position in 0..<count {
        cursor[position] = UInt8(truncatingIfNeeded: bytes)
        bytes >>= 8
      }
    }
  }

  /// Room has been made.
  @inline(__always) private mutating func varint(_ value: UInt64) {
    if value < 0x80 {
      cursor -= 1
      cursor.pointee = UInt8(truncatingIfNeeded: value)
    } else {
      longVarint(value)
    }
  }

  private mutating func longVarint(_ value: UInt64) {
    let count = (70 - (value | 1).leadingZeroBitCount) / 7
    cursor -= count
    var rest = value
    var position = 0
    while rest >= 0x80 {
      cursor[position] = UInt8(truncatingIfNeeded: rest) | 0x80
      rest >>= 7
      position += 1
    }
    cursor[position] = UInt8(truncatingIfNeeded: rest)
  }

  @inline(__always) private mutating func fixed<T: FixedWidthInteger>(_ value: T) {
    cursor -= MemoryLayout<T>.size
    UnsafeMutableRawPointer(cursor).storeBytes(of: value.littleEndian, as: T.self)
  }

  @inline(__always) private mutating func numberField(
    _ row: UnsafePointer<Row>, varint value: UInt64
  ) {
    reserve(BackwardWriter.numberRoom)
    varint(value)
    tag(row)
  }

  @inline(__always) private mutating func numberField<T: FixedWidthInteger>(
    _ row: UnsafePointer<Row>, fixed value: T
  ) {
    reserve(BackwardWriter.numberRoom)
    fixed(value)
    tag(row)
  }

  /// Content, length and tag.
  @inline(__always) private mutating func blockField(
    _ row: UnsafePointer<Row>, _ content: UnsafeRawPointer?, _ count: Int
  ) {
    reserve(count + BackwardWriter.numberRoom)
    cursor -= count
    if count > 0 { UnsafeMutableRawPointer(cursor).copyMemory(from: content!, byteCount: count) }
    varint(UInt64(truncatingIfNeeded: count))
    tag(row)
  }

  @inline(__always) private mutating func stringField(_ row: UnsafePointer<Row>, _ value: String) {
    let isContiguous: Void? = value.utf8.withContiguousStorageIfAvailable {
      blockField(row, $0.baseAddress, $0.count)
    }
    if isContiguous == nil {
      let bytes = Array(value.utf8)
      bytes.withUnsafeBytes { blockField(row, $0.baseAddress, $0.count) }
    }
  }

  @inline(__always) private mutating func bytesField(_ row: UnsafePointer<Row>, _ value: [UInt8]) {
    value.withUnsafeBytes { blockField(row, $0.baseAddress, $0.count) }
  }
}

// MARK: - Messages

extension BackwardWriter {
  /// The message at `base`, without tag and length.

  mutating func encode(_ table: UnsafePointer<CodingTable>, from base: UnsafeRawPointer) {
    let unknownOffset = table.pointee.unknownOffset
    if unknownOffset >= 0,
      let unknown = (base + unknownOffset).assumingMemoryBound(to: UnknownFields.self)
        .pointee.storage
    {
      unknown.withUnsafeBytes { raw($0) }
    }
    let rows = table.pointee.rows
    var position = table.pointee.count
    while position > 0 {
      position -= 1
      field(UnsafePointer(rows + position), base)
    }
  }

  private mutating func raw(_ bytes: UnsafeRawBufferPointer) {
    reserve(bytes.count)
    cursor -= bytes.count
    UnsafeMutableRawBufferPointer(start: cursor, count: bytes.count).copyMemory(from: bytes)
  }

  /// A field that holds one message, tag and length included.
  @usableFromInline mutating func message(_ row: UnsafePointer<Row>, _ base: UnsafeRawPointer) {
    // Positions are counted from the end, since the memory may move.
    let before = end - cursor
    encode(row.pointee.table!, from: base)
    let count = (end - cursor) - before
    reserve(BackwardWriter.numberRoom)
    varint(UInt64(truncatingIfNeeded: count))
    tag(row)
  }

  /// A list of messages that lie `stride` bytes apart.
  @usableFromInline mutating func messages(
    _ row: UnsafePointer<Row>, _ base: UnsafeRawPointer?, _ count: Int, _ stride: Int
  ) {
    guard let base else { return }
    var position = count
    while position > 0 {
      position -= 1
      message(row, base + position * stride)
    }
  }

  /// The payload of a oneof's case, which is written whatever its value.
  @usableFromInline mutating func payload(_ row: UnsafePointer<Row>, _ value: UnsafeRawPointer) {
    always(row.pointee.payload, row, value)
  }

  private mutating func always(
    _ code: RowCode, _ row: UnsafePointer<Row>, _ field: UnsafeRawPointer
  ) {
    switch code {
    case .alwaysVarint64: numberField(row, varint: field.load(as: UInt64.self))
    case .alwaysInt32:
      numberField(row, varint: UInt64(bitPattern: Int64(field.load(as: Int32.self))))
    case .alwaysUInt32: numberField(row, varint: UInt64(field.load(as: UInt32.self)))
    case .alwaysSInt32: numberField(row, varint: UInt64(zigzag(field.load(as: Int32.self))))
    case .alwaysSInt64: numberField(row, varint: zigzag(field.load(as: Int64.self)))
    case .alwaysFixed32: numberField(row, fixed: field.load(as: UInt32.self))
    case .alwaysFixed64: numberField(row, fixed: field.load(as: UInt64.self))
    case .alwaysBool: numberField(row, varint: field.load(as: Bool.self) ? 1 : 0)
    case .alwaysString: stringField(row, field.assumingMemoryBound(to: String.self).pointee)
    case .alwaysBytes: bytesField(row, field.assumingMemoryBound(to: [UInt8].self).pointee)
    default: message(row, field)
    }
  }

  @inline(__always) private mutating func field(
    _ row: UnsafePointer<Row>, _ base: UnsafeRawPointer
  ) {
    let field = base + row.pointee.offset
    switch row.pointee.code {
    case .varint64:
      let value = field.load(as: UInt64.self)
      if value != 0 { numberField(row, varint: value) }
    case .int32:
      let value = field.load(as: Int32.self)
      if value != 0 { numberField(row, varint: UInt64(bitPattern: Int64(value))) }
    case .uint32:
      let value = field.load(as: UInt32.self)
      if value != 0 { numberField(row, varint: UInt64(value)) }
    case .sint32:
      let value = field.load(as: Int32.self)
      if value != 0 { numberField(row, varint: UInt64(zigzag(value))) }
    case .sint64:
      let value = field.load(as: Int64.self)
      if value != 0 { numberField(row, varint: zigzag(value)) }
    case .fixed32:
      // Floats come here as bits, so that -0.0, which is not the default, is written.
      let value = field.load(as: UInt32.self)
      if value != 0 { numberField(row, fixed: value) }
    case .fixed64:
      let value = field.load(as: UInt64.self)
      if value != 0 { numberField(row, fixed: value) }
    case .bool:
      if field.load(as: Bool.self) { numberField(row, varint: 1) }
    case .string:
      let value = field.assumingMemoryBound(to: String.self)
      if !value.pointee.isEmpty { stringField(row, value.pointee) }
    case .bytes:
      let value = field.assumingMemoryBound(to: [UInt8].self)
      if !value.pointee.isEmpty { bytesField(row, value.pointee) }
    case .access:
      row.pointee.access.unsafelyUnwrapped._withUnsafeGuaranteedRef {
        $0.encode(field, row, &self)
      }
    case .optionalVarint64:
      if let value = field.load(as: UInt64?.self) { numberField(row, varint: value) }
    case .optionalInt32:
      if let value = field.load(as: Int32?.self) {
        numberField(row, varint: UInt64(bitPattern: Int64(value)))
      }
    case .optionalUInt32:
      if let value = field.load(as: UInt32?.self) { numberField(row, varint: UInt64(value)) }
    case .optionalSInt32:
      if let value = field.load(as: Int32?.self) { numberField(row, varint: UInt64(zigzag(value))) }
    case .optionalSInt64:
      if let value = field.load(as: Int64?.self) { numberField(row, varint: zigzag(value)) }
    case .optionalFixed32:
      if let value = field.load(as: UInt32?.self) { numberField(row, fixed: value) }
    case .optionalFixed64:
      if let value = field.load(as: UInt64?.self) { numberField(row, fixed: value) }
    case .optionalBool:
      if let value = field.load(as: Bool?.self) { numberField(row, varint: value ? 1 : 0) }
    case .optionalString:
      if let value = field.assumingMemoryBound(to: String?.self).pointee { stringField(row, value) }
    case .optionalBytes:
      if let value = field.assumingMemoryBound(to: [UInt8]?.self).pointee { bytesField(row, value) }
    case .alwaysVarint64, .alwaysInt32, .alwaysUInt32, .alwaysSInt32, .alwaysSInt64,
      .alwaysFixed32, .alwaysFixed64, .alwaysBool, .alwaysString, .alwaysBytes, .alwaysMessage:
      always(row.pointee.code, row, field)
    case .list:
      list(row, field)
    }
  }
}

/// Numbers near zero become small: 0, -1, 1, -2 become 0, 1, 2, 3.
@inline(__always) func zigzag(_ value: Int32) -> UInt32 {
  UInt32(bitPattern: (value << 1) ^ (value >> 31))
}

@inline(__always) func zigzag(_ value: Int64) -> UInt64 {
  UInt64(bitPattern: (value << 1) ^ (value >> 63))
}

@inline(__always) func unzigzag(_ value: UInt32) -> Int32 {
  Int32(bitPattern: value >> 1) ^ -Int32(bitPattern: value & 1)
}

@inline(__always) func unzigzag(_ value: UInt64) -> Int64 {
  Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
}

// MARK: - Lists

extension BackwardWriter {
  @inline(never) private mutating func list(
    _ row: UnsafePointer<Row>, _ field: UnsafeRawPointer
  ) {
    switch row.pointee.type {
    case .int64: numbers(row, field, Int64.self) { UInt64(bitPattern: $0) }
    case .uint64: numbers(row, field, UInt64.self) { $0 }
    case .int32, .enumeration: numbers(row, field, Int32.self) { UInt64(bitPattern: Int64($0)) }
    case .uint32: numbers(row, field, UInt32.self) { UInt64($0) }
    case .sint32: numbers(row, field, Int32.self) { UInt64(zigzag($0)) }
    case .sint64: numbers(row, field, Int64.self) { zigzag($0) }
    case .bool: numbers(row, field, Bool.self) { $0 ? 1 : 0 }
    case .fixed32: fixedNumbers(row, field, UInt32.self)
    case .sfixed32: fixedNumbers(row, field, Int32.self)
    case .float: fixedNumbers(row, field, Float.self)
    case .fixed64: fixedNumbers(row, field, UInt64.self)
    case .sfixed64: fixedNumbers(row, field, Int64.self)
    case .double: fixedNumbers(row, field, Double.self)
    case .string:
      field.assumingMemoryBound(to: [String].self).pointee.withUnsafeBufferPointer {
        for value in $0.reversed() { stringField(row, value) }
      }
    case .bytes, .message:
      field.assumingMemoryBound(to: [[UInt8]].self).pointee.withUnsafeBufferPointer {
        for value in $0.reversed() { bytesField(row, value) }
      }
    }
  }

  @inline(__always) private mutating func numbers<T: BitwiseCopyable>(
    _ row: UnsafePointer<Row>, _ field: UnsafeRawPointer, _ type: T.Type, _ bits: (T) -> UInt64
  ) {
    field.assumingMemoryBound(to: [T].self).pointee.withUnsafeBytes {
      varints(row, $0, type, bits)
    }
  }

  @inline(__always) private mutating func varints<T: BitwiseCopyable>(
    _ row: UnsafePointer<Row>, _ list: UnsafeRawBufferPointer, _ type: T.Type,
    _ bits: (T) -> UInt64
  ) {
    guard !list.isEmpty else { return }
    let before = end - cursor
    let isPacked = row.pointee.isPacked
    var position = list.count
    while position > 0 {
      position -= MemoryLayout<T>.stride
      reserve(BackwardWriter.numberRoom)
      varint(bits(list.load(fromByteOffset: position, as: T.self)))
      if !isPacked { tag(row) }
    }
    guard isPacked else { return }
    let count = (end - cursor) - before
    reserve(BackwardWriter.numberRoom)
    varint(UInt64(count))
    tag(row)
  }

  private mutating func fixedNumbers<T: BitwiseCopyable>(
    _ row: UnsafePointer<Row>, _ field: UnsafeRawPointer, _ type: T.Type
  ) {
    field.assumingMemoryBound(to: [T].self).pointee.withUnsafeBytes { list in
      guard !list.isEmpty else { return }
      if row.pointee.isPacked {
        blockField(row, list.baseAddress, list.count)
        return
      }
      var position = list.count
      while position > 0 {
        position -= MemoryLayout<T>.stride
        reserve(MemoryLayout<T>.stride + BackwardWriter.numberRoom)
        raw(UnsafeRawBufferPointer(rebasing: list[position..<(position + MemoryLayout<T>.stride)]))
        tag(row)
      }
    }
  }

  /// A list of enum values, whose memory is that of Int32s.
  @usableFromInline mutating func enumerations(
    _ row: UnsafePointer<Row>, _ list: UnsafeRawBufferPointer
  ) {
    varints(row, list, Int32.self) { UInt64(bitPattern: Int64($0)) }
  }
}

#if _endian(big)
  #error("packed fixed-size numbers are copied as they stand in memory")
#endif
