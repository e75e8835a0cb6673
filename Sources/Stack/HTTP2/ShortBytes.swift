/// Comparison of the few bytes of a header field, for which memcmp(3) costs more than it does.
enum ShortBytes {
  @inline(__always)
  static func equal(
    _ held: UnsafePointer<UInt8>, _ other: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    guard let base = other.baseAddress else { return true }
    return unsafe equal(held, base, other.count)
  }

  /// In words, the last of which may overlap the one before: memcmp(3) costs more than it does for
  /// the few bytes of a field.
  @inline(__always)
  static func equal(
    _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int
  ) -> Bool {
    if count < 8 {
      if count >= 4 {
        return unsafe a.loadUnaligned(as: UInt32.self) == b.loadUnaligned(as: UInt32.self)
          && a.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
            == b.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
      }
      for at in 0..<count
      where unsafe a.load(fromByteOffset: at, as: UInt8.self)
        != b.load(fromByteOffset: at, as: UInt8.self)
      {
        return false
      }
      return true
    }
    var at = 0
    while at + 8 < count {
      if unsafe a.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        != b.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      {
        return false
      }
      at += 8
    }
    return unsafe a.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
      == b.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
  }
}
