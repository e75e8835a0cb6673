// The parts that fields are made of.

extension BackwardWriter {
  /// The most that a tag (5 bytes) and a number or length (10) take, and the rest of a word.
  static let numberRoom = 24

  /// A word is stored whole: what lies before its bytes is still to be written. Room has been made.
  @inline(__always) static func word<T: FixedWidthInteger>(_ value: T, before place: Place) {
    UnsafeMutableRawPointer(place - MemoryLayout<T>.size).storeBytes(
      of: value.littleEndian, as: T.self)
  }

  @inline(__always) static func tag(_ row: UnsafePointer<Row>, before place: Place) -> Place {
    word(row.pointee.tagWord, before: place)
    return place - Int(row.pointee.tagCount)
  }

  @inline(__always) static func varint(_ value: UInt64, before place: Place) -> Place {
    if value < 0x80 {
      (place - 1).pointee = UInt8(truncatingIfNeeded: value)
      return place - 1
    }
    return longVarint(value, before: place)
  }

  /// Branches on the size, which the processor predicts, rather than counting bits: the next field
  /// then need not wait for the count.
  @inline(never) private static func longVarint(
    _ value: UInt64, before place: Place
  ) -> Place {
    guard value < 1 << 35 else { return longestVarint(value, before: place) }
    // Groups of seven bits, one per byte; all but the last byte say that another follows.
    let low = UInt32(truncatingIfNeeded: value)
    let groups =
      low & 0x7F | (low << 1) & 0x7F00 | (low << 2) & 0x7F_0000 | (low << 3) & 0x7F00_0000
    if value < 1 << 14 {
      word(UInt16(truncatingIfNeeded: groups | 0x80), before: place)
      return place - 2
    }
    if value < 1 << 21 {
      word((groups | 0x8080) << 8, before: place)
      return place - 3
    }
    if value < 1 << 28 {
      word(groups | 0x80_8080, before: place)
      return place - 4
    }
    (place - 1).pointee = UInt8(truncatingIfNeeded: value >> 28)
    word(groups | 0x8080_8080, before: place - 1)
    return place - 5
  }

  /// Six to ten bytes.
  @inline(never) private static func longestVarint(
    _ value: UInt64, before place: Place
  ) -> Place {
    let first = place - (70 - value.leadingZeroBitCount) / 7
    var next = first
    var rest = value
    while rest >= 0x80 {
      next.pointee = UInt8(truncatingIfNeeded: rest) | 0x80
      rest >>= 7
      next += 1
    }
    next.pointee = UInt8(truncatingIfNeeded: rest)
    return first
  }

  @inline(__always) mutating func number(
    _ row: UnsafePointer<Row>, varint value: UInt64, before place: Place
  ) -> Place {
    let place = room(BackwardWriter.numberRoom, before: place)
    return BackwardWriter.tag(row, before: BackwardWriter.varint(value, before: place))
  }

  @inline(__always) mutating func number<T: FixedWidthInteger>(
    _ row: UnsafePointer<Row>, fixed value: T, before place: Place
  ) -> Place {
    let place = room(BackwardWriter.numberRoom, before: place)
    BackwardWriter.word(value, before: place)
    return BackwardWriter.tag(row, before: place - MemoryLayout<T>.size)
  }

  /// Length and tag of `count` bytes that stand behind `place`.
  @inline(__always) mutating func header(
    _ row: UnsafePointer<Row>, count: Int, before place: Place
  ) -> Place {
    number(row, varint: UInt64(truncatingIfNeeded: count), before: place)
  }

  /// Bytes as they are.
  mutating func raw(_ bytes: UnsafeRawBufferPointer, before place: Place) -> Place {
    let first = room(bytes.count, before: place) - bytes.count
    UnsafeMutableRawBufferPointer(start: first, count: bytes.count).copyMemory(from: bytes)
    return first
  }

  /// By address, and with nothing but a copy while the text is looked at, so that no reference is
  /// counted for it.
  @inline(__always) mutating func string(
    _ row: UnsafePointer<Row>, _ value: UnsafePointer<String>, before place: Place
  ) -> Place {
    let room = place - start
    let first: Place?? = value.pointee.utf8.withContiguousStorageIfAvailable { text in
      guard room >= text.count &+ BackwardWriter.numberRoom else { return nil }
      let first = place - text.count
      if let source = text.baseAddress { BackwardWriter.copy(source, to: first, text.count) }
      return BackwardWriter.tag(
        row, before: BackwardWriter.varint(UInt64(truncatingIfNeeded: text.count), before: first))
    }
    if case .some(.some(let first)) = first { return first }
    return longString(row, value, before: place)
  }

  /// A string that there is no room for, or one that does not lie in one piece.
  @inline(never) private mutating func longString(
    _ row: UnsafePointer<Row>, _ value: UnsafePointer<String>, before place: Place
  ) -> Place {
    Array(value.pointee.utf8).withUnsafeBytes { text in
      header(row, count: text.count, before: raw(text, before: place))
    }
  }

  @inline(__always) mutating func bytes(
    _ row: UnsafePointer<Row>, _ value: UnsafePointer<[UInt8]>, before place: Place
  ) -> Place {
    let count = value.pointee.count
    let first = room(count, before: place) - count
    value.pointee.withUnsafeBytes {
      if let source = $0.baseAddress { BackwardWriter.copy(source, to: first, count) }
    }
    return header(row, count: count, before: first)
  }

  /// Most strings are short, and a call to memcpy costs more than copying them. A short string comes
  /// from two words that have just been stored; each load stays within one of them, since a load
  /// across both would have to wait for the stores.
  @inline(__always) private static func copy(
    _ source: UnsafeRawPointer, to target: Place, _ count: Int
  ) {
    let target = UnsafeMutableRawPointer(target)
    if count > 15 {
      target.copyMemory(from: source, byteCount: count)
    } else if count >= 8 {
      move(UInt64.self, source, to: target, at: 0)
      copyUpTo7(source + 8, to: target + 8, count - 8)
    } else {
      copyUpTo7(source, to: target, count)
    }
  }

  @inline(__always) private static func copyUpTo7(
    _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ count: Int
  ) {
    if count >= 4 {
      move(UInt32.self, source, to: target, at: 0)
      move(UInt32.self, source, to: target, at: count - 4)
    } else if count >= 2 {
      move(UInt16.self, source, to: target, at: 0)
      move(UInt16.self, source, to: target, at: count - 2)
    } else if count == 1 {
      move(UInt8.self, source, to: target, at: 0)
    }
  }

  @inline(__always) private static func move<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer,
    at offset: Int
  ) {
    target.storeBytes(
      of: source.loadUnaligned(fromByteOffset: offset, as: T.self), toByteOffset: offset,
      as: T.self)
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
