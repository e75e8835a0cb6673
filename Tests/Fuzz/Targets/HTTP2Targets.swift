import HTTP2
import HTTP2Codes

/// An HTTP/2 session fed with bytes, on either side of a connection.
///
/// The first byte says how: whether the peer's bytes are taken as they are or made into frames, and
/// what is done with the streams; the second how the bytes are cut into pieces.
enum HTTP2Targets {
  static let server = FuzzTarget("http2-server") { bytes in try drive(.server, bytes) }
  static let client = FuzzTarget("http2-client") { bytes in try drive(.client, bytes) }

  private static func drive(_ role: HTTP2Session.Role, _ bytes: [UInt8]) throws {
    var input = FuzzInput(bytes)
    let manner = input.byte()
    let pattern = input.byte()
    let stream = manner & 1 == 0 ? input.rest() : frames(&input, role)
    let conversation = HTTP2Conversation(role: role, manner: manner)
    try conversation.begin()
    for piece in FuzzInput.pieces(of: stream, pattern) {
      guard try conversation.receive(Array(piece)) else { break }
    }
    try conversation.end()
  }

  /// Frames whose lengths are right: a type, flags, a stream and a length for each.
  private static func frames(_ input: inout FuzzInput, _ role: HTTP2Session.Role) -> [UInt8] {
    var out = role == .server ? Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) : []
    out += [0, 0, 0, 4, 0, 0, 0, 0, 0]
    while !input.isEmpty {
      let type = input.byte() % 12
      let flags = input.byte()
      let stream = input.byte() % 16
      let payload = input.take(Int(input.byte()))
      out += [0, 0, UInt8(payload.count), type, flags, 0, 0, 0, stream] + payload
    }
    return out
  }
}

/// One end of a connection, with a peer of whom nothing is known, and what must hold of its events.
final class HTTP2Conversation {
  private let session: HTTP2Session
  private let role: HTTP2Session.Role
  private let manner: UInt8
  private let settings: HTTP2Settings
  private var open: [ObjectIdentifier: HTTP2Stream] = [:]
  private var closed: [HTTP2Stream] = []
  private var isBroken = false

  init(role: HTTP2Session.Role, manner: UInt8) {
    self.role = role
    self.manner = manner
    var settings = HTTP2Settings()
    settings.maxConcurrentStreams = 8
    settings.initialWindowBytes = 1024
    settings.maxHeaderListBytes = 1024
    self.settings = settings
    session = HTTP2Session(role: role, settings: settings) { HTTP2Stream() }
  }

  func begin() throws {
    guard role == .client else { return }
    for number in 0..<3 {
      let stream = HTTP2Stream()
      if session.request(stream, Self.request, hasBody: number > 0) == .opened {
        open[ObjectIdentifier(stream)] = stream
        if number > 0 { session.send(stream, [UInt8](repeating: 7, count: 3000)) }
        if number == 2 { session.finish(stream, nil) }
      }
    }
    try produce()
  }

  /// False when the connection is over.
  func receive(_ piece: [UInt8]) throws -> Bool {
    do throws(HTTP2ConnectionError) {
      try piece.withUnsafeBufferPointer { bytes throws(HTTP2ConnectionError) in
        try session.receive(bytes)
      }
    } catch {
      isBroken = true
    }
    try take(piece)
    try produce()
    return !isBroken
  }

  private func produce() throws {
    for _ in 0..<100 {
      var output: [UInt8] = []
      do throws(HTTP2ConnectionError) {
        try session.produce(into: &output, limit: 16 << 10)
      } catch {
        isBroken = true
      }
      try take([])
      if output.isEmpty || isBroken { return }
    }
    throw Violation("the session does not stop sending")
  }

  private func take(_ piece: [UInt8]) throws {
    for event in session.takeEvents() {
      switch event {
      case .head(let stream, let block, _):
        try begun(stream.object)
        try check(block.object)
        answer(stream.object)
      case .headTooLarge(let stream, _):
        try begun(stream.object)
        session.reset(stream.object, errorCode: .protocolError)
      case .trailers(let stream, let block):
        try known(stream.object)
        try check(block.object)
      case .data(let stream, let range, _):
        let stream = stream.object
        try known(stream)
        try require(
          piece.indices.contains(range.lowerBound) && range.upperBound <= piece.count,
          "data \(range) is not among the \(piece.count) bytes that came")
        if manner & 2 == 0 { session.release(stream, range.count) }
        if manner & 4 != 0 { session.send(stream, Array(piece[range])) }
      case .end(let stream):
        try known(stream.object)
        session.finish(stream.object, manner & 8 == 0 ? nil : Self.trailers)
      case .writable(let stream): try known(stream.object)
      case .closed(let stream, _):
        // A request of ours may be refused before any head; one of the peer's that is cut short
        // closes before its head is whole.
        let stream = stream.object
        open[ObjectIdentifier(stream)] = nil
        try require(stream.isClosed, "closed, it says it is not")
        try require(!closed.contains { $0 === stream }, "closed twice")
        closed.append(stream)
      case .goAway, .pingReceived, .pingAcknowledged, .settingsReceived: break
      }
    }
    try require(
      session.openStreams <= Int(settings.maxConcurrentStreams) + 1,
      "\(session.openStreams) streams are open")
  }

  private func begun(_ stream: HTTP2Stream) throws {
    try require(!closed.contains { $0 === stream }, "a head after the stream is closed")
    open[ObjectIdentifier(stream)] = stream
  }

  private func known(_ stream: HTTP2Stream) throws {
    try require(open[ObjectIdentifier(stream)] != nil, "an event of a stream that is not open")
  }

  private func check(_ block: HeaderBlock) throws {
    try require(block.ends.count.isMultiple(of: 2), "a name without a value")
    try require(
      zip(block.ends, block.ends.dropFirst()).allSatisfy(<=)
        && Int(block.ends.last ?? 0) == block.bytes.count, "the block's ends are not in order")
    try require(
      block.bytes.count + 16 * block.ends.count <= Int(settings.maxHeaderListBytes),
      "a block over the limit")
    try require(
      max(block.methodField, block.pathField) < block.ends.count / 2, "a field that is not there")
  }

  private func answer(_ stream: HTTP2Stream) {
    guard role == .server else { return }
    switch manner >> 4 & 3 {
    case 0: session.respond(stream, Self.response, hasBody: false)
    case 1:
      session.respond(stream, Self.response, hasBody: true)
      session.send(stream, [UInt8](repeating: 1, count: 40_000))
      session.finish(stream, Self.trailers)
    case 2: session.respond(stream, Self.response, hasBody: true)
    default: session.reset(stream, errorCode: .cancel)
    }
  }

  /// Ends the connection in the middle, in one of two ways.
  func end() throws {
    if manner & 0x40 != 0, !isBroken {
      session.announceShutdown()
      session.ping(1)
      try produce()
      session.goAway()
      try produce()
    }
    let left = session.abandon()
    for (stream, _) in left {
      try require(stream.isClosed, "abandoned, it says it is open")
      try require(!closed.contains { $0 === stream }, "closed, it is abandoned too")
    }
    try require(session.openStreams == 0, "streams are open after the end")
  }

  private static func headers(_ fields: [(String, String)]) -> OutgoingHeaders {
    var bytes: [UInt8] = []
    var ends: [UInt32] = []
    for text in fields.flatMap({ [$0, $1] }) {
      bytes += text.utf8
      ends.append(UInt32(bytes.count))
    }
    return .fields(bytes: bytes, ends: ends)
  }

  private static let request = headers([
    (":method", "POST"), (":scheme", "http"), (":path", "/a"), (":authority", "x"),
  ])
  private static let response = headers([(":status", "200"), ("content-type", "text/plain")])
  private static let trailers = headers([("grpc-status", "0")])
}
