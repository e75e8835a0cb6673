/// The 512 bytes before each file of a tar archive (POSIX ustar).
struct TarHeader {
  var name: String
  var mode: UInt32
  /// Bytes of contents that follow.
  var size: Int
  /// The type flag; `0` is a regular file.
  var kind: UInt8

  init(name: String, mode: UInt32, size: Int, kind: UInt8) {
    self.name = name
    self.mode = mode
    self.size = size
    self.kind = kind
  }

  /// Reads a block of 512 bytes.
  ///
  /// - Throws: `.malformed` when its check sum or a number is wrong.
  init(_ block: ArraySlice<UInt8>) throws(CompressionError) {
    let start = block.startIndex
    func field(_ offset: Int, _ length: Int) -> ArraySlice<UInt8> {
      block[(start + offset)..<(start + offset + length)]
    }
    let sum = Self.checksum(block)
    guard try Self.number(field(148, 8)) == sum else {
      throw CompressionError(.malformed, "not a tar archive: a header's check sum is wrong")
    }
    mode = UInt32(truncatingIfNeeded: try Self.number(field(100, 8)))
    size = try Self.number(field(124, 12))
    kind = block[start + 156]
    let prefix = TarArchive.text(field(345, 155))
    let isUstar = field(257, 5).elementsEqual("ustar".utf8)
    let plain = TarArchive.text(field(0, 100))
    // GNU's variant has "ustar " and keeps other things in place of the prefix.
    name = isUstar && block[start + 262] == 0 && !prefix.isEmpty ? prefix + "/" + plain : plain
  }

  /// The block.
  func encoded() throws(CompressionError) -> [UInt8] {
    let nameBytes = Array(name.utf8)
    guard (1...100).contains(nameBytes.count), !nameBytes.contains(0) else {
      throw CompressionError(.malformed, "a name in an archive must have 1 to 100 bytes")
    }
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ bytes: [UInt8], at offset: Int) {
      block.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
    }
    put(nameBytes, at: 0)
    put(Self.octal(Int(mode), digits: 7), at: 100)
    put(Self.octal(0, digits: 7), at: 108)
    put(Self.octal(0, digits: 7), at: 116)
    put(Self.octal(size, digits: 11), at: 124)
    put(Self.octal(0, digits: 11), at: 136)
    block[156] = kind
    put(Array("ustar\0".utf8) + Array("00".utf8), at: 257)
    put(Self.octal(Self.checksum(block[...]), digits: 6) + [0, 0x20], at: 148)
    return block
  }

  /// The sum of all bytes, with spaces in place of the sum itself.
  private static func checksum(_ block: ArraySlice<UInt8>) -> Int {
    var sum = 0
    for (offset, byte) in block.enumerated() {
      sum += (148..<156).contains(offset) ? 0x20 : Int(byte)
    }
    return sum
  }

  private static func octal(_ value: Int, digits: Int) -> [UInt8] {
    let text = Array(String(value, radix: 8).utf8)
    return [UInt8](repeating: 0x30, count: max(0, digits - text.count)) + text
  }

  /// An octal number with spaces or zeros around it, or GNU's binary form, marked by its first bit.
  private static func number(_ field: ArraySlice<UInt8>) throws(CompressionError) -> Int {
    let malformed = CompressionError(.malformed, "not a tar archive: a header's number is wrong")
    if let first = field.first, first & 0x80 != 0 {
      var value = Int(first & 0x7f)
      for byte in field.dropFirst() {
        guard value < 1 << 48 else { throw malformed }
        value = value << 8 | Int(byte)
      }
      return value
    }
    var value = 0
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0x20 && $0 != 0 }
    for byte in digits {
      guard (0x30...0x37).contains(byte) else { throw malformed }
      value = value << 3 | Int(byte - 0x30)
    }
    return value
  }
}
