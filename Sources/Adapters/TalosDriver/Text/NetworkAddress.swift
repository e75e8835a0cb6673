/// The text of an IP address, as certificates and talosconfigs have it (RFC 5952).
enum NetworkAddress {
  /// - Parameter bytes: 4 or 16 bytes in network order. Nil for any other count.
  static func text(_ bytes: [UInt8]) -> String? {
    switch bytes.count {
    case 4: return bytes.map(String.init).joined(separator: ".")
    case 16:
      let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
      if bytes.starts(with: mapped) { return text(Array(bytes[12...])) }
      return groups(
        stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) })
    default: return nil
    }
  }

  /// The longest run of two or more zero groups becomes `::`, the first of equals.
  private static func groups(_ groups: [UInt16]) -> String {
    var best = 0..<0
    var start = 0
    while start < 8 {
      guard groups[start] == 0 else {
        start += 1
        continue
      }
      var end = start
      while end < 8, groups[end] == 0 { end += 1 }
      if end - start > max(best.count, 1) { best = start..<end }
      start = end
    }
    func hex(_ range: Range<Int>) -> String {
      groups[range].map { String($0, radix: 16) }.joined(separator: ":")
    }
    return best.isEmpty ? hex(0..<8) : hex(0..<best.lowerBound) + "::" + hex(best.upperBound..<8)
  }

  /// Whether a text has nothing in it that an IP address has not: what a peer calls an address is dialled, and stands in the
  /// fields of calls.
  static func looksLikeAddress(_ text: String) -> Bool {
    (2...45).contains(text.utf8.count) && text.utf8.contains { $0 == 0x2E || $0 == 0x3A }
      && text.utf8.allSatisfy {
        switch $0 {
        case 0x30...0x3A, 0x2E, 0x61...0x66, 0x41...0x46: true
        default: false
        }
      }
  }

  static func isV6(_ address: String) -> Bool { address.contains(":") }
}
