/// Reads the binary format.
///
/// `cursor` moves to `end`, the end of the innermost message; nothing is ever read behind it. The loop
/// over a message's fields keeps the place in a register and puts it into `cursor` for whatever it
/// calls.
@usableFromInline struct WireReader {
  typealias Place = UnsafePointer<UInt8>

  var cursor: Place
  var end: Place
  private let start: Place
  /// Levels of messages that may still be entered.
  var depth: Int
  /// Bytes of memory that list elements may still take.
  private var memory: Int
  /// The tag of the field being read; 0 before the first.
  var currentTag: UInt32 = 0

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
  @usableFromInline mutating func spend(_ count: Int) throws(DecodingError) {
    memory -= count
    if memory < 0 { throw failure(.tooManyElements) }
  }

  /// How many elements of `stride` bytes the limits still allow.
  func elementsLeft(stride: Int) -> Int { memory / max(stride, 1) }
}

// MARK: - Numbers

extension WireReader {
  @inline(__always) mutating func varint() throws(DecodingError) -> UInt64 {
    if cursor < end, cursor.pointee < 0x80 {
      let value = UInt64(cursor.pointee)
      cursor += 1
      return value
    }
    return try longVarint()
  }

  @inline(never) mutating func longVarint() throws(DecodingError) -> UInt64 {
    guard end - cursor >= 8 else { return try varintByByte() }
    let word = UInt64(littleEndian: UnsafeRawPointer(cursor).loadUnaligned(as: UInt64.self))
    // The first byte without the bit that says that another follows is the last.
    let last = ~word & 0x8080_8080_8080_8080
    guard last != 0 else { return try varintByByte() }
    cursor += (last.trailingZeroBitCount + 1) / 8
    // What lies behind the last byte is cleared; groups of seven bits are moved together, by halves.
    var groups = word & (last ^ (last &- 1)) & 0x7F7F_7F7F_7F7F_7F7F
    groups = groups & 0x007F_007F_007F_007F | (groups & 0x7F00_7F00_7F00_7F00) >> 1
    groups = groups & 0x3FFF_0000_3FFF | (groups & 0x3FFF_0000_3FFF_0000) >> 2
    return groups & 0xFFF_FFFF | (groups & 0x0FFF_FFFF_0000_0000) >> 4
  }

  private mutating func varintByByte() throws(DecodingError) -> UInt64 {
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
  @inline(__always) mutating func tag() throws(DecodingError) -> UInt32 {
    let first = cursor.pointee
    if first < 0x80, first >= 8 {
      cursor += 1
      return UInt32(first)
    }
    return try longTag()
  }

  @inline(never) mutating func longTag() throws(DecodingError) -> UInt32 {
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
  @inline(__always) mutating func length() throws(DecodingError) -> Int {
    let value = try varint()
    guard value <= UInt64(end - cursor) else { throw failure(.truncated) }
    return Int(truncatingIfNeeded: value)
  }

  @inline(__always) mutating func fixed<T: FixedWidthInteger>(
    _ type: T.Type
  ) throws(DecodingError) -> T {
    guard end - cursor >= MemoryLayout<T>.size else { throw failure(.truncated) }
    let value = UnsafeRawPointer(cursor).loadUnaligned(as: T.self)
    cursor += MemoryLayout<T>.size
    return T(littleEndian: value)
  }

  mutating func string() throws(DecodingError) -> String {
    let count = try length()
    let bytes = UnsafeBufferPointer(start: cursor, count: count)
    guard let text = try? UTF8Span(validating: bytes.span) else { throw failure(.invalidUTF8) }
    cursor += count
    return String(copying: text)
  }

  mutating func bytes() throws(DecodingError) -> [UInt8] {
    let count = try length()
    let value = [UInt8](UnsafeBufferPointer(start: cursor, count: count))
    cursor += count
    return value
  }
}
