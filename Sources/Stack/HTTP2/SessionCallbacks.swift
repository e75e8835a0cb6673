internal import CNgHTTP2
internal import HTTP2Codes

/// The callbacks that every session shares. They find their session in nghttp2's user data and hand
/// on; no Swift error crosses them and none of them sends or receives.
@safe
final class SessionCallbacks: Sendable {
  static let shared = SessionCallbacks()

  /// Made once and never freed.
  nonisolated(unsafe) let table: OpaquePointer?

  private init() {
    var made: OpaquePointer?
    unsafe nghttp2_session_callbacks_new(&made)
    unsafe table = made
    unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(made) { _, frame, user in
      guard let frame = unsafe frame else { return 0 }
      return unsafe withSession(user) { session in unsafe session.began(frame) }
    }
    unsafe nghttp2_session_callbacks_set_on_header_callback(made) {
      _, _, name, nameLength, value, valueLength, _, user in
      unsafe withSession(user) { session in
        unsafe session.header(
          UnsafeBufferPointer(start: name, count: nameLength),
          UnsafeBufferPointer(start: value, count: valueLength))
      }
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_invalid_header_callback(made) {
      _, _, _, _, _, _, _, _ in
      // The stream, not the connection, is refused: nghttp2 answers RST_STREAM(PROTOCOL_ERROR).
      NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
    }
    unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(made) { _, frame, user in
      guard let frame = unsafe frame else { return 0 }
      unsafe withSession(user) { session in unsafe session.received(frame) }
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made) {
      _, _, stream, data, count, user in
      unsafe withSession(user) { session in unsafe session.data(stream, data, count) }
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_frame_send_callback(made) { _, frame, user in
      guard let frame = unsafe frame else { return 0 }
      unsafe withSession(user) { session in unsafe session.sent(frame) }
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(made) {
      _, frame, errorCode, user in
      guard let frame = unsafe frame else { return 0 }
      unsafe withSession(user) { session in unsafe session.notSent(frame, errorCode) }
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_stream_close_callback(made) {
      _, stream, errorCode, user in
      unsafe withSession(user) { session in
        session.closed(stream, HTTP2ErrorCode(rawValue: errorCode))
      }
      return 0
    }
    unsafe nghttp2_session_callbacks_set_send_data_callback(made) {
      _, _, head, count, source, user in
      guard let source = unsafe source, let pointer = unsafe source.pointee.ptr else { return 0 }
      return unsafe withStream(pointer) { stream in
        unsafe withSession(user) { session in unsafe session.writeBody(stream, head, count) }
      }
    }
  }

  /// The body source of a stream. The pointer is borrowed: nghttp2 keeps it no longer than the
  /// stream, for which it holds a reference in the stream's user data.
  static func provider(_ stream: HTTP2Stream) -> nghttp2_data_provider {
    var provider = unsafe nghttp2_data_provider()
    unsafe provider.source.ptr = unsafe Unmanaged.passUnretained(stream).toOpaque()
    unsafe provider.read_callback = { _, _, _, limit, flags, source, user in
      guard let source = unsafe source, let pointer = unsafe source.pointee.ptr,
        let flags = unsafe flags
      else { return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
      return unsafe withStream(pointer) { stream in
        unsafe withSession(user) { session in
          unsafe session.readBody(stream, limit, &flags.pointee)
        }
      }
    }
    return unsafe provider
  }
}

/// The session that nghttp2's user data points to; borrowed, it outlives its callbacks.
///
/// Borrowed for the call, without a reference count going up and down.
@inline(__always)
private func withSession<R>(
  _ user: UnsafeMutableRawPointer?, _ body: (HTTP2Session) -> R
) -> R {
  guard let user = unsafe user else { fatalError("nghttp2 lost its user data") }
  return unsafe Unmanaged<HTTP2Session>.fromOpaque(user)._withUnsafeGuaranteedRef { body($0) }
}

/// The stream that a body source points to, borrowed in the same way.
@inline(__always)
private func withStream<R>(_ pointer: UnsafeMutableRawPointer, _ body: (HTTP2Stream) -> R) -> R {
  unsafe Unmanaged<HTTP2Stream>.fromOpaque(pointer)._withUnsafeGuaranteedRef { body($0) }
}
