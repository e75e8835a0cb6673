internal import Encodings

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
      let value = pair.count == 2 ? PercentEncoding.decode(pair[1], plus: .space) : []
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
      guard let bytes = Base64.decode(raw, .peers) else { return nil }
      message = bytes
    } else {
      message = raw
    }
  }
}
