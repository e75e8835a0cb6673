import Crypto

extension Base64 {
  /// The base64 of a text's UTF-8.
  static func encode(_ text: String) -> String { encode(Array(text.utf8)) }

  /// Reads base64 into which YAML may have folded white space; nil for what is none. Set bits behind the last
  /// byte do not matter, as with Go's `base64.StdEncoding`, with which Talos reads.
  static func decodeFolded(_ text: String) -> [UInt8]? {
    decode(
      text.utf8.filter { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 },
      ignoresTrailingBits: true)
  }
}
