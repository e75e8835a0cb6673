/// Bytes as text.
enum Digits {
  static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { (byte: UInt8) in
      String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }.joined()
  }

  /// RFC 4648 section 5, without padding.
  static func base64url(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    var digits: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let number = group.reduce(0) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
      for index in 0...group.count {
        digits.append(alphabet[Int(number >> UInt32(18 - 6 * index)) & 63])
      }
    }
    return String(decoding: digits, as: UTF8.self)
  }
}
