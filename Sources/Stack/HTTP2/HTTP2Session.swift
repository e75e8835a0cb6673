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
  private let session: OpaquePointer  // owned: freed in deinit
  private let makeStream: () -> HTTP2Stream

  private var events: [HTTP2Event] = []
  private let storage: EventStorage
  private var output: [UInt8] = []
  private var outputLimit = 0
  private var assembly: HeaderAssembly
  private var input: UnsafePointer<UInt8>?  // valid while `receive` runs
  /// Body bytes taken in by this `receive` whose credit for the connection is not returned yet.
  private var consumed = 0
  /// The streams that are not closed, newest first: each is retained for as long as it is linked.
  /// nghttp2's user data borrows from this list.
  private var firstStream: Unmanaged<HTTP2Stream>?
  /// The stream asked for last: most callbacks come in runs for one stream.
  private var latest: (id: Int32, stream: Unmanaged<HTTP2Stream>)?
  /// What events refer to and nothing else holds: since the last `takeEvents`, and before it.
  private var expiring: [AnyObject] = []
  private var lent: [AnyObject] = []
  public private(set) var openStreams = 0
  /// What the peer of a server does that nghttp2 lets pass.
  private var watch: FrameWatch
  private var history = StreamHistory()
  /// Streams that nghttp2 has taken, of those in `history`.
  private var taken = 0
  /// Streams that nghttp2 was seen not to take.
  private var untaken = 0
  /// Frames without use that the peer has sent beyond those forgiven.
  private var idleFrames = 0
  private let maxIdleFrames: Int
  /// Credit that the peer has given since this end last sent a part of a response.
  private var creditFrames = 0
  /// Frames that may wait to be sent, DATA that flow control holds back not counted.
  private let maxOutboundFrames: Int
  /// The peer has been told of its fault; nothing more is read.
  public private(set) var isCondemned = false
  /// Body bytes of all streams that are not yet in a frame.
  public private(set) var bufferedBytes = 0
  /// How many header blocks the peer of a server has begun.
  public private(set) var headsBegun = 0
  private var isBlockOpen = false
  /// A GOAWAY with an error code was sent.
  public private(set) var hasFailed = false
  /// Why this end gives the connection up; nil while it does not.
  public private(set) var failure: ConnectionFailure?
  /// HEADERS or DATA of a response have left since `takeResponseSent` was asked.
  private var hasSentResponse = false
  /// This session checks requests by `RequestRules`, in place of nghttp2.
  private let checksRequests: Bool
  private var bodies = DeclaredBodies()
  /// What the peer's GOAWAY says beside its error code; at most 256 bytes of it.
  public private(set) var goAwayReason: String?
  /// Requests of a client that wait for the peer to allow one more stream.
  private var waiting = RequestQueue()
  /// Streams of a client whose answer was whole before their request.
  private var answered: [Int32] = []
  private var resets: ResetBudget
  /// The peer's own RST_STREAM frames.
  private var peerResets: ResetBudget

  /// - Parameters:
  ///   - storage: room for events, shared with the other sessions of the event loop.
  ///   - makeStream: makes the object of a stream that the peer opens; unused by clients.
  public init(
    role: Role, settings: HTTP2Settings, storage: EventStorage = EventStorage(),
    makeStream: @escaping () -> HTTP2Stream
  ) {
    self.role = role
    self.storage = storage
    self.makeStream = makeStream
    self.assembly = HeaderAssembly(limit: Int(settings.maxHeaderListBytes))
    self.maxIdleFrames = settings.maxIdleFrames
    self.maxOutboundFrames = max(1000, 4 * Int(settings.maxConcurrentStreams))
    self.resets = ResetBudget(
      burst: settings.streamResetBurst, perSecond: settings.streamResetRate)
    self.peerResets = resets
    self.checksRequests = role == .server && settings.takesAnyAuthority
    self.watch = FrameWatch(prefaceBytes: role == .server ? 24 : 0)
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
    while let stream = unsafe firstStream { unsafe unlink(stream) }
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
    takeStorage()
    if isCondemned { return }
    guard role == .server else {
      try unsafe feed(bytes, 0..<bytes.count)
      return stopAnswered()
    }
    // nghttp2 gets the bytes in one piece, unless what it makes of the first decides on the next.
    var fed = 0
    var position = 0
    var newest = history.last
    var hasReset = false
    while let head = unsafe watch.next(bytes, &position) {
      switch head.type {
      case FrameWatch.Head.data, FrameWatch.Head.headers:
        if head.type == FrameWatch.Head.headers {
          headsBegun += 1
          isBlockOpen = !head.endsBlock
        }
        if head.stream > history.last {
          // DATA on a stream that was never opened is nghttp2's to answer.
          if head.type == FrameWatch.Head.headers { opens(head.stream) }
        } else if hasReset
          || (head.stream > newest ? head.stream != history.last : !isOpen(head.stream))
        {
          // Whether the stream is there depends on frames that nghttp2 has not seen yet.
          try unsafe feed(bytes, fed..<max(fed, position - 9))
          fed = max(fed, position - 9)
          newest = history.last
          hasReset = false
          if !isOpen(head.stream) { judge(head.stream) }
        }
        if head.isEmptyData { countIdle() }
      case FrameWatch.Head.reset:
        hasReset = true
        peerResets.count()
        if peerResets.isSpent { condemn(.flood("too many streams are reset")) }
      case FrameWatch.Head.continuation: isBlockOpen = !head.endsBlock
      case FrameWatch.Head.windowUpdate: countCredit()
      case FrameWatch.Head.ping where !head.isAcknowledgement: break
      case FrameWatch.Head.settings where head.isAcknowledgement: break
      case FrameWatch.Head.pushPromise: break
      default: countIdle()
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
  public var isReceivingHead: Bool { isBlockOpen || watch.isInsideHead }

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

  private func isOpen(_ id: Int32) -> Bool { unsafe stream(id) != nil }

  private func opens(_ id: Int32) {
    guard id & 1 == 1 else { return }
    history.open(id)
    idleFrames = max(0, idleFrames - 10)
  }

  /// A frame has come on a stream that is not there any more.
  private func judge(_ id: Int32) {
    guard id & 1 == 1 else { return }
    // Streams that were refused or came after GOAWAY were never there: they are not told apart.
    if history.opened - taken > untaken {
      untaken = history.opened - taken
      history.forgetAll()
    }
    guard let code = history.fault(id) else { return }
    condemn(ConnectionFailure(code: code, reason: "a frame on a stream that is closed"))
  }

  /// PRIORITY, SETTINGS, GOAWAY, unasked answers to PING, unknown frames, empty DATA: legal, and work
  /// for nothing (CVE-2019-9515, CVE-2019-9518).
  private func countIdle() {
    idleFrames += 1
    if idleFrames > maxIdleFrames { condemn(.flood("too many frames that do nothing")) }
  }

  /// WINDOW_UPDATE is of use only while responses use the credit.
  private func countCredit() {
    creditFrames += 1
    if creditFrames > 10 * maxIdleFrames { condemn(.flood("too many WINDOW_UPDATE frames")) }
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
    takeStorage()
    defer { swap(&self.output, &output) }
    while self.output.count < limit {
      var data: UnsafePointer<UInt8>?
      let count = unsafe nghttp2_session_mem_send(session, &data)
      if count < 0 {
        throw HTTP2ConnectionError(
          code: Int32(count), message: unsafe String(cString: nghttp2_strerror(Int32(count))))
      }
      if count == 0 { return }
      unsafe self.output.append(contentsOf: UnsafeBufferPointer(start: data, count: count))
    }
  }

  private func takeStorage() {
    if events.isEmpty { swap(&events, &storage.events) }
  }

  /// What happened since the last call.
  public func takeEvents() -> [HTTP2Event] {
    if events.isEmpty {
      swap(&events, &storage.events)
      // Blocks of informational heads, which make no event.
      expiring.removeAll(keepingCapacity: true)
      return []
    }
    lent.removeAll(keepingCapacity: true)
    swap(&lent, &expiring)
    defer { events = [] }
    return events
  }

  /// Gives events back: they are no longer good, and their room serves the next turn.
  public func recycle(_ events: consuming [HTTP2Event]) {
    // A burst's is not kept for good.
    lent.removeAll(keepingCapacity: lent.capacity <= 64)
    if events.capacity <= 8192 {
      events.removeAll(keepingCapacity: true)
      storage.events = events
    }
  }

  public var wantsToSend: Bool { unsafe nghttp2_session_want_write(session) != 0 }
  /// Neither side has anything more to say: the connection may be closed.
  public var isFinished: Bool {
    if isCondemned && hasFailed { return true }
    return
      unsafe (nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0)
  }

  // MARK: Commands

  /// Sends a whole response: head, body and trailers.
  public func answer(
    _ stream: HTTP2Stream, _ head: OutgoingHeaders, _ body: consuming [UInt8],
    _ trailers: OutgoingHeaders?
  ) {
    guard !stream.isClosed, !stream.isEnded else { return }
    bufferedBytes += body.count
    stream.enqueue(body)
    stream.isEnded = true
    stream.trailers = trailers
    respond(stream, head, hasBody: true)
  }

  /// Sends a response's head, and what is buffered of the body behind it.
  public func respond(_ stream: HTTP2Stream, _ head: OutgoingHeaders, hasBody: Bool) {
    guard !stream.isClosed else { return }
    unsafe head.withFields { nva, count in
      if !hasBody {
        _ = unsafe nghttp2_submit_response(session, stream.id, nva, count, nil)
      } else if stream.bufferedBytes > 0 || stream.isEnded {
        stream.isSource = true
        var provider = unsafe SessionCallbacks.provider(stream)
        _ = unsafe nghttp2_submit_response(session, stream.id, nva, count, &provider)
      } else {
        _ = unsafe nghttp2_submit_headers(
          session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, nil, nva, count, nil)
      }
    }
  }

  public enum RequestOutcome: Equatable, Sendable {
    case opened
    /// No stream can be opened on this connection any more.
    case refused
    /// The head has more bytes (RFC 9113 section 6.5.2) than the peer, or nghttp2, takes.
    case headTooLarge(limit: Int)
  }

  /// Opens a stream with a request, or lets it wait until the peer allows one more.
  public func request(
    _ stream: HTTP2Stream, _ head: OutgoingHeaders, hasBody: Bool
  ) -> RequestOutcome {
    let limit = outgoingHeadLimit
    if head.listBytes > limit { return .headTooLarge(limit: limit) }
    if openStreams - waiting.count >= peerMaxConcurrentStreams || !waiting.isEmpty {
      _ = unsafe link(stream)
      waiting.append(RequestQueue.Entry(stream: stream, head: head, hasBody: hasBody))
      return .opened
    }
    guard submit(stream, head, hasBody) else { return .refused }
    _ = unsafe link(stream)
    return .opened
  }

  private func submit(_ stream: HTTP2Stream, _ head: OutgoingHeaders, _ hasBody: Bool) -> Bool {
    let reference = unsafe Unmanaged.passUnretained(stream)
    let id = unsafe head.withFields { nva, count in
      if hasBody {
        var provider = unsafe SessionCallbacks.provider(stream)
        return unsafe nghttp2_submit_request(
          session, nil, nva, count, &provider, reference.toOpaque())
      }
      return unsafe nghttp2_submit_request(session, nil, nva, count, nil, reference.toOpaque())
    }
    if id < 0 { return false }
    stream.id = id
    stream.isSource = hasBody
    if !hasBody { stream.isEnded = true }
    return true
  }

  /// Sends what has waited for the peer to allow one more stream.
  private func submitWaiting() {
    while !waiting.isEmpty, openStreams - waiting.count < peerMaxConcurrentStreams,
      let next = waiting.popFirst()
    {
      if !submit(next.stream, next.head, next.hasBody) { refuse(next.stream) }
    }
  }

  /// The peer will not work on the request.
  private func refuse(_ stream: HTTP2Stream) {
    unsafe close(Unmanaged.passUnretained(stream), .refusedStream)
  }

  /// The largest header block that can be sent, in bytes by RFC 9113 section 6.5.2: what the peer takes,
  /// or what nghttp2 does (64 KiB).
  public var outgoingHeadLimit: Int {
    let peers = unsafe nghttp2_session_get_remote_settings(
      session, NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE)
    return min(Int(peers), (64 << 10) - 12)
  }

  /// Queues body bytes.
  public func send(_ stream: HTTP2Stream, _ bytes: consuming [UInt8]) {
    guard !stream.isClosed, !stream.isEnded, !bytes.isEmpty else { return }
    bufferedBytes += bytes.count
    stream.enqueue(bytes)
    resume(stream)
  }

  /// Queues the body bytes that the writer appends.
  @inline(__always)
  public func send(
    _ stream: HTTP2Stream, _ write: (inout [UInt8]) throws -> Void
  ) rethrows {
    guard !stream.isClosed, !stream.isEnded else { return }
    let before = stream.bufferedBytes
    try stream.extend(write)
    bufferedBytes += stream.bufferedBytes - before
    resume(stream)
  }

  /// Ends the body, with trailers or without.
  public func finish(_ stream: HTTP2Stream, _ trailers: OutgoingHeaders?) {
    guard !stream.isClosed, !stream.isEnded else { return }
    stream.isEnded = true
    if let trailers, !stream.isSource {
      unsafe trailers.withFields { nva, count in
        _ = unsafe nghttp2_submit_trailer(session, stream.id, nva, count)
      }
    } else {
      stream.trailers = trailers
      resume(stream)
    }
  }

  private func resume(_ stream: HTTP2Stream) {
    // A request that waits takes along what there is.
    if stream.id == 0 { return }
    if !stream.isSource {
      stream.isSource = true
      var provider = unsafe SessionCallbacks.provider(stream)
      _ = unsafe nghttp2_submit_data(
        session, UInt8(NGHTTP2_FLAG_END_STREAM.rawValue), stream.id, &provider)
    } else if stream.isDeferred {
      stream.isDeferred = false
      unsafe nghttp2_session_resume_data(session, stream.id)
    }
  }

  public func reset(_ stream: HTTP2Stream, errorCode: HTTP2ErrorCode) {
    guard !stream.isClosed else { return }
    bufferedBytes -= stream.bufferedBytes
    stream.dropBody()
    if stream.id == 0, waiting.remove(stream) {
      return unsafe close(Unmanaged.passUnretained(stream), errorCode)
    }
    unsafe nghttp2_submit_rst_stream(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, errorCode.rawValue)
  }

  /// Returns a stream's flow-control credit for bytes that were taken in.
  public func release(_ stream: HTTP2Stream, _ bytes: Int) {
    guard !stream.isClosed, !stream.isRemoteClosed, bytes > 0 else { return }
    unsafe nghttp2_session_consume_stream(session, stream.id, bytes)
  }

  /// The first GOAWAY of a graceful end: no new streams, those under way go on.
  public func announceShutdown() {
    unsafe nghttp2_submit_shutdown_notice(session)
  }

  /// The last GOAWAY of a graceful end, naming the last stream that is worked on.
  public func goAway() {
    let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
    unsafe nghttp2_submit_goaway(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, HTTP2ErrorCode.noError.rawValue, nil, 0)
  }

  public func ping(_ payload: UInt64) {
    var bytes: [UInt8] = []
    for shift in stride(from: 56, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: payload >> UInt64(shift)))
    }
    unsafe nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), bytes)
  }

  /// How many streams the peer lets us have open at once.
  public var peerMaxConcurrentStreams: Int {
    Int(
      unsafe nghttp2_session_get_remote_settings(
        session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
  }

  // MARK: From nghttp2

  func began(_ frame: UnsafePointer<nghttp2_frame>) -> Int32 {
    assembly.reset()
    let isRequest = unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
    if role == .server, isRequest,
      unsafe frame.pointee.hd.type == UInt8(NGHTTP2_HEADERS.rawValue)
    {
      let stream = makeStream()
      taken += 1
      stream.id = unsafe frame.pointee.hd.stream_id
      let linked = unsafe link(stream)
      unsafe nghttp2_session_set_stream_user_data(session, stream.id, linked.toOpaque())
      unsafe latest = unsafe (stream.id, linked)
    }
    return 0
  }

  @inline(__always)
  func header(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
    unsafe assembly.append(name, Self.trimmed(value))
  }

  /// Without the white space around it.
  @inline(__always)
  private static func trimmed(_ value: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    guard let first = unsafe value.first, let last = unsafe value.last,
      isSpace(first) || isSpace(last)
    else { return unsafe value }
    let start = unsafe value.firstIndex { !isSpace($0) } ?? value.endIndex
    let end = unsafe value.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? start
    return unsafe UnsafeBufferPointer(rebasing: value[start..<end])
  }

  func received(_ frame: UnsafePointer<nghttp2_frame>) {
    let isLast = unsafe frame.pointee.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    switch unsafe UInt32(frame.pointee.hd.type) {
    case NGHTTP2_HEADERS.rawValue:
      guard let stream = unsafe stream(frame.pointee.hd.stream_id) else { return }
      if isLast { unsafe stream._withUnsafeGuaranteedRef { remoteClosed($0) } }
      unsafe receivedBlock(stream, frame.pointee.headers.cat, isLast)
    case NGHTTP2_DATA.rawValue:
      guard isLast, let stream = unsafe stream(frame.pointee.hd.stream_id) else { return }
      unsafe stream._withUnsafeGuaranteedRef { remoteClosed($0) }
      if unsafe !bodies.isEmpty && !endBody(stream) { return }
      // The end belongs to the data just before it, which then is the last piece.
      if case .data(let last, let range, _)? = events.last,
        unsafe last.reference.toOpaque() == stream.toOpaque()
      {
        events[events.count - 1] = .data(last, range, isLast: true)
      } else {
        events.append(.end(unsafe EventReference(stream)))
      }
    case NGHTTP2_GOAWAY.rawValue:
      unsafe note(frame.pointee.goaway)
      events.append(
        unsafe .goAway(
          lastStreamID: frame.pointee.goaway.last_stream_id,
          errorCode: HTTP2ErrorCode(rawValue: frame.pointee.goaway.error_code)))
    case NGHTTP2_PING.rawValue:
      if unsafe frame.pointee.hd.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 {
        let data = unsafe frame.pointee.ping.opaque_data
        var payload: UInt64 = 0
        for byte in [data.0, data.1, data.2, data.3, data.4, data.5, data.6, data.7] {
          payload = payload << 8 | UInt64(byte)
        }
        events.append(.pingAcknowledged(payload))
      } else {
        events.append(.pingReceived)
      }
    case NGHTTP2_SETTINGS.rawValue:
      if unsafe frame.pointee.hd.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0 {
        events.append(.settingsReceived)
        submitWaiting()
      }
    default: break
    }
  }

  private func remoteClosed(_ stream: HTTP2Stream) {
    stream.isRemoteClosed = true
    if role == .client && !(stream.isEnded && stream.bufferedBytes == 0) {
      answered.append(stream.id)
    }
  }

  /// Nobody reads the rest of a request whose answer is whole. Most servers say so themselves by
  /// RST_STREAM (RFC 9113 section 8.1), in the bytes that end their answer.
  private func stopAnswered() {
    if answered.isEmpty { return }
    for id in answered {
      guard let stream = unsafe stream(id) else { continue }
      unsafe stream._withUnsafeGuaranteedRef {
        reset($0, errorCode: .noError)
      }
    }
    answered.removeAll(keepingCapacity: answered.count <= 64)
  }

  private func note(_ frame: nghttp2_goaway) {
    if let data = unsafe frame.opaque_data, unsafe frame.opaque_data_len > 0 {
      let bytes = unsafe UnsafeBufferPointer(start: data, count: min(frame.opaque_data_len, 256))
      goAwayReason = unsafe String(decoding: bytes, as: UTF8.self)
    }
    while let next = waiting.popFirst() { refuse(next.stream) }
  }

  /// A head, or trailers, has come in whole.
  private func receivedBlock(
    _ stream: Unmanaged<HTTP2Stream>, _ category: nghttp2_headers_category, _ isLast: Bool
  ) {
    let stream = unsafe EventReference(stream)
    if assembly.isTooLarge {
      let kind = assembly.kind
      assembly.reset()
      // Behind a head that was taken its owner has to reset the stream: the handler runs already.
      if role == .server, category != NGHTTP2_HCAT_REQUEST { resets.count(.protocolError) }
      return events.append(.headTooLarge(stream, kind))
    }
    let block = assembly.take { expiring.append($0) }
    if checksRequests, !accept(block, stream, category, isLast) { return }
    let isTrailers: Bool
    switch category {
    case NGHTTP2_HCAT_REQUEST, NGHTTP2_HCAT_RESPONSE: isTrailers = false
    // A client gets more heads after informational ones; trailers have no `:status`.
    default: isTrailers = role == .server || isLast && block.bytes.first != 0x3a
    }
    if isTrailers {
      events.append(.trailers(stream, EventReference(block)))
    } else if !block.isInformational {
      events.append(.head(stream, EventReference(block), isLast: isLast))
    }
  }

  /// Whether a request's block keeps to the rules; if not, its stream is reset.
  private func accept(
    _ block: HeaderBlock, _ stream: EventReference<HTTP2Stream>,
    _ category: nghttp2_headers_category, _ isLast: Bool
  ) -> Bool {
    // Blocks that repeat one before are the same object.
    if category != NGHTTP2_HCAT_REQUEST {
      guard RequestRules.accept(block, isTrailers: true), isLast else { return refuse(stream) }
      return stream.use { bodies.end($0.id) } || refuse(stream)
    }
    if !block.isAccepted {
      guard RequestRules.accept(block, isTrailers: false) else { return refuse(stream) }
      block.isAccepted = true
      block.declaredLength = RequestRules.contentLength(block)
    }
    if let length = block.declaredLength {
      if isLast { return length == 0 || refuse(stream) }
      stream.use { bodies.declare($0.id, bytes: length) }
    }
    return true
  }

  /// Resets the stream of a malformed request (RFC 9113 section 8.1.1).
  ///
  /// - Returns: false: the request is not accepted.
  @discardableResult
  private func refuse(_ stream: EventReference<HTTP2Stream>) -> Bool {
    stream.use { reset($0, errorCode: .protocolError) }
    return false
  }

  /// Whether the body that ends here is as long as it was said to be; if not, its stream is reset.
  private func endBody(_ stream: Unmanaged<HTTP2Stream>) -> Bool {
    let reference = unsafe EventReference(stream)
    return reference.use { bodies.end($0.id) } || refuse(reference)
  }

  func data(_ streamID: Int32, _ bytes: UnsafePointer<UInt8>?, _ count: Int) {
    consumed += count
    guard count > 0, let stream = unsafe stream(streamID), let bytes = unsafe bytes,
      let input = unsafe input
    else { return }
    if !bodies.isEmpty, !bodies.take(streamID, bytes: count) {
      unsafe refuse(EventReference(stream))
      return
    }
    let start = unsafe bytes - input
    events.append(.data(unsafe EventReference(stream), start..<start + count, isLast: false))
  }

  func sent(_ frame: UnsafePointer<nghttp2_frame>) {
    switch unsafe UInt32(frame.pointee.hd.type) {
    case NGHTTP2_HEADERS.rawValue where role == .server: hasSentResponse = true
    case NGHTTP2_HEADERS.rawValue:
      if let stream = unsafe stream(frame.pointee.hd.stream_id) {
        unsafe stream._withUnsafeGuaranteedRef { $0.hasBegun = true }
      }
    case NGHTTP2_RST_STREAM.rawValue:
      unsafe history.reset(frame.pointee.hd.stream_id)
      if role == .server {
        unsafe resets.count(HTTP2ErrorCode(rawValue: frame.pointee.rst_stream.error_code))
        if resets.isSpent { condemn(.flood("too many streams break the rules of HTTP/2")) }
      }
    case NGHTTP2_GOAWAY.rawValue:
      if unsafe frame.pointee.goaway.error_code != 0 { unsafe failed(frame.pointee.goaway) }
      // nghttp2 drops the streams above it.
      if unsafe frame.pointee.goaway.last_stream_id < history.last { history.forgetAll() }
    default: break
    }
    // A server that has answered tells a client that is still sending to stop (RFC 9113 8.1).
    guard role == .server,
      unsafe frame.pointee.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
      let stream = unsafe stream(frame.pointee.hd.stream_id),
      unsafe stream._withUnsafeGuaranteedRef({ !$0.isRemoteClosed })
    else { return }
    unsafe nghttp2_submit_rst_stream(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), frame.pointee.hd.stream_id,
      HTTP2ErrorCode.noError.rawValue)
  }

  /// A GOAWAY with an error code has left.
  private func failed(_ frame: nghttp2_goaway) {
    hasFailed = true
    if failure != nil { return }
    let text = unsafe UnsafeBufferPointer(start: frame.opaque_data, count: frame.opaque_data_len)
    failure = unsafe ConnectionFailure(
      code: HTTP2ErrorCode(rawValue: frame.error_code),
      reason: String(decoding: text, as: UTF8.self))
  }

  /// nghttp2 forgets the stream, and with it the user data, right after this.
  func closed(_ streamID: Int32, _ errorCode: HTTP2ErrorCode) {
    if !bodies.isEmpty { _ = bodies.end(streamID) }
    guard let stream = unsafe stream(streamID) else { return }
    unsafe close(stream, errorCode)
    if !waiting.isEmpty { submitWaiting() }
  }

  /// A request that could not be sent any more, as after GOAWAY.
  /// Or a response whose head or trailers are larger than nghttp2 sends: the client must not wait
  /// for it.
  func notSent(_ frame: UnsafePointer<nghttp2_frame>, _ errorCode: Int32) {
    guard unsafe frame.pointee.hd.type == UInt8(NGHTTP2_HEADERS.rawValue) else { return }
    if role == .server {
      if errorCode == NGHTTP2_ERR_FRAME_SIZE_ERROR.rawValue,
        let stream = unsafe stream(frame.pointee.hd.stream_id)
      {
        unsafe stream._withUnsafeGuaranteedRef {
          reset($0, errorCode: .internalError)
        }
      }
      return
    }
    var at = unsafe firstStream
    while let stream = unsafe at {
      let (id, next) = unsafe stream._withUnsafeGuaranteedRef { unsafe ($0.id, $0.next) }
      if unsafe id == frame.pointee.hd.stream_id {
        // nghttp2 may go on to close the stream.
        unsafe nghttp2_session_set_stream_user_data(session, id, nil)
        unsafe close(stream, .refusedStream)
        return submitWaiting()
      }
      unsafe at = next
    }
  }

  private func close(_ reference: Unmanaged<HTTP2Stream>, _ errorCode: HTTP2ErrorCode) {
    let stream = unsafe unlink(reference)
    stream.isClosed = true
    bufferedBytes -= stream.bufferedBytes
    stream.dropBody()
    events.append(.closed(EventReference(stream), errorCode: errorCode))
    expiring.append(stream)
  }

  private func link(_ stream: HTTP2Stream) -> Unmanaged<HTTP2Stream> {
    openStreams += 1
    let linked = unsafe Unmanaged.passRetained(stream)
    unsafe stream.next = firstStream
    unsafe firstStream?._withUnsafeGuaranteedRef { unsafe $0.previous = linked }
    unsafe firstStream = linked
    return unsafe linked
  }

  /// Takes a stream out of the list, and the list's reference to it.
  @discardableResult
  private func unlink(_ reference: Unmanaged<HTTP2Stream>) -> HTTP2Stream {
    openStreams -= 1
    unsafe latest = nil
    let stream = unsafe reference.takeRetainedValue()
    if let previous = unsafe stream.previous {
      unsafe previous._withUnsafeGuaranteedRef { unsafe $0.next = stream.next }
    } else {
      unsafe firstStream = stream.next
    }
    unsafe stream.next?._withUnsafeGuaranteedRef { unsafe $0.previous = stream.previous }
    unsafe stream.next = nil
    unsafe stream.previous = nil
    return stream
  }

  @inline(__always)
  private func stream(_ id: Int32) -> Unmanaged<HTTP2Stream>? {
    if let latest = unsafe latest, unsafe latest.id == id { return unsafe latest.stream }
    guard let pointer = unsafe nghttp2_session_get_stream_user_data(session, id) else { return nil }
    let stream = unsafe Unmanaged<HTTP2Stream>.fromOpaque(pointer)
    unsafe latest = unsafe (id, stream)
    return unsafe stream
  }

  /// How much of the body goes into the next DATA frame.
  func readBody(_ stream: HTTP2Stream, _ limit: Int, _ flags: inout UInt32) -> Int {
    let available = stream.bufferedBytes
    if available == 0 && !stream.isEnded {
      stream.isDeferred = true
      return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    }
    let count = min(limit, available)
    flags = NGHTTP2_DATA_FLAG_NO_COPY.rawValue
    guard count == available else { return count }
    flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
    stream.isSource = false
    if !stream.isEnded {
      flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
    } else {
      if let trailers = stream.trailers {
        flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
        stream.trailers = nil
        unsafe trailers.withFields { nva, count in
          _ = unsafe nghttp2_submit_trailer(session, stream.id, nva, count)
        }
      }
    }
    return count
  }

  /// Puts a DATA frame into the output: one copy from the stream's chunk.
  ///
  /// - Returns: what nghttp2 is told: to go on, or, once the output holds enough, to stop for now.
  func writeBody(_ stream: HTTP2Stream, _ head: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    unsafe output.append(contentsOf: UnsafeBufferPointer(start: head, count: 9))
    bufferedBytes -= count
    hasSentResponse = true
    creditFrames = 0
    stream.takeBody(count, into: &output)
    if stream.wantsWritable && stream.bufferedBytes < 16 << 10 {
      stream.wantsWritable = false
      events.append(.writable(EventReference(stream)))
    }
    return output.count < outputLimit ? 0 : NGHTTP2_ERR_PAUSE.rawValue
  }
}

extension HTTP2Session {
  /// Closes every stream, as when the connection is lost, and gives them out. nghttp2 must not be
  /// called again: its streams refer to objects that are gone.
  ///
  /// Also given out are the streams whose `closed` was not taken yet, with its error code; an open one
  /// has none. Events that were taken and not given back stay good.
  public func abandon() -> [(stream: HTTP2Stream, errorCode: HTTP2ErrorCode?)] {
    var abandoned: [(stream: HTTP2Stream, errorCode: HTTP2ErrorCode?)] = []
    waiting = RequestQueue()
    for case .closed(let stream, let errorCode) in events {
      abandoned.append((stream.object, errorCode))
    }
    while let stream = unsafe firstStream {
      unsafe abandoned.append((stream.takeUnretainedValue(), nil))
      unsafe close(stream, .noError)
    }
    events = []
    lent += expiring
    expiring = []
    return abandoned
  }
}
