/// How age writes keys: Bech32 (BIP 173), of any length.
enum Bech32 {
  /// Why a text is none.
  enum Failure: Error, Equatable {
    /// At this place, counted from 1, stands a character that none has there.
    case character(at: Int)
    case mixedCase
    /// There is no "1" between a name and what it names.
    case noSeparator
    case checksum
    /// Bits are left over.
    case padding
  }

  private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
  private static let checksumSize = 6

  /// - Parameter text: all of it in upper or in lower case.
  /// - Returns: the name before the separator as it is written, and the bytes, which are the caller's to wipe where they
  ///   are a key.
  static func decode(_ text: [UInt8]) throws(Failure) -> (name: String, bytes: [UInt8]) {
    var lower = text
    defer { lower.wipe() }
    for index in lower.indices {
      guard (33...126).contains(lower[index]) else { throw .character(at: index + 1) }
      if (0x41...0x5a).contains(lower[index]) { lower[index] |= 0x20 }
    }
    guard text == lower || !text.contains(where: { (0x61...0x7a).contains($0) }) else {
      throw .mixedCase
    }
    guard let separator = lower.lastIndex(of: UInt8(ascii: "1")), separator > 0,
      lower.count - separator > checksumSize
    else { throw .noSeparator }
    var values: [UInt8] = []
    values.reserveCapacity(lower.count)
    defer { values.wipe() }
    for index in lower.indices[(separator + 1)...] {
      guard let value = alphabet.firstIndex(of: lower[index]) else {
        throw .character(at: index + 1)
      }
      values.append(UInt8(value))
    }
    guard checksum(Array(lower[..<separator]), values) == 1 else { throw .checksum }
    return (
      String(decoding: text[..<separator], as: UTF8.self),
      try bytes(values.dropLast(checksumSize))
    )
  }

  /// - Parameter name: in lower case.
  static func encode(_ name: String, _ bytes: [UInt8]) -> String {
    var values: [UInt8] = []
    var group = 0
    var bits = 0
    for byte in bytes {
      group = (group << 8 | Int(byte)) & 0xfff
      bits += 8
      while bits >= 5 {
        bits -= 5
        values.append(UInt8(group >> bits & 31))
      }
    }
    if bits > 0 { values.append(UInt8(group << (5 - bits) & 31)) }
    let sum = checksum(Array(name.utf8), values + [UInt8](repeating: 0, count: checksumSize)) ^ 1
    for place in 0..<checksumSize {
      values.append(UInt8(sum >> UInt32(5 * (checksumSize - 1 - place)) & 31))
    }
    return name + "1" + String(decoding: values.map { alphabet[Int($0)] }, as: UTF8.self)
  }

  /// Puts groups of five bits together to bytes.
  private static func bytes(_ values: ArraySlice<UInt8>) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(values.count * 5 / 8)
    var group = 0
    var bits = 0
    for value in values {
      group = (group << 5 | Int(value)) & 0xfff
      bits += 5
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(group >> bits & 0xff))
      }
    }
    guard bits < 5, group & (1 << bits - 1) == 0 else {
      bytes.wipe()
      throw .padding
    }
    return bytes
  }

  /// 1 for what has a good checksum at its end.
  private static func checksum(_ name: [UInt8], _ values: [UInt8]) -> UInt32 {
    var sum: UInt32 = 1
    func take(_ value: UInt8) {
      let top = sum >> 25
      sum = (sum & 0x1ff_ffff) << 5 ^ UInt32(value)
      for (bit, term) in [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
        .enumerated() where top >> UInt32(bit) & 1 == 1
      { sum ^= UInt32(term) }
    }
    for byte in name { take(byte >> 5) }
    take(0)
    for byte in name { take(byte & 31) }
    for value in values { take(value) }
    return sum
  }
}
