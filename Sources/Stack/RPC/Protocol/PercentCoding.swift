/// The percent-encoding of `grpc-message` (gRPC HTTP/2 document, "Responses").
package enum PercentCoding {
  /// Bytes outside space…tilde, and `%`, become `%XX`. So do spaces at the ends, where HTTP/2 has none
  /// (RFC 9113 section 8.2.1).
  package static func encode(_ text: String) -> String {
    let bytes = text.utf8
    if bytes.first != 0x20 && bytes.last != 0x20
      && bytes.allSatisfy({ $0 >= 0x20 && $0 <= 0x7e && $0 != 0x25 })
    {
      return text
    }
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    for (i, byte) in bytes.enumerated() {
      let isAtEnd = i == 0 || i == bytes.count - 1
      if byte >= 0x20 && byte <= 0x7e && byte != 0x25 && !(byte == 0x20 && isAtEnd) {
        out.append(byte)
      } else {
        out.append(0x25)
        out.append(digits[Int(byte >> 4)])
        out.append(digits[Int(byte & 15)])
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Invalid escapes are kept as they stand: a status must not be lost over its text.
  package static func decode(_ text: String) -> String {
    let bytes = Array(text.utf8)
    guard bytes.contains(0x25) else { return text }
    var out: [UInt8] = []
    var i = 0
    while i < bytes.count {
      if bytes[i] == 0x25, i + 2 < bytes.count, let high = hex(bytes[i + 1]),
        let low = hex(bytes[i + 2])
      {
        out.append(high << 4 | low)
        i += 3
      } else {
        out.append(bytes[i])
        i += 1
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static func hex(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }
}
