/// Base64 (RFC 4648 sections 4 and 5).
public enum Base64 {
  /// Which 64 digits a text is written in.
  public enum Alphabet: Sendable, Hashable {
    /// Section 4: the last two digits are `+` and `/`.
    case standard
    /// Section 5, for URLs and names of files: the last two digits are `-` and `_`.
    case url

    fileprivate var digits: [UInt8] { self == .standard ? Base64.standardDigits : Base64.urlDigits }
  }

  /// The text of bytes, without line breaks.
  ///
  /// - Parameter padded: whether `=` fills the last group of four digits up.
  public static func encode(
    _ bytes: [UInt8], alphabet: Alphabet = .standard, padded: Bool = true
  ) -> String {
    String(decoding: encodedBytes(bytes, alphabet: alphabet, padded: padded), as: UTF8.self)
  }

  /// The base64 of a text's UTF-8, with padding.
  public static func encode(_ text: String) -> String { encode(Array(text.utf8)) }

  /// As `encode`, in UTF-8. No other copy of the digits is left behind in memory.
  public static func encodedBytes(
    _ bytes: [UInt8], alphabet: Alphabet = .standard, padded: Bool = true
  ) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    append(bytes, to: &text, alphabet: alphabet, padded: padded)
    return text
  }

  /// Writes the text of bytes behind a text in UTF-8.
  public static func append(
    _ bytes: [UInt8], to text: inout [UInt8], alphabet: Alphabet = .standard, padded: Bool = true
  ) {
    let digits = alphabet.digits
    var position = 0
    while bytes.count - position >= 3 {
      let group =
        UInt32(bytes[position]) << 16 | UInt32(bytes[position + 1]) << 8
        | UInt32(bytes[position + 2])
      text.append(digits[Int(group >> 18)])
      text.append(digits[Int(group >> 12 & 63)])
      text.append(digits[Int(group >> 6 & 63)])
      text.append(digits[Int(group & 63)])
      position += 3
    }
    let left = bytes.count - position
    guard left > 0 else { return }
    let group =
      UInt32(bytes[position]) << 16 | (left == 2 ? UInt32(bytes[position + 1]) << 8 : 0)
    text.append(digits[Int(group >> 18)])
    text.append(digits[Int(group >> 12 & 63)])
    if left == 2 { text.append(digits[Int(group >> 6 & 63)]) }
    if padded { text.append(contentsOf: repeatElement(UInt8(ascii: "="), count: 3 - left)) }
  }

  fileprivate static let standardDigits = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  fileprivate static let urlDigits = Array(standardDigits.dropLast(2)) + Array("-_".utf8)
}

// MARK: - Reading

extension Base64 {
  /// What counts as base64 when it is read.
  public struct Rules: Sendable, Hashable {
    public enum Digits: Sendable, Hashable {
      /// Those of the standard alphabet.
      case standard
      /// Those of the standard alphabet and of the one for URLs, also side by side.
      case standardAndURL
    }

    public enum Padding: Sendable, Hashable {
      /// The last group of four digits is filled up.
      case required
      /// The last group is filled up, or has no padding at all.
      case optional
      /// Up to two `=` end the text, however many the last group needs.
      case upToTwo
    }

    /// The bits of the last digit that no byte is made of.
    public enum TrailingBits: Sendable, Hashable {
      /// They are 0, so that no two texts mean the same bytes.
      case zero
      /// They do not matter.
      case any
    }

    /// Spaces, tabs, carriage returns and line feeds.
    public enum WhiteSpace: Sendable, Hashable { case refused, skipped }

    public var digits: Digits
    public var padding: Padding
    public var trailingBits: TrailingBits
    public var whiteSpace: WhiteSpace

    public init(
      digits: Digits = .standard, padding: Padding = .required, trailingBits: TrailingBits = .zero,
      whiteSpace: WhiteSpace = .refused
    ) {
      self.digits = digits
      self.padding = padding
      self.trailingBits = trailingBits
      self.whiteSpace = whiteSpace
    }

    /// Exactly what `encode` writes with the standard alphabet and padding.
    public static let strict = Rules()

    /// As Go's `base64.StdEncoding` reads, with which Talos reads its configurations, and with the white space that YAML
    /// and PEM fold into a text.
    public static let folded = Rules(trailingBits: .any, whiteSpace: .skipped)
  }

  /// The bytes of a text; nil for a text that the rules do not let pass.
  public static func decode(_ text: String, _ rules: Rules = .strict) -> [UInt8]? {
    let text = text.utf8
    return decode(text.span, rules)
  }

  /// As for a text, on its UTF-8.
  public static func decode(_ text: [UInt8], _ rules: Rules = .strict) -> [UInt8]? {
    decode(text.span, rules)
  }

  /// As for a text, on its UTF-8.
  public static func decode(_ text: ArraySlice<UInt8>, _ rules: Rules = .strict) -> [UInt8]? {
    decode(text.span, rules)
  }

  /// As for a text, on its UTF-8. No other copy of the bytes is left behind in memory.
  public static func decode(_ text: borrowing Span<UInt8>, _ rules: Rules) -> [UInt8]? {
    let values = rules.digits == .standard ? standardValues : allValues
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3 + 3)
    var group: UInt32 = 0
    var digits = 0
    var padding = 0
    for position in text.indices {
      let byte = text[position]
      let value = values[Int(byte)]
      guard value != noDigit else {
        if byte == UInt8(ascii: "=") {
          padding += 1
        } else if rules.whiteSpace == .refused || !isWhiteSpace(byte) {
          return nil
        }
        continue
      }
      guard padding == 0 else { return nil }
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
    switch digits {
    case 0: break
    case 2:
      guard rules.trailingBits == .any || group & 0xF == 0 else { return nil }
      bytes.append(UInt8(truncatingIfNeeded: group >> 4))
    case 3:
      guard rules.trailingBits == .any || group & 0x3 == 0 else { return nil }
      bytes.append(UInt8(truncatingIfNeeded: group >> 10))
      bytes.append(UInt8(truncatingIfNeeded: group >> 2))
    default: return nil
    }
    let missing = digits == 0 ? 0 : 4 - digits
    let isPadded =
      switch rules.padding {
      case .required: padding == missing
      case .optional: padding == missing || padding == 0
      case .upToTwo: padding <= 2
      }
    return isPadded ? bytes : nil
  }

  private static func isWhiteSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
  }

  private static let noDigit: UInt8 = 0xFF

  /// The value of each byte as a digit.
  private static let standardValues = values(of: [standardDigits])
  private static let allValues = values(of: [standardDigits, urlDigits])

  private static func values(of alphabets: [[UInt8]]) -> [UInt8] {
    var values = [UInt8](repeating: noDigit, count: 256)
    for digits in alphabets {
      for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
    }
    return values
  }
}
