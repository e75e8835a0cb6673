internal import CNgHTTP2
public import HTTP2Codes

/// What the owner tells a session to do.
extension HTTP2Session {
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
      _ = unsafe streams.link(stream)
      waiting.append(RequestQueue.Entry(stream: stream, head: head, hasBody: hasBody))
      return .opened
    }
    guard submit(stream, head, hasBody) else { return .refused }
    _ = unsafe streams.link(stream)
    return .opened
  }

  func submit(_ stream: HTTP2Stream, _ head: OutgoingHeaders, _ hasBody: Bool) -> Bool {
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
  func submitWaiting() {
    while !waiting.isEmpty, openStreams - waiting.count < peerMaxConcurrentStreams,
      let next = waiting.popFirst()
    {
      if !submit(next.stream, next.head, next.hasBody) { refuse(next.stream) }
    }
  }

  /// The peer will not work on the request.
  func refuse(_ stream: HTTP2Stream) {
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
}
