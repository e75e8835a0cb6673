/// The strings of JSON (RFC 8259 section 7), for whoever writes or reads a document without a codec, and for the codec.
public enum JSONText {
  /// A text as a JSON string, in quotation marks.
  public static func quoted(_ text: String) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count + 2)
    append(text, to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// Writes a text as a JSON string behind a document in UTF-8. The control characters of ASCII, U+007F included, become
  /// escapes.
  public static func append(_ text: String, to document: inout [UInt8]) {
    document.append(UInt8(ascii: "\""))
    var text = text
    text.withUTF8 { utf8 in
      var plain = 0
      for position in utf8.indices where needsEscape(utf8[position]) {
        document.append(contentsOf: utf8[plain..<position])
        appendEscape(utf8[position], to: &document)
        plain = position + 1
      }
      document.append(contentsOf: utf8[plain...])
    }
    document.append(UInt8(ascii: "\""))
  }

  @inline(__always) private static func needsEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F
  }

  private static func appendEscape(_ byte: UInt8, to document: inout [UInt8]) {
    document.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): document.append(byte)
    case 0x0A: document.append(UInt8(ascii: "n"))
    case 0x0D: document.append(UInt8(ascii: "r"))
    case 0x09: document.append(UInt8(ascii: "t"))
    default:
      document.append(UInt8(ascii: "u"))
      document.append(0x30)
      document.append(0x30)
      Hexadecimal.append(byte, to: &document)
    }
  }

  /// `\u` and the four digits of a UTF-16 code unit: what may stand for a character that `append` writes as it is.
  public static func escape(_ unit: UInt16) -> String {
    "\\u" + Hexadecimal.encode(UInt64(unit), digits: 4)
  }
}

// MARK: - Reading

extension JSONText {
  /// What is wrong with an escape.
  public enum EscapeFault: Error, Hashable {
    /// JSON has no escape of that letter, or the text ends.
    case unknown
    /// One of the four digits behind `\u` is none.
    case noHexadecimalDigit
    /// Half of a pair of UTF-16 code units stands without the other half.
    case halfCharacter
  }

  /// Reads one escape, and writes what it stands for behind `bytes`, in UTF-8.
  ///
  /// - Parameters:
  ///   - text: the document.
  ///   - position: where the escape's letter stands, behind the backslash; then the place behind the escape, or where the
  ///     fault was found.
  public static func readEscape(
    _ text: borrowing Span<UInt8>, at position: inout Int, to bytes: inout [UInt8]
  ) throws(EscapeFault) {
    guard position < text.count else { throw .unknown }
    let letter = text[position]
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(letter)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0C)
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "u"):
      position += 1
      return bytes.append(contentsOf: try readScalar(text, at: &position).utf8)
    default: throw .unknown
    }
    position += 1
  }

  /// Four hexadecimal digits, or eight with `\u` between them for a character beyond U+FFFF.
  private static func readScalar(
    _ text: borrowing Span<UInt8>, at position: inout Int
  ) throws(EscapeFault) -> Unicode.Scalar {
    let first = try readUnit(text, at: &position)
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, position + 1 < text.count, text[position] == UInt8(ascii: "\\"),
      text[position + 1] == UInt8(ascii: "u")
    else { throw .halfCharacter }
    position += 2
    let second = try readUnit(text, at: &position)
    guard (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw .halfCharacter }
    return scalar
  }

  private static func readUnit(
    _ text: borrowing Span<UInt8>, at position: inout Int
  ) throws(EscapeFault) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard position < text.count, let digit = Hexadecimal.value(of: text[position]) else {
        throw .noHexadecimalDigit
      }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }
}
