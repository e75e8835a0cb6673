extension WireReader {
  @inline(never) mutating func list(
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
