/// Turns libyaml's positions, which count characters, into byte offsets.
struct SourceMap {
  /// Bytes of a byte order mark, which libyaml takes off before it counts.
  let prefix: Int
  let count: Int
  /// The byte offset of every 64th character; empty for a text that is all ASCII.
  private let checkpoints: [Int]
  private let bytes: [UInt8]
  private static let stride = 64

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    count = bytes.count
    prefix = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    if bytes.dropFirst(prefix).allSatisfy({ $0 < 0x80 }) {
      checkpoints = []
    } else {
      var points: [Int] = []
      var character = 0
      for index in prefix..<bytes.count where bytes[index] & 0xC0 != 0x80 {
        if character % Self.stride == 0 { points.append(index) }
        character += 1
      }
      checkpoints = points
    }
  }

  /// The byte at which a character begins; the end of the text for anything behind it.
  func byteOffset(ofCharacter index: Int) -> Int {
    guard !checkpoints.isEmpty else { return min(prefix + index, count) }
    let checkpoint = index / Self.stride
    guard checkpoint < checkpoints.count else { return count }
    var offset = checkpoints[checkpoint]
    var left = index % Self.stride
    while left > 0, offset < count {
      offset += 1
      while offset < count, bytes[offset] & 0xC0 == 0x80 { offset += 1 }
      left -= 1
    }
    return offset
  }

  /// 1-based line and column of a byte offset.
  func position(ofByte offset: Int) -> (line: Int, column: Int) {
    var line = 1
    var column = 1
    for byte in bytes[prefix..<max(prefix, min(offset, count))] {
      if byte == UInt8(ascii: "\n") {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    return (line, column)
  }
}
