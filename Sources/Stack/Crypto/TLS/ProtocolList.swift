internal import COpenSSL

/// Application protocols in order of preference (ALPN, RFC 7301).
final class ProtocolList: Sendable {
  let names: [[UInt8]]

  init(_ names: [String]) throws(CryptoError) {
    self.names = names.map { Array($0.utf8) }
    guard self.names.allSatisfy({ (1...255).contains($0.count) }) else {
      throw CryptoError(.malformed, "an application protocol's name must have 1 to 255 bytes")
    }
  }

  /// The names with a length byte before each, as they stand in a client's offer.
  var wire: [UInt8] { names.flatMap { [UInt8($0.count)] + $0 } }

  /// Where in a client's offer our most preferred protocol stands; nil when none of ours is
  /// offered.
  ///
  /// The offer is borrowed for the call.
  func choose(from offer: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
    for name in names {
      var position = 0
      while position < offer.count {
        let start = position + 1
        let end = unsafe start + Int(offer[position])
        guard end <= offer.count else { return nil }
        if unsafe name.elementsEqual(offer[start..<end]) { return start..<end }
        position = end
      }
    }
    return nil
  }
}
