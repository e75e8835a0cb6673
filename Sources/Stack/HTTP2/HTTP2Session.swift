internal import CNgHTTP2
public import HTTP2Codes

/// One HTTP/2 connection without its socket: bytes in, events out; commands in, bytes out.
///
/// libnghttp2 keeps the frames, HPACK, flow control and the state of streams. Callbacks only append
/// events; the owner drains `takeEvents()` after `receive` and after `produce`. Flow-control credit
/// is returned by hand: for the connection when data arrives, for a stream when its owner calls
/// `release`.
///
/// Not thread safe: confined to one event loop with its streams.
@safe
public final class HTTP2Session {
  public enum Role: Sendable { case client, server }

  public let role: Role
  let session: OpaquePointer  // owned: freed in deinit
  let makeStream: () -> HTTP2Stream

  var events: EventBuffer
  var output: [UInt8] = []
  private(set) var outputLimit = 0
  var assembly: HeaderAssembly
  private(set) var input: UnsafePointer<UInt8>?  // valid while `receive` runs
  /// Body bytes taken in by this `receive` whose credit for the connection is not returned yet.
  var consumed = 0
  var streams = StreamList()
  /// How the peer of a server behaves, as far as nghttp2 does not mind.
  var conduct: PeerConduct
  /// Frames that may wait to be sent, DATA that flow control holds back not counted.
  private let maxOutboundFrames: Int
  /// The peer has been told of its fault; nothing more is read.
  public private(set) var isCondemned = false
  /// Body bytes of all streams that are not yet in a frame.
  public internal(set) var bufferedBytes = 0
  /// Body bytes of all streams that are in frames since the connection began.
  public internal(set) var bodyBytesSent = 0
  /// A GOAWAY with an error code was sent.
  public internal(set) var hasFailed = false
  /// Why this end gives the connection up; nil while it does not.
  public internal(set) var failure: ConnectionFailure?
  /// HEADERS or DATA of a response have left since `takeResponseSent` was asked.
  var hasSentResponse = false
  /// This session checks requests by `RequestRules`, in place of nghttp2.
  let checksRequests: Bool
  var bodies = DeclaredBodies()
  /// What the peer's GOAWAY says beside its error code; at most 256 bytes of it.
  public internal(set) var goAwayReason: String?
  /// Requests of a client that wait for the peer to allow one more stream.
  var waiting = RequestQueue()
  /// Streams of a client whose answer was whole before their request.
  var answered: [Int32] = []

  /// - Parameters:
  ///   - storage: room for events, shared with the other sessions of the event loop.
  ///   - makeStream: makes the object of a stream that the peer opens; unused by clients.
  public init(
    role: Role, settings: HTTP2Settings, storage: EventStorage = EventStorage(),
    makeStream: @escaping () -> HTTP2Stream
  ) {
    self.role = role
    self.events = EventBuffer(storage)
    self.makeStream = makeStream
    self.assembly = HeaderAssembly(limit: Int(settings.maxHeaderListBytes))
    self.maxOutboundFrames = max(1000, 4 * Int(settings.maxConcurrentStreams))
    self.conduct = PeerConduct(role: role, settings: settings)
    self.checksRequests = role == .server && settings.takesAnyAuthority
    var made: OpaquePointer?
    var option: OpaquePointer?
    unsafe nghttp2_option_new(&option)
    unsafe nghttp2_option_set_no_auto_window_update(option, 1)
    unsafe nghttp2_option_set_no_closed_streams(option, 1)
    unsafe nghttp2_option_set_max_outbound_ack(option, settings.maxOutboundAcks)
    unsafe nghttp2_option_set_max_continuations(option, settings.maxContinuations)
    // A server counts them itself, since nghttp2 would call them an error of the server's own.
    let most = role == .server ? UInt64(Int32.max) : 0
    unsafe nghttp2_option_set_stream_reset_rate_limit(
      option, max(settings.streamResetBurst, most), max(settings.streamResetRate, most))
    if checksRequests { unsafe nghttp2_option_set_no_http_messaging(option, 1) }
    // gRPC allows white space around metadata, and says that it may be stripped: `header` does.
    unsafe nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(option, 1)
    // No user data yet: `self` is not whole. It is set below, before any byte comes in.
    if role == .server {
      unsafe nghttp2_session_server_new2(&made, SessionCallbacks.shared.table, nil, option)
    } else {
      unsafe nghttp2_session_client_new2(&made, SessionCallbacks.shared.table, nil, option)
    }
    unsafe nghttp2_option_del(option)
    guard let made = unsafe made else { fatalError("nghttp2: out of memory") }
    unsafe self.session = made
    unsafe nghttp2_session_set_user_data(session, Unmanaged.passUnretained(self).toOpaque())
    submitSettings(settings)
  }

  deinit {
    unsafe nghttp2_session_del(session)
    streams.unlinkAll()
  }

  private func submitSettings(_ settings: HTTP2Settings) {
    func entry(_ id: nghttp2_settings_id, _ value: UInt32) -> nghttp2_settings_entry {
      nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: value)
    }
    var entries = [
      entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.initialWindowBytes),
      entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.maxHeaderListBytes),
    ]
    if settings.headerTableBytes != 4096 {
      entries.append(entry(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, settings.headerTableBytes))
    }
    if role == .server {
      entries.append(
        entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.maxConcurrentStreams))
    } else {
      entries.append(entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
    }
    unsafe nghttp2_submit_settings(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
    unsafe nghttp2_session_set_local_window_size(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, settings.connectionWindowBytes)
  }

  // MARK: Bytes

  /// Takes bytes from the peer in. Events that refer to them stay valid until the next call.
  public func receive(_ bytes: UnsafeBufferPointer<UInt8>) throws(HTTP2ConnectionError) {
    unsafe input = bytes.baseAddress
    defer { unsafe input = nil }
    events.begin()
    if isCondemned { return }
    guard role == .server else {
      try unsafe feed(bytes, 0..<bytes.count)
      return stopAnswered()
    }
    // nghttp2 gets the bytes in one piece, unless what it makes of the first decides on the next.
    var fed = 0
    var position = 0
    conduct.fed()
    while let head = unsafe conduct.next(bytes, &position) {
      let verdict = conduct.saw(head) { unsafe stream($0) != nil }
      if verdict == .proper { continue }
      if verdict == .needsStream {
        let begin = max(fed, position - 9)
        try unsafe feed(bytes, fed..<begin)
        fed = begin
        conduct.fed()
        if unsafe stream(head.stream) == nil { judge(head.stream) }
      } else if let failure = verdict.failure {
        condemn(failure)
      }
      if isCondemned { return }
    }
    try unsafe feed(bytes, fed..<bytes.count)
    // Answers to what the peer did wrong wait here while it does not read.
    if unsafe nghttp2_session_get_outbound_queue_size(session) > maxOutboundFrames {
      condemn(.flood("too many frames wait that are not read"))
    }
  }

  /// Whether the end of a header block is still on its way to this server.
  public var isReceivingHead: Bool { conduct.isReceivingHead }

  /// How many header blocks the peer of a server has begun.
  public var headsBegun: Int { conduct.headsBegun }

  /// Lends each stream that is not closed. The body may reset streams, and must not close them.
  public func forEachStream(_ body: (HTTP2Stream) -> Void) { streams.forEach(body) }

  /// Streams that are not closed, those that wait to be opened among them.
  public var openStreams: Int { streams.count }

  @inline(__always)
  func stream(_ id: Int32) -> Unmanaged<HTTP2Stream>? {
    unsafe streams.stream(id) { unsafe nghttp2_session_get_stream_user_data(session, id) }
  }

  /// A frame has come on a stream that is not there any more.
  private func judge(_ id: Int32) {
    switch conduct.judge(id) {
    case .passes: break
    case .resets:
      unsafe nghttp2_submit_rst_stream(
        session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, HTTP2ErrorCode.streamClosed.rawValue)
    case .ends(let code):
      condemn(ConnectionFailure(code: code, reason: "a frame on a stream that is closed"))
    }
  }

  private func feed(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
  ) throws(HTTP2ConnectionError) {
    if range.isEmpty { return }
    let piece = unsafe UnsafeBufferPointer(rebasing: bytes[range])
    let result = unsafe nghttp2_session_mem_recv(session, piece.baseAddress, piece.count)
    if consumed > 0 {
      unsafe nghttp2_session_consume_connection(session, consumed)
      consumed = 0
    }
    if result < 0 {
      if role == .server, let failure = ConnectionFailure(libraryError: Int32(result)) {
        return condemn(failure)
      }
      throw HTTP2ConnectionError(
        code: Int32(result), message: unsafe String(cString: nghttp2_strerror(Int32(result))))
    }
  }

  /// Ends the connection for what the book forbids and nghttp2 does not mind, with a GOAWAY that says
  /// why.
  ///
  /// The owner closes it once `isFinished`.
  public func condemn(_ failure: ConnectionFailure) {
    if isCondemned { return }
    isCondemned = true
    self.failure = failure
    let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
    let text = Array(failure.reason.utf8)
    unsafe nghttp2_submit_goaway(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, failure.code.rawValue, text, text.count)
  }

  /// Whether HEADERS or DATA of a response have left since the last call.
  public func takeResponseSent() -> Bool {
    defer { hasSentResponse = false }
    return hasSentResponse
  }

  /// Appends what is to be sent to the output, frame by frame, until there is nothing left or the
  /// output holds `limit` bytes or more.
  public func produce(into output: inout [UInt8], limit: Int) throws(HTTP2ConnectionError) {
    swap(&self.output, &output)
    outputLimit = limit
    events.begin()
    defer { swap(&self.output, &output) }
    while self.output.count < limit {
      var data: UnsafePointer<UInt8>?
      let count = unsafe nghttp2_session_mem_send(session, &data)
      if count < 0 {
        throw HTTP2ConnectionError(
          code: Int32(count), message: unsafe String(cString: nghttp2_strerror(Int32(count))))
      }
      if count == 0 { return }
      if count == WordlessGoAway.bytes, role == .server,
        let whole = unsafe WordlessGoAway.withWords(
          UnsafeBufferPointer(start: data, count: count))
      {
        self.output += whole
        continue
      }
      unsafe self.output.append(contentsOf: UnsafeBufferPointer(start: data, count: count))
    }
  }

  /// Lets a client say to nobody what it would send, because the peer takes nothing more.
  ///
  /// nghttp2 finds a breach of the rules when it reads, and tells of it when it writes its GOAWAY:
  /// `failure` is known after that. A server's streams would count as answered, so that a server drops
  /// nothing.
  public func discardOutput() {
    guard role == .client else { return }
    var data: UnsafePointer<UInt8>?
    while unsafe nghttp2_session_mem_send(session, &data) > 0 {}
  }

  /// What happened since the last call.
  public func takeEvents() -> [HTTP2Event] { events.take() }

  /// Gives events back: they are no longer good, and their room serves the next turn.
  public func recycle(_ events: consuming [HTTP2Event]) { self.events.recycle(events) }

  public var wantsToSend: Bool { unsafe nghttp2_session_want_write(session) != 0 }
  /// Neither side has anything more to say: the connection may be closed.
  public var isFinished: Bool {
    if isCondemned && hasFailed { return true }
    return
      unsafe (nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0)
  }

  /// Closes every stream, as when the connection is lost, and gives them out. nghttp2 must not be
  /// called again: its streams refer to objects that are gone.
  ///
  /// Also given out are the streams whose `closed` was not taken yet, with its error code; an open one
  /// has none. Events that were taken and not given back stay good.
  public func abandon() -> [(stream: HTTP2Stream, errorCode: HTTP2ErrorCode?)] {
    waiting = RequestQueue()
    var abandoned = events.ends.map { (stream: $0.stream, errorCode: Optional($0.errorCode)) }
    while let stream = unsafe streams.first {
      unsafe abandoned.append((stream.takeUnretainedValue(), nil))
      unsafe close(stream, .noError)
    }
    events.abandon()
    return abandoned
  }
}
