extension BackwardWriter {
  @inline(never) mutating func list(
    _ row: UnsafePointer<Row>, _ field: UnsafeRawPointer, before place: Place
  ) -> Place {
    switch row.pointee.type {
    case .int64: numbers(row, field, Int64.self, before: place) { UInt64(bitPattern: $0) }
    case .uint64: numbers(row, field, UInt64.self, before: place) { $0 }
    case .int32, .enumeration:
      numbers(row, field, Int32.self, before: place) { UInt64(bitPattern: Int64($0)) }
    case .uint32: numbers(row, field, UInt32.self, before: place) { UInt64($0) }
    case .sint32: numbers(row, field, Int32.self, before: place) { UInt64(zigzag($0)) }
    case .sint64: numbers(row, field, Int64.self, before: place) { zigzag($0) }
    case .bool: numbers(row, field, Bool.self, before: place) { $0 ? 1 : 0 }
    case .fixed32: fixedNumbers(row, field, UInt32.self, before: place)
    case .sfixed32: fixedNumbers(row, field, Int32.self, before: place)
    case .float: fixedNumbers(row, field, Float.self, before: place)
    case .fixed64: fixedNumbers(row, field, UInt64.self, before: place)
    case .sfixed64: fixedNumbers(row, field, Int64.self, before: place)
    case .double: fixedNumbers(row, field, Double.self, before: place)
    case .string:
      field.assumingMemoryBound(to: [String].self).pointee.withUnsafeBufferPointer { list in
        list.indices.reversed().reduce(place) { place, position in
          string(row, list.baseAddress! + position, before: place)
        }
      }
    case .bytes, .message:
      field.assumingMemoryBound(to: [[UInt8]].self).pointee.withUnsafeBufferPointer { list in
        list.indices.reversed().reduce(place) { place, position in
          bytes(row, list.baseAddress! + position, before: place)
        }
      }
    }
  }

  @inline(__always) private mutating func numbers<T: BitwiseCopyable>(
    _ row: UnsafePointer<Row>, _ field: UnsafeRawPointer, _ type: T.Type, before place: Place,
    _ bits: (T) -> UInt64
  ) -> Place {
    field.assumingMemoryBound(to: [T].self).pointee.withUnsafeBytes {
      varints(row, $0, type, before: place, bits)
    }
  }

  @inline(__always) mutating func varints<T: BitwiseCopyable>(
    _ row: UnsafePointer<Row>, _ list: UnsafeRawBufferPointer, _ type: T.Type,
    before place: Place, _ bits: (T) -> UInt64
  ) -> Place {
    guard !list.isEmpty else { return place }
    var place = place
    let before = end - place
    let isPacked = row.pointee.isPacked
    var position = list.count
    while position > 0 {
      position -= MemoryLayout<T>.stride
      let value = bits(list.load(fromByteOffset: position, as: T.self))
      if isPacked {
        place = room(BackwardWriter.numberRoom, before: place)
        place = BackwardWriter.varint(value, before: place)
      } else {
        place = number(row, varint: value, before: place)
      }
    }
    return isPacked ? header(row, count: (end - place) - before, before: place) : place
  }

  private mutating func fixedNumbers<T: BitwiseCopyable>(
    _ row: UnsafePointer<Row>, _ field: UnsafeRawPointer, _ type: T.Type, before place: Place
  ) -> Place {
    field.assumingMemoryBound(to: [T].self).pointee.withUnsafeBytes { list in
      guard !list.isEmpty else { return place }
      if row.pointee.isPacked {
        return header(row, count: list.count, before: raw(list, before: place))
      }
      var place = place
      var position = list.count
      while position > 0 {
        position -= MemoryLayout<T>.stride
        let element = list[position..<(position + MemoryLayout<T>.stride)]
        place = raw(UnsafeRawBufferPointer(rebasing: element), before: place)
        place = room(BackwardWriter.numberRoom, before: place)
        place = BackwardWriter.tag(row, before: place)
      }
      return place
    }
  }
}

#if _endian(big)
  #error("lists of fixed-size numbers are copied as they stand in memory")
#endif
