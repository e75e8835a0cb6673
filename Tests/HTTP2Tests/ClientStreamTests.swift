import HTTP2Codes
import Testing

@testable import HTTP2

/// What a client's session does with the streams it opens.
@Suite struct ClientStreamTests {
  /// A client's session, given a server's frames.
  private final class RawClient {
    let session = HTTP2Session(role: .client, settings: HTTP2Settings()) { HTTP2Stream() }

    init() throws { _ = try exchange(RawServer.frame(4, 0, 0)) }

    /// Gives the frames to the session; what it has sent by then, as (type, stream, error code).
    func exchange(_ bytes: [UInt8]) throws -> [[Int]] {
      try bytes.withUnsafeBufferPointer { try session.receive($0) }
      _ = session.takeEvents()
      var output: [UInt8] = []
      try session.produce(into: &output, limit: 1 << 20)
      _ = session.takeEvents()
      if output.starts(with: RawServer.preface) { output.removeFirst(RawServer.preface.count) }
      var frames: [[Int]] = []
      var at = 0
      while at + 9 <= output.count {
        let length = Int(output[at]) << 16 | Int(output[at + 1]) << 8 | Int(output[at + 2])
        let type = Int(output[at + 3])
        frames.append([type, Int(output[at + 8])] + (type == 3 ? [Int(output[at + 12])] : []))
        at += 9 + length
      }
      return frames
    }
  }

  /// `:status: 200`, and the end of the stream.
  private static func answer(_ stream: UInt32) -> [UInt8] { RawServer.frame(1, 5, stream, [0x88]) }

  @Test("A request whose answer is whole before it is stopped; one that has ended is left alone")
  func answeredEarly() throws {
    let client = try RawClient()
    let open = HTTP2Stream()
    let whole = HTTP2Stream()
    _ = client.session.request(open, SessionPair.request, hasBody: true)
    client.session.send(open, [UInt8](repeating: 0, count: 300 << 10))
    client.session.finish(open, nil)
    _ = client.session.request(whole, SessionPair.request, hasBody: false)
    _ = try client.exchange([])
    #expect(open.bufferedBytes > 0)
    #expect(try client.exchange(Self.answer(1) + Self.answer(3)) == [[3, 1, 0]])
    #expect(open.isClosed && whole.isClosed)
    #expect(client.session.openStreams == 0 && client.session.bufferedBytes == 0)
  }

  @Test("A server that stops the request itself is not answered")
  func stoppedByServer() throws {
    let client = try RawClient()
    let stream = HTTP2Stream()
    _ = client.session.request(stream, SessionPair.request, hasBody: true)
    _ = try client.exchange([])
    #expect(
      try client.exchange(Self.answer(1) + RawServer.frame(3, 0, 1, [0, 0, 0, 0])) == [])
    #expect(stream.isClosed)
  }

  /// A client that knows how many streams its server allows.
  private static func pair(allowing streams: UInt32) throws -> SessionPair {
    var settings = HTTP2Settings()
    settings.maxConcurrentStreams = streams
    let pair = SessionPair(server: settings)
    try pair.run()
    return pair
  }

  @Test("Requests beyond what the peer allows wait, in order, and go when there is room")
  func waiting() throws {
    let pair = try Self.pair(allowing: 2)
    let streams = (0..<5).map { _ in HTTP2Stream() }
    for stream in streams {
      #expect(pair.client.request(stream, SessionPair.request, hasBody: true) == .opened)
      pair.client.send(stream, [7])
      pair.client.finish(stream, nil)
    }
    try pair.run()
    #expect(pair.server.openStreams == 2 && pair.client.openStreams == 5)
    #expect(streams.map(\.hasBegun) == [true, true, false, false, false])
    // One of those that wait is cancelled: gone at once, and never seen by the server.
    pair.client.reset(streams[2], errorCode: .cancel)
    #expect(streams[2].isClosed && pair.client.openStreams == 4)
    try pair.run()
    #expect(pair.clientEvents.last == .closed(.cancel))
    for _ in 0..<4 {
      let accepted = try #require(pair.accepted)
      pair.server.respond(accepted, SessionPair.headers([":status": "200"]), hasBody: false)
      try pair.run()
      pair.client.reset(streams[0], errorCode: .cancel)
      try pair.run()
    }
    #expect(streams.map(\.hasBegun) == [true, true, false, true, true])
    #expect(pair.serverEvents.count { $0 == .data([7], isLast: true) } == 4)
  }

  @Test("A hundred thousand requests that wait and are cancelled leave nothing behind")
  func cancelledWhileWaiting() throws {
    let pair = try Self.pair(allowing: 0)
    var last: [HTTP2Stream] = []
    for i in 0..<100_000 {
      let stream = HTTP2Stream()
      _ = pair.client.request(stream, SessionPair.request, hasBody: false)
      last.append(stream)
      if last.count > 10 { pair.client.reset(last.remove(at: i % 10), errorCode: .cancel) }
    }
    #expect(pair.client.openStreams == 10)
    for stream in last { pair.client.reset(stream, errorCode: .cancel) }
    try pair.run()
    #expect(pair.client.openStreams == 0)
    #expect(pair.serverEvents.allSatisfy { if case .head = $0 { false } else { true } })
  }

  @Test("A request that is taken back before it has left makes room for one that waits")
  func takenBack() throws {
    let pair = try Self.pair(allowing: 1)
    let streams = (0..<2).map { _ in HTTP2Stream() }
    for stream in streams {
      _ = pair.client.request(stream, SessionPair.request, hasBody: false)
    }
    pair.client.reset(streams[0], errorCode: .cancel)
    try pair.run()
    #expect(streams.map(\.hasBegun) == [false, true])
    #expect(streams.map(\.isClosed) == [true, false])
  }

  @Test("Requests that wait are refused when the peer takes no more")
  func refusedWhileWaiting() throws {
    let pair = try Self.pair(allowing: 1)
    let streams = (0..<3).map { _ in HTTP2Stream() }
    for stream in streams {
      _ = pair.client.request(stream, SessionPair.request, hasBody: true)
    }
    try pair.run()
    pair.server.goAway()
    try pair.run()
    #expect(
      pair.clientEvents.suffix(3) == [
        .closed(.refusedStream), .closed(.refusedStream), .goAway(1, .noError),
      ])
    #expect(streams.map(\.isClosed) == [false, true, true])
  }

  @Test("A connection that is given up gives out the requests that wait too")
  func abandoned() throws {
    let pair = try Self.pair(allowing: 1)
    for _ in 0..<3 {
      _ = pair.client.request(HTTP2Stream(), SessionPair.request, hasBody: true)
    }
    try pair.run()
    let streams = pair.client.abandon()
    #expect(streams.count == 3)
    #expect(streams.count { $0.stream.hasBegun } == 1)
  }

  @Test("A head that is larger than the peer takes is refused before it is sent")
  func headTooLarge() throws {
    let pair = SessionPair()
    try pair.run()
    let limit = Int(HTTP2Settings().maxHeaderListBytes)
    let stream = HTTP2Stream()
    let large = SessionPair.headers([
      ":method": "POST", ":path": "/", "x": String(repeating: "x", count: limit),
    ])
    #expect(pair.client.request(stream, large, hasBody: true) == .headTooLarge(limit: limit))
    #expect(pair.client.openStreams == 0)
    #expect(pair.client.outgoingHeadLimit == limit)
  }

  @Test("White space around a field's value is no part of it")
  func whiteSpace() throws {
    let pair = SessionPair()
    let request = SessionPair.headers([
      ":method": "POST", ":scheme": "http", ":path": "/a", ":authority": "x", "a": " v",
      "b": "v \t",
      "c": "  ", "d": "v v",
    ])
    _ = pair.client.request(HTTP2Stream(), request, hasBody: false)
    try pair.run()
    guard case .head(let lines, _)? = pair.serverEvents.last else {
      Issue.record("\(pair.serverEvents)")
      return
    }
    #expect(lines.suffix(4) == ["a=v", "b=v", "c=", "d=v v"])
  }
}

/// Peers that make the server reset their streams, rather than do so themselves.
@Suite struct ResetBudgetTests {
  @Test("Breaking the rules on stream after stream ends the connection")
  func madeYouReset() throws {
    // A window beyond 2^31 - 1.
    let fault = RawServer.frame(8, 0, 0, [0x7f, 0xff, 0xff, 0xff])
    let server = try RawServer()
    var id: UInt32 = 1
    while id < 6000, !server.session.isCondemned {
      var frame = fault
      frame[7] = UInt8(id >> 8)
      frame[8] = UInt8(id & 255)
      try server.send(RawServer.head(id) + frame)
      id += 2
    }
    let resets = server.answers.count { $0.type == 3 }
    #expect((1000...1100).contains(resets), "\(resets) streams were reset")
    #expect(server.session.isCondemned)
    #expect(server.answers.last?.type == 7 && server.answers.last?.code == 11)
  }

  @Test("Trailers that are too large count too: behind them a handler runs")
  func largeTrailers() throws {
    var settings = HTTP2Settings()
    settings.maxHeaderListBytes = 200
    let server = try RawServer(settings)
    let value = [UInt8](repeating: 0x78, count: 100)
    let block = [0x00, 0x01, 0x79, 100] + value + [0x00, 0x01, 0x79, 100] + value
    var id: UInt32 = 1
    while id < 6000, !server.session.isCondemned {
      try server.send(RawServer.head(id) + RawServer.frame(1, 5, id, block))
      id += 2
    }
    #expect(server.session.isCondemned && (1990...2200).contains(id))
  }

  @Test("Resets that the peer did not cause do not count, and the budget grows with time")
  func budget() {
    let start = ContinuousClock.now
    var budget = ResetBudget(burst: 10, perSecond: 5)
    for code: HTTP2ErrorCode in [
      .noError, .internalError, .refusedStream, .cancel, .enhanceYourCalm, .unknown(99),
    ] {
      for _ in 0..<20 { budget.count(code, now: start) }
    }
    for _ in 0..<10 { budget.count(.protocolError, now: start) }
    #expect(!budget.isSpent)
    for _ in 0..<5 { budget.count(.flowControlError, now: start + .seconds(1)) }
    #expect(!budget.isSpent)
    budget.count(.streamClosed, now: start + .seconds(1))
    #expect(budget.isSpent)
  }
}
