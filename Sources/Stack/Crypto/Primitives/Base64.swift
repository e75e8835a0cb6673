/// Base64 with the standard alphabet and padding (RFC 4648 section 4).
public enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// The value of each alphabet byte; 0xff for all others.
  private static let values: [UInt8] = {
    var table = [UInt8](repeating: 0xff, count: 256)
    for (value, byte) in alphabet.enumerated() { table[Int(byte)] = UInt8(value) }
    return table
  }()

  /// The text of `bytes`, with padding and no line breaks.
  public static func encode(_ bytes: [UInt8]) -> String {
    String(decoding: encodedBytes(bytes), as: UTF8.self)
  }

  /// The bytes of `text`; nil when it is not strict base64: a byte outside the alphabet (also white
  /// space), missing or misplaced padding, or set bits behind the last byte.
  public static func decode(_ text: String) -> [UInt8]? { decode(Array(text.utf8)) }

  /// As `decode(_:)` for text, on its UTF-8 bytes.
  ///
  /// - Parameter ignoresTrailingBits: whether set bits behind the last byte are no error: so several texts mean the
  ///   same bytes. It is for reading what programs that do so (Go's `base64.StdEncoding`) have taken.
  public static func decode(
    _ text: [UInt8], ignoresTrailingBits: Bool = false
  ) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    guard !text.isEmpty else { return [] }
    let padding = text[text.count - 1] == 0x3d ? (text[text.count - 2] == 0x3d ? 2 : 1) : 0
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    var group: UInt32 = 0
    var digits = 0
    for byte in text[..<(text.count - padding)] {
      let value = values[Int(byte)]
      guard value != 0xff else { return nil }
      group = group << 6 | UInt32(value)
      digits += 1
      if digits == 4 {
        bytes.append(UInt8(truncatingIfNeeded: group >> 16))
        bytes.append(UInt8(truncatingIfNeeded: group >> 8))
        bytes.append(UInt8(truncatingIfNeeded: group))
        group = 0
        digits = 0
      }
    }
    switch padding {
    case 1:
      guard ignoresTrailingBits || group & 0x3 == 0 else { return nil }
      bytes.append(UInt8(truncatingIfNeeded: group >> 10))
      bytes.append(UInt8(truncatingIfNeeded: group >> 2))
    case 2:
      guard ignoresTrailingBits || group & 0xf == 0 else { return nil }
      bytes.append(UInt8(truncatingIfNeeded: group >> 4))
    default: break
    }
    return bytes
  }

  static func encodedBytes(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let second = index + 1 < bytes.count ? bytes[index + 1] : 0
      let third = index + 2 < bytes.count ? bytes[index + 2] : 0
      let group = UInt32(bytes[index]) << 16 | UInt32(second) << 8 | UInt32(third)
      text.append(alphabet[Int(group >> 18)])
      text.append(alphabet[Int(group >> 12 & 63)])
      text.append(index + 1 < bytes.count ? alphabet[Int(group >> 6 & 63)] : 0x3d)
      text.append(index + 2 < bytes.count ? alphabet[Int(group & 63)] : 0x3d)
      index += 3
    }
    return text
  }
}
