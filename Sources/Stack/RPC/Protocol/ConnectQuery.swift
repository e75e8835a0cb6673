/// The query of a Connect GET: `?connect=v1&encoding=json&message=…&base64=1&compression=gzip`.
struct ConnectQuery {
  var encoding = ""
  var message: [UInt8] = []
  var compression: String?

  /// Nil when the query is malformed.
  init?(_ query: Substring) {
    var isBase64 = false
    var raw: [UInt8]?
    for part in query.split(separator: "&", omittingEmptySubsequences: true) {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = pair.count == 2 ? Self.unescape(pair[1]) : []
      guard let value else { return nil }
      switch pair[0] {
      case "encoding": encoding = String(decoding: value, as: UTF8.self)
      case "message": raw = value
      case "base64": isBase64 = value == [UInt8(ascii: "1")]
      case "compression":
        let name = String(decoding: value, as: UTF8.self)
        compression = name == "identity" || name.isEmpty ? nil : name
      case "connect":
        if value != Array("v1".utf8) { return nil }
      default: break
      }
    }
    guard let raw else { return nil }
    if isBase64 {
      guard let bytes = Base64.decode(raw) else { return nil }
      message = bytes
    } else {
      message = raw
    }
  }

  private static func unescape(_ text: Substring) -> [UInt8]? {
    var out: [UInt8] = []
    var bytes = text.utf8[...]
    while let byte = bytes.popFirst() {
      switch byte {
      case UInt8(ascii: "+"): out.append(0x20)
      case UInt8(ascii: "%"):
        guard let high = bytes.popFirst().flatMap(hex), let low = bytes.popFirst().flatMap(hex)
        else { return nil }
        out.append(high << 4 | low)
      default: out.append(byte)
      }
    }
    return out
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
