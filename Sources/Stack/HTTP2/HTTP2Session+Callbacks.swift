internal import CNgHTTP2
internal import HTTP2Codes

/// What nghttp2 tells a session of frames and streams.
extension HTTP2Session {
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
      unsafe events.appendEnd(of: stream)
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
  func stopAnswered() {
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
      guard role == .server else { return }
      let code = unsafe HTTP2ErrorCode(rawValue: frame.pointee.rst_stream.error_code)
      if let failure = unsafe conduct.sentReset(frame.pointee.hd.stream_id, code) {
        condemn(failure)
      }
    case NGHTTP2_GOAWAY.rawValue:
      if unsafe frame.pointee.goaway.error_code != 0 { unsafe failed(frame.pointee.goaway) }
      unsafe conduct.sentGoAway(last: frame.pointee.goaway.last_stream_id)
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
    let code = unsafe HTTP2ErrorCode(rawValue: frame.error_code)
    let isWordless = text.isEmpty && code == .compressionError && role == .server
    failure = ConnectionFailure(
      code: code,
      reason: isWordless ? WordlessGoAway.reason : unsafe String(decoding: text, as: UTF8.self))
  }

  /// nghttp2 forgets the stream, and with it the user data, right after this.
  func closed(_ streamID: Int32, _ errorCode: HTTP2ErrorCode) {
    if !bodies.isEmpty { _ = bodies.end(streamID) }
    guard let stream = unsafe stream(streamID) else { return }
    unsafe close(stream, errorCode)
    if !waiting.isEmpty { submitWaiting() }
  }

  /// A request could not be sent any more, as after GOAWAY; or the head or trailers of a response are larger
  /// than nghttp2 sends, and the client must not wait for them.
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
    let id = unsafe frame.pointee.hd.stream_id
    guard let stream = unsafe streams.search(id) else { return }
    // nghttp2 may go on to close the stream.
    unsafe nghttp2_session_set_stream_user_data(session, id, nil)
    unsafe close(stream, .refusedStream)
    submitWaiting()
  }

  func close(_ reference: Unmanaged<HTTP2Stream>, _ errorCode: HTTP2ErrorCode) {
    let stream = unsafe streams.unlink(reference)
    stream.isClosed = true
    bufferedBytes -= stream.bufferedBytes
    stream.dropBody()
    events.append(.closed(EventReference(stream), errorCode: errorCode))
    events.keep(stream)
  }
}
