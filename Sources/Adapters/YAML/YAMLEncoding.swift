/// How a text is stored. Readers and edits work on UTF-8; what was UTF-16 is written as UTF-16 again,
/// since every Talos reads it.
enum YAMLEncoding: Sendable, Hashable {
  case utf8
  /// UTF-16 with a byte order mark, which every YAML reader needs to know it by.
  case utf16LittleEndian
  case utf16BigEndian

  init(of bytes: [UInt8]) {
    if bytes.starts(with: [0xFF, 0xFE]) {
      self = .utf16LittleEndian
    } else if bytes.starts(with: [0xFE, 0xFF]) {
      self = .utf16BigEndian
    } else {
      self = .utf8
    }
  }

  /// The text as UTF-8, a UTF-16 byte order mark left out.
  ///
  /// - Throws: `.syntax` for UTF-16 with half a character, which could not be written back.
  func decoded(_ bytes: [UInt8]) throws(YAMLError) -> [UInt8] {
    guard self != .utf8 else { return bytes }
    let units = stride(from: 2, to: bytes.count - 1, by: 2).map { index in
      self == .utf16LittleEndian
        ? UInt16(bytes[index]) | UInt16(bytes[index + 1]) << 8
        : UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])
    }
    guard bytes.count % 2 == 0, let text = String(validating: units, as: UTF16.self) else {
      throw YAMLError(.syntax, "the UTF-16 text holds half a character", line: 1, column: 1)
    }
    return Array(text.utf8)
  }

  func encoded(_ source: [UInt8]) -> [UInt8] {
    guard self != .utf8 else { return source }
    var bytes: [UInt8] = self == .utf16LittleEndian ? [0xFF, 0xFE] : [0xFE, 0xFF]
    bytes.reserveCapacity(2 + source.count * 2)
    for unit in String(decoding: source, as: UTF8.self).utf16 {
      let (low, high) = (UInt8(truncatingIfNeeded: unit), UInt8(unit >> 8))
      bytes += self == .utf16LittleEndian ? [low, high] : [high, low]
    }
    return bytes
  }
}
