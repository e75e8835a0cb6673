import HTTP2
import HTTP2Codes

/// A client's and a server's session joined in memory: bytes are carried across until both are
/// quiet.
final class SessionPair {
  let client: HTTP2Session
  let server: HTTP2Session
  var clientEvents: [Event] = []
  var serverEvents: [Event] = []
  /// The newest stream that the client has opened, as the server sees it.
  var accepted: HTTP2Stream?

  /// An event with what it refers to copied out.
  enum Event: Equatable {
    case head([String], isLast: Bool)
    case trailers([String])
    case data([UInt8], isLast: Bool)
    case end, headTooLarge, writable, settings, pingAcknowledged, pingReceived
    case closed(HTTP2ErrorCode)
    case goAway(Int32, HTTP2ErrorCode)
  }

  init(
    server serverSettings: HTTP2Settings = HTTP2Settings(),
    client clientSettings: HTTP2Settings = HTTP2Settings()
  ) {
    client = HTTP2Session(role: .client, settings: clientSettings) { HTTP2Stream() }
    server = HTTP2Session(role: .server, settings: serverSettings) { HTTP2Stream() }
  }

  /// Carries bytes to and fro; bounded, since a fault could make it endless.
  func run() throws {
    for _ in 0..<10_000 {
      let moved = try carry(from: client, to: server) + carry(from: server, to: client)
      if moved == 0 { return }
    }
  }

  private func carry(from source: HTTP2Session, to sink: HTTP2Session) throws -> Int {
    var bytes: [UInt8] = []
    try source.produce(into: &bytes, limit: 1 << 20)
    note(source.takeEvents(), [], of: source)
    try bytes.withUnsafeBufferPointer { try sink.receive($0) }
    note(sink.takeEvents(), bytes, of: sink)
    return bytes.count
  }

  private func note(_ events: [HTTP2Event], _ input: [UInt8], of session: HTTP2Session) {
    for event in events {
      let noted: Event
      switch event {
      case .head(let stream, let block, let isLast):
        if session === server { accepted = stream.object }
        noted = .head(Self.lines(block.object), isLast: isLast)
      case .trailers(_, let block): noted = .trailers(Self.lines(block.object))
      case .headTooLarge(let stream, _):
        if session === server { accepted = stream.object }
        noted = .headTooLarge
      case .data(_, let range, let isLast): noted = .data(Array(input[range]), isLast: isLast)
      case .end: noted = .end
      case .writable: noted = .writable
      case .closed(_, let code): noted = .closed(code)
      case .goAway(let last, let code): noted = .goAway(last, code)
      case .pingReceived: noted = .pingReceived
      case .pingAcknowledged: noted = .pingAcknowledged
      case .settingsReceived: noted = .settings
      }
      if session === server { serverEvents.append(noted) } else { clientEvents.append(noted) }
    }
  }

  static func lines(_ block: HeaderBlock) -> [String] {
    var lines: [String] = []
    var start = 0
    for i in 0..<block.ends.count / 2 {
      let nameEnd = Int(block.ends[2 * i])
      let valueEnd = Int(block.ends[2 * i + 1])
      lines.append(
        String(decoding: block.bytes[start..<nameEnd], as: UTF8.self) + "="
          + String(decoding: block.bytes[nameEnd..<valueEnd], as: UTF8.self))
      start = valueEnd
    }
    return lines
  }

  static func headers(_ fields: KeyValuePairs<String, String>) -> OutgoingHeaders {
    var bytes: [UInt8] = []
    var ends: [UInt32] = []
    for (name, value) in fields {
      bytes += Array(name.utf8)
      ends.append(UInt32(bytes.count))
      bytes += Array(value.utf8)
      ends.append(UInt32(bytes.count))
    }
    return .fields(bytes: bytes, ends: ends)
  }

  static let request = headers([
    ":method": "POST", ":scheme": "http", ":path": "/a", ":authority": "x",
  ])
}
