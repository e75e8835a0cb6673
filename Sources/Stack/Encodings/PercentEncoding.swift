/// Percent-encoding (RFC 3986 section 2.1).
public enum PercentEncoding {
  /// The bytes that stand for themselves; each other byte of a text's UTF-8 becomes `%` and two upper-case digits.
  public enum Plain: Sendable, Hashable {
    /// The unreserved characters of RFC 3986 section 2.3, for a part of a URL.
    case unreserved
    /// Space to tilde without `%`, for a field of HTTP, as `grpc-message` has it. A space at either end does not stand for
    /// itself, because a field has none there (RFC 9113 section 8.2.1).
    case fieldValue

    fileprivate func contains(_ byte: UInt8) -> Bool {
      switch self {
      case .unreserved:
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
        default: false
        }
      case .fieldValue: byte >= 0x20 && byte <= 0x7E && byte != 0x25
      }
    }
  }

  /// What `+` is when it is read.
  public enum Plus: Sendable, Hashable {
    case itself
    /// A space, as in the query of a URL (`application/x-www-form-urlencoded`).
    case space
  }

  public static func encode(_ text: String, keeping plain: Plain) -> String {
    let bytes = text.utf8
    let endsPlain = plain == .unreserved || bytes.first != 0x20 && bytes.last != 0x20
    if endsPlain && bytes.allSatisfy(plain.contains) { return text }
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count + 16)
    let last = bytes.count - 1
    for (position, byte) in bytes.enumerated() {
      if plain.contains(byte) && !(byte == 0x20 && (position == 0 || position == last)) {
        out.append(byte)
      } else {
        out.append(0x25)
        Hexadecimal.append(byte, to: &out, letters: .upper)
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The bytes of a text; nil when a `%` has no two digits behind it.
  public static func decode(_ text: Substring, plus: Plus = .itself) -> [UInt8]? {
    var out: [UInt8] = []
    var rest = text.utf8
    while let byte = rest.popFirst() {
      switch byte {
      case 0x25:
        guard let high = rest.popFirst().flatMap(Hexadecimal.value),
          let low = rest.popFirst().flatMap(Hexadecimal.value)
        else { return nil }
        out.append(high << 4 | low)
      case UInt8(ascii: "+") where plus == .space: out.append(0x20)
      default: out.append(byte)
      }
    }
    return out
  }

  /// The text behind an encoded one. A `%` without two digits behind it stays as it stands, and bytes that are no UTF-8
  /// become U+FFFD: a message is not to be lost over its form.
  public static func decodeTolerantly(_ text: String) -> String {
    let bytes = Array(text.utf8)
    guard bytes.contains(0x25) else { return text }
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var position = 0
    while position < bytes.count {
      if bytes[position] == 0x25, position + 2 < bytes.count,
        let high = Hexadecimal.value(of: bytes[position + 1]),
        let low = Hexadecimal.value(of: bytes[position + 2])
      {
        out.append(high << 4 | low)
        position += 3
      } else {
        out.append(bytes[position])
        position += 1
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
