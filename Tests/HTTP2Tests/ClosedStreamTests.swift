import HTTP2
import HTTP2Codes
import Testing

/// A server's session, given raw frames in pieces of any size.
final class RawServer {
  let session: HTTP2Session
  private var accepted: [HTTP2Stream] = []
  /// What the server has sent, frame by frame.
  private(set) var answers: [Answer] = []

  struct Answer: Equatable {
    var type: UInt8
    var stream: UInt32
    /// The error code of RST_STREAM and GOAWAY.
    var code: UInt32 = 0
  }

  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  init(_ settings: HTTP2Settings = HTTP2Settings()) throws {
    session = HTTP2Session(role: .server, settings: settings) { HTTP2Stream() }
    try send(Self.preface + Self.frame(4, 0, 0))
  }

  static func frame(
    _ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8] = []
  )
    -> [UInt8]
  {
    [
      UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 255), UInt8(payload.count & 255), type,
      flags, UInt8(stream >> 24), UInt8(stream >> 16 & 255), UInt8(stream >> 8 & 255),
      UInt8(stream & 255),
    ] + payload
  }

  /// A request's head: POST, https, / and an authority.
  static func head(_ stream: UInt32, ends: Bool = false) -> [UInt8] {
    frame(1, ends ? 5 : 4, stream, [0x83, 0x87, 0x84, 0x41, 1, 0x78])
  }

  static func data(_ stream: UInt32, _ bytes: [UInt8] = [1], ends: Bool = false) -> [UInt8] {
    frame(0, ends ? 1 : 0, stream, bytes)
  }

  static func reset(_ stream: UInt32) -> [UInt8] { frame(3, 0, stream, [0, 0, 0, 8]) }

  /// Gives the bytes to the session, in pieces of that size.
  func send(_ bytes: [UInt8], pieces: Int = .max) throws {
    var at = 0
    while at < bytes.count {
      let piece = Array(bytes[at..<min(bytes.count, at + min(pieces, bytes.count))])
      try piece.withUnsafeBufferPointer { try session.receive($0) }
      at += piece.count
      for event in session.takeEvents() {
        if case .head(let stream, _, _) = event { accepted.append(stream.object) }
      }
    }
    try collect()
  }

  private func collect() throws {
    while true {
      var output: [UInt8] = []
      try session.produce(into: &output, limit: 1 << 20)
      _ = session.takeEvents()
      if output.isEmpty { return }
      var at = 0
      while at + 9 <= output.count {
        let word = { (i: Int) in output[i..<i + 4].reduce(0) { $0 << 8 | UInt32($1) } }
        let type = output[at + 3]
        answers.append(
          Answer(
            type: type, stream: word(at + 5),
            code: type == 3 ? word(at + 9) : type == 7 ? word(at + 13) : 0))
        at += 9 + Int(output[at]) << 16 | Int(output[at + 1]) << 8 | Int(output[at + 2])
      }
    }
  }

  /// Answers the newest request with a head alone.
  func answer() throws {
    session.respond(
      try #require(accepted.last), SessionPair.headers([":status": "200"]), hasBody: false)
    try collect()
  }

  func resetNewest() throws {
    session.reset(try #require(accepted.last), errorCode: .cancel)
    try collect()
  }

  /// The error code of the GOAWAY that ended the connection.
  var failure: UInt32? { answers.last { $0.type == 7 }?.code }
}

/// RFC 9113 section 5.1, "closed", and 5.1.1: what nghttp2 alone would let pass.
@Suite struct ClosedStreamTests {
  static let sizes = [1, 7, 9, 50, Int.max]

  @Test(
    "DATA or HEADERS after the peer's own RST_STREAM is an error of that stream alone",
    arguments: sizes)
  func afterReset(pieces: Int) throws {
    for late in [RawServer.data(1, ends: true), RawServer.head(1)] {
      let server = try RawServer()
      // As Netty sends a call that is cancelled while its request is being sent.
      try server.send(
        RawServer.head(1) + RawServer.reset(1) + RawServer.head(3) + late + RawServer.data(3),
        pieces: pieces)
      #expect(server.answers.contains(.init(type: 3, stream: 1, code: 5)))
      #expect(server.failure == nil)
      #expect(server.session.openStreams == 1)
    }
  }

  @Test("However much comes behind the peer's own RST_STREAM, one RST_STREAM answers it")
  func muchAfterReset() throws {
    let server = try RawServer()
    let late = Array(repeating: RawServer.data(1), count: 5000).flatMap { $0 }
    try server.send(RawServer.head(1) + RawServer.reset(1) + late)
    try server.send(late)
    #expect(server.answers.filter { $0.type == 3 } == [.init(type: 3, stream: 1, code: 5)])
    #expect(server.failure == nil)
  }

  @Test("DATA or HEADERS on a stream that both sides have ended is a connection error")
  func afterEnd() throws {
    for late in [RawServer.data(1), RawServer.head(1)] {
      let server = try RawServer()
      try server.send(RawServer.head(1, ends: true))
      try server.answer()
      #expect(server.failure == nil)
      try server.send(RawServer.head(3) + late)
      #expect(server.failure == 5)
    }
  }

  @Test("A new stream with a number that was passed over is a connection error", arguments: sizes)
  func tooLow(pieces: Int) throws {
    let server = try RawServer()
    try server.send(RawServer.head(5) + RawServer.head(3), pieces: pieces)
    #expect(server.failure == 1)
  }

  @Test("Frames that crossed this side's RST_STREAM are no error")
  func crossed() throws {
    let server = try RawServer()
    try server.send(RawServer.head(1))
    try server.resetNewest()
    try server.send(RawServer.head(3))
    // An answer before the request has ended resets the stream too.
    try server.answer()
    try server.send(
      RawServer.data(1) + RawServer.data(3) + RawServer.frame(1, 5, 1, [0, 1, 0x78, 1, 0x79]))
    #expect(server.failure == nil)
  }

  @Test("Frames on streams that came after GOAWAY are no error")
  func afterGoAway() throws {
    let server = try RawServer()
    try server.send(RawServer.head(1))
    server.session.goAway()
    try server.send(RawServer.head(3) + RawServer.data(3))
    try server.send(RawServer.data(3) + RawServer.data(1) + RawServer.head(5))
    try server.send(RawServer.data(5) + RawServer.data(1))
    #expect(server.failure == 0)
  }

  @Test("Of streams reset long ago nothing is held against the peer")
  func forgotten() throws {
    let server = try RawServer()
    for i in 0..<200 {
      try server.send(RawServer.head(UInt32(i * 2 + 1)))
      try server.resetNewest()
    }
    try server.send(RawServer.data(1) + RawServer.data(399))
    #expect(server.failure == nil)
  }

  @Test("Streams that take turns are told apart, however the bytes are cut", arguments: sizes)
  func interleaved(pieces: Int) throws {
    let server = try RawServer()
    var bytes: [UInt8] = []
    for id in [1, 3, 5] as [UInt32] { bytes += RawServer.head(id) }
    for _ in 0..<20 {
      for id in [1, 3, 5] as [UInt32] { bytes += RawServer.data(id, [1, 2, 3]) }
    }
    bytes += RawServer.reset(3) + RawServer.data(1, ends: true) + RawServer.head(7)
    bytes += RawServer.data(5, ends: true) + RawServer.data(7, ends: true)
    try server.send(bytes, pieces: pieces)
    #expect(server.failure == nil)
    #expect(server.session.openStreams == 3)
  }

  @Test(
    "Frames that do nothing end the connection with ENHANCE_YOUR_CALM, a few of them do not",
    arguments: [
      RawServer.frame(2, 0, 1, [0, 0, 0, 0, 9]), RawServer.frame(0, 0, 1),
      RawServer.frame(0x42, 0, 0, [1, 2]),
    ])
  func idleFrames(frame: [UInt8]) throws {
    let server = try RawServer()
    try server.send(RawServer.head(1))
    for _ in 0..<900 { try server.send(frame) }
    #expect(server.failure == nil)
    try server.send(Array(repeating: frame, count: 200).flatMap { $0 })
    #expect(server.failure == 0xb)
  }
}
