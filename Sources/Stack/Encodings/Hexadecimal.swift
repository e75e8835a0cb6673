/// Hexadecimal digits (RFC 4648 section 8).
public enum Hexadecimal {
  /// The digits above 9.
  public enum Letters: Sendable, Hashable { case lower, upper }

  /// Which letters are read.
  public enum ReadLetters: Sendable, Hashable { case lower, any }

  /// Two lower-case digits for each byte.
  public static func encode(_ bytes: [UInt8]) -> String { encode(bytes.span) }

  /// Two lower-case digits for each byte.
  public static func encode(_ bytes: ArraySlice<UInt8>) -> String { encode(bytes.span) }

  private static func encode(_ bytes: borrowing Span<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(2 * bytes.count)
    for position in bytes.indices { append(bytes[position], to: &text) }
    return String(decoding: text, as: UTF8.self)
  }

  /// A number in lower-case digits, with zeros before it.
  ///
  /// - Parameter digits: the least number of digits; a number that needs more has more.
  public static func encode(_ number: UInt64, digits: Int) -> String {
    var count = max(digits, 1)
    while count < 16, number >> (4 * count) != 0 { count += 1 }
    var text: [UInt8] = []
    text.reserveCapacity(count)
    for place in stride(from: count - 1, through: 0, by: -1) {
      // A shift by 64 and more gives 0.
      text.append(digit(UInt8(truncatingIfNeeded: number >> (4 * place)) & 15))
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Writes the two digits of a byte behind a text in UTF-8.
  @inlinable public static func append(
    _ byte: UInt8, to text: inout [UInt8], letters: Letters = .lower
  ) {
    text.append(digit(byte >> 4, letters))
    text.append(digit(byte & 15, letters))
  }

  /// The bytes of a text; nil for a text that is not two digits for each byte.
  public static func decode(_ text: String, _ letters: ReadLetters = .any) -> [UInt8]? {
    decode(text[...], letters)
  }

  /// The bytes of a text; nil for a text that is not two digits for each byte.
  public static func decode(_ text: Substring, _ letters: ReadLetters = .any) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count / 2)
    var high: UInt8?
    for byte in text.utf8 {
      guard let value = value(of: byte), letters == .any || byte < 0x41 || byte > 0x46 else {
        return nil
      }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return high == nil ? bytes : nil
  }

  /// The digit of a value below 16.
  @inlinable public static func digit(_ value: UInt8, _ letters: Letters = .lower) -> UInt8 {
    value < 10 ? 0x30 + value : (letters == .lower ? 0x57 : 0x37) + value
  }

  /// The value of a digit, in either case; nil for a byte that is none.
  @inlinable public static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x37
    case 0x61...0x66: digit - 0x57
    default: nil
    }
  }
}
