import HTTP2Codes
import Testing

@testable import HTTP2

/// The list of a session's streams.
@Suite struct StreamListTests {
  private func numbers(_ list: StreamList) -> [Int32] {
    var numbers: [Int32] = []
    var at = list.first
    while let stream = at {
      let object = stream.takeUnretainedValue()
      numbers.append(object.id)
      at = object.next
    }
    return numbers
  }

  private func stream(_ id: Int32) -> HTTP2Stream {
    let stream = HTTP2Stream()
    stream.id = id
    return stream
  }

  @Test("Streams are linked newest first, and taken out from any place")
  func order() {
    for removed in 0..<4 {
      var list = StreamList()
      let linked = (0..<4).map { list.link(stream(Int32($0))) }
      #expect(list.count == 4 && numbers(list) == [3, 2, 1, 0])
      #expect(list.unlink(linked[removed]).id == Int32(removed))
      #expect(list.count == 3 && numbers(list) == [3, 2, 1, 0].filter { $0 != removed })
      list.unlinkAll()
      #expect(list.count == 0 && list.first == nil)
    }
  }

  @Test("The list keeps a stream for as long as the stream is linked, and no longer")
  func ownership() {
    var list = StreamList()
    weak var kept: HTTP2Stream?
    do {
      let stream = stream(1)
      kept = stream
      _ = list.link(stream)
    }
    #expect(kept != nil)
    list.unlinkAll()
    #expect(kept == nil)
  }

  @Test("A stream is found by its number, and not after it was taken out")
  func find() {
    var list = StreamList()
    let one = list.link(stream(1))
    let three = list.link(stream(3))
    var asked = 0
    func find(_ id: Int32, _ known: Unmanaged<HTTP2Stream>?) -> HTTP2Stream? {
      list.stream(id) {
        asked += 1
        return known?.toOpaque()
      }?.takeUnretainedValue()
    }
    #expect(find(1, one)?.id == 1 && find(1, one)?.id == 1)
    #expect(asked == 1, "what was asked for last is known")
    #expect(find(5, nil) == nil)
    list.expect(3, three)
    #expect(find(3, nil)?.id == 3 && asked == 2)
    #expect(list.search(1)?.takeUnretainedValue().id == 1 && list.search(7) == nil)
    list.unlink(three)
    #expect(find(3, nil) == nil && asked == 3)
    list.unlinkAll()
  }
}

/// The events that a session's owner has not taken.
@Suite struct EventBufferTests {
  @Test("END_STREAM joins the data just before it, and only that of the same stream")
  func ends() {
    var buffer = EventBuffer(EventStorage())
    let (one, two) = (HTTP2Stream(), HTTP2Stream())
    buffer.begin()
    buffer.append(.data(EventReference(one), 0..<3, isLast: false))
    buffer.appendEnd(of: .passUnretained(one))
    buffer.append(.data(EventReference(one), 3..<4, isLast: false))
    buffer.appendEnd(of: .passUnretained(two))
    let events = buffer.take()
    guard events.count == 3, case .data(_, 0..<3, isLast: true) = events[0],
      case .data(_, 3..<4, isLast: false) = events[1], case .end(let ended) = events[2]
    else {
      Issue.record("\(events)")
      return
    }
    #expect(ended.object === two)
  }

  @Test("What an event refers to lives until the events are given back")
  func lifetime() {
    var buffer = EventBuffer(EventStorage())
    weak var kept: HTTP2Stream?
    do {
      let stream = HTTP2Stream()
      kept = stream
      buffer.append(.closed(EventReference(stream), errorCode: .cancel))
      buffer.keep(stream)
    }
    #expect(buffer.ends.map(\.errorCode) == [.cancel])
    let events = buffer.take()
    #expect(events.count == 1 && kept != nil && buffer.ends.isEmpty)
    buffer.recycle(events)
    #expect(kept == nil)
    #expect(buffer.take().isEmpty)
  }

  @Test("Sessions of one loop share the room, which only one of them has at a time")
  func shared() {
    let storage = EventStorage()
    storage.events.reserveCapacity(100)
    var (one, two) = (EventBuffer(storage), EventBuffer(storage))
    one.begin()
    #expect(storage.events.capacity == 0)
    one.append(.pingReceived)
    let events = one.take()
    one.recycle(events)
    #expect(storage.events.capacity >= 100 && storage.events.isEmpty)
    two.begin()
    #expect(two.events.capacity >= 100 && one.events.isEmpty)
  }

  @Test("What was not taken is forgotten when the connection is lost")
  func abandon() {
    var buffer = EventBuffer(EventStorage())
    let stream = HTTP2Stream()
    buffer.append(.settingsReceived)
    buffer.append(.closed(EventReference(stream), errorCode: .noError))
    buffer.abandon()
    #expect(buffer.events.isEmpty && buffer.ends.isEmpty)
  }
}

/// What a server makes of its peer's frames.
@Suite struct PeerConductTests {
  private typealias Head = FrameWatch.Head

  private func head(
    _ type: UInt8, stream: Int32 = 1, flags: UInt8 = 4, length: Int = 1
  ) -> FrameWatch.Head {
    FrameWatch.Head(length: length, type: type, flags: flags, stream: stream)
  }

  private func conduct(
    _ change: (inout HTTP2Settings) -> Void = { _ in }
  ) -> PeerConduct {
    var settings = HTTP2Settings()
    change(&settings)
    var conduct = PeerConduct(role: .server, settings: settings)
    conduct.fed()
    return conduct
  }

  @Test("A frame on a stream that is there is proper, one on another needs a look")
  func streams() {
    var conduct = conduct()
    #expect(conduct.saw(head(Head.headers), isOpen: { _ in false }) == .proper)
    conduct.took()
    // nghttp2 has not seen the stream yet, but the stream is the newest one.
    #expect(conduct.saw(head(Head.data), isOpen: { _ in false }) == .proper)
    conduct.fed()
    #expect(conduct.saw(head(Head.data), isOpen: { $0 == 1 }) == .proper)
    #expect(conduct.saw(head(Head.data), isOpen: { _ in false }) == .needsStream)
    #expect(conduct.judge(1) == .ends(.streamClosed))
  }

  @Test("Behind RST_STREAM every stream needs a look, until nghttp2 has seen it")
  func reset() {
    var conduct = conduct()
    _ = conduct.saw(head(Head.headers), isOpen: { _ in false })
    conduct.took()
    conduct.fed()
    #expect(conduct.saw(head(Head.reset, length: 4), isOpen: { _ in true }) == .proper)
    #expect(conduct.saw(head(Head.data), isOpen: { _ in true }) == .needsStream)
    conduct.fed()
    #expect(conduct.saw(head(Head.data), isOpen: { _ in true }) == .proper)
  }

  @Test("A stream that this end has reset, or never took, is no fault of the peer's")
  func ownResets() {
    var conduct = conduct()
    for id: Int32 in [1, 3, 7] {
      _ = conduct.saw(head(Head.headers, stream: id), isOpen: { _ in true })
    }
    for _ in 0..<3 { conduct.took() }
    #expect(conduct.sentReset(3, .cancel) == nil)
    #expect(conduct.judge(3) == .passes)
    #expect(conduct.judge(5) == .ends(.protocolError), "5 was passed over")
    #expect(conduct.judge(1) == .ends(.streamClosed))
    _ = conduct.saw(head(Head.reset, stream: 1, length: 4), isOpen: { _ in false })
    #expect(conduct.judge(1) == .resets, "the peer has reset it")
    #expect(conduct.judge(2) == .passes, "even numbers are not the peer's")
    conduct.sentGoAway(last: 5)
    #expect(conduct.judge(1) == .passes)
  }

  @Test("Frames that do nothing are counted, and forgiven for requests")
  func idle() {
    var conduct = conduct { $0.maxIdleFrames = 10 }
    let priority = head(Head.priority)
    for _ in 0..<10 { #expect(conduct.saw(priority, isOpen: { _ in true }) == .proper) }
    _ = conduct.saw(head(Head.headers), isOpen: { _ in false })
    for _ in 0..<10 { #expect(conduct.saw(priority, isOpen: { _ in true }) == .proper) }
    let empty = head(Head.data, flags: 0, length: 0)
    #expect(conduct.saw(empty, isOpen: { _ in true }) == .idleFlood)
    #expect(PeerConduct.Verdict.idleFlood.failure?.isFlood == true)
    // PING, acknowledged SETTINGS and PUSH_PROMISE are nghttp2's to judge.
    for frame in [
      head(Head.ping, flags: 0), head(Head.settings, flags: 1), head(Head.pushPromise),
    ] {
      #expect(conduct.saw(frame, isOpen: { _ in true }) == .proper)
    }
  }

  @Test("Credit is counted until a part of a response leaves")
  func credit() {
    var conduct = conduct { $0.maxIdleFrames = 1 }
    let update = head(Head.windowUpdate)
    for _ in 0..<10 { #expect(conduct.saw(update, isOpen: { _ in true }) == .proper) }
    conduct.sentBody()
    for _ in 0..<10 { #expect(conduct.saw(update, isOpen: { _ in true }) == .proper) }
    #expect(conduct.saw(update, isOpen: { _ in true }) == .creditFlood)
  }

  @Test("Resets are counted, the peer's own and those that the peer has caused")
  func resets() {
    var conduct = conduct {
      $0.streamResetBurst = 2
      $0.streamResetRate = 0
    }
    let reset = head(Head.reset, length: 4)
    #expect(conduct.saw(reset, isOpen: { _ in true }) == .proper)
    #expect(conduct.saw(reset, isOpen: { _ in true }) == .proper)
    #expect(conduct.saw(reset, isOpen: { _ in true }) == .resetFlood)
    #expect(conduct.sentReset(1, .protocolError) == nil)
    #expect(conduct.sentReset(3, .refusedStream) == nil)
    conduct.mustReset()
    #expect(conduct.sentReset(5, .flowControlError)?.isFlood == true)
  }

  @Test("A header block is under way from HEADERS to the frame that ends the block")
  func blocks() {
    var conduct = conduct()
    _ = conduct.saw(head(Head.headers, flags: 0), isOpen: { _ in false })
    #expect(conduct.isReceivingHead && conduct.headsBegun == 1)
    _ = conduct.saw(head(Head.continuation, flags: 0), isOpen: { _ in false })
    #expect(conduct.isReceivingHead)
    _ = conduct.saw(head(Head.continuation), isOpen: { _ in false })
    #expect(!conduct.isReceivingHead && conduct.headsBegun == 1)
  }
}

@Suite struct HTTP2ErrorCodeTests {
  @Test("Codes are as RFC 9113 section 7 numbers them, and unknown ones keep their number")
  func numbers() {
    for code in UInt32(0)...20 { #expect(HTTP2ErrorCode(rawValue: code).rawValue == code) }
    #expect(HTTP2ErrorCode(rawValue: 0xb) == .enhanceYourCalm)
    #expect(HTTP2ErrorCode(rawValue: 0xd) == .http11Required)
    #expect(HTTP2ErrorCode(rawValue: 0xe) == .unknown(0xe))
    #expect("\(HTTP2ErrorCode.refusedStream) \(HTTP2ErrorCode.unknown(99))" == "REFUSED_STREAM 99")
  }
}
