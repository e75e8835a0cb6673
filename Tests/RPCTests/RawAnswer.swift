import HTTP2
import RPC

extension RawConnection {
  /// A response, put together from the frames of one stream.
  static func answer(_ frames: [Frame]) throws -> (fields: [String: String], body: [UInt8]) {
    // A client's session reads the header blocks; what it would send goes nowhere.
    let session = HTTP2Session(role: .client, settings: HTTP2Settings()) { HTTP2Stream() }
    let request = HeaderFields([":method": "GET", ":scheme": "http", ":path": "/"])
    _ = session.request(
      HTTP2Stream(), .fields(bytes: request.bytes, ends: request.ends), hasBody: false)
    var sent: [UInt8] = []
    try session.produce(into: &sent, limit: 1 << 20)
    var bytes = frame(4, flags: 0, stream: 0, [])
    for each in frames where each.type < 2 {
      bytes += frame(each.type, flags: each.flags, stream: 1, each.payload)
    }
    var fields: [String: String] = [:]
    var body: [UInt8] = []
    try bytes.withUnsafeBufferPointer { try session.receive($0) }
    for event in session.takeEvents() {
      switch event {
      case .head(_, let block, _), .trailers(_, let block):
        let found = HeaderFields(bytes: block.object.bytes, ends: block.object.ends)
        for i in 0..<found.count { fields[found.name(i)] = found.value(i) }
      case .data(_, let range, _): body += bytes[range]
      default: break
      }
    }
    return (fields, body)
  }
}
