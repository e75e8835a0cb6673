internal import Encodings

/// Decodes gRPC-Web-Text: base64 that comes in pieces and may be padded in the middle, where one
/// frame's text ends and the next begins.
struct Base64StreamDecoder {
  private var quad: [UInt8] = []

  var isAtBoundary: Bool { quad.isEmpty }

  /// The bytes that the piece completes; nil when it is not base64.
  mutating func decode(_ data: borrowing Span<UInt8>) -> [UInt8]? {
    var out: [UInt8] = []
    out.reserveCapacity(data.count * 3 / 4 + 3)
    for i in data.indices {
      quad.append(data[i])
      if quad.count == 4 {
        guard let bytes = Base64.decode(quad, .peers) else { return nil }
        out += bytes
        quad.removeAll(keepingCapacity: true)
      }
    }
    return out
  }
}
