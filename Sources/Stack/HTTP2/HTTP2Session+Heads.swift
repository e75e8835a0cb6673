internal import CNgHTTP2
internal import HTTP2Codes

/// Header blocks as nghttp2 hands them over, and the rules that this end checks itself.
extension HTTP2Session {
  func began(_ frame: UnsafePointer<nghttp2_frame>) -> Int32 {
    assembly.reset()
    let isRequest = unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
    if role == .server, isRequest,
      unsafe frame.pointee.hd.type == UInt8(NGHTTP2_HEADERS.rawValue)
    {
      let stream = makeStream()
      conduct.took()
      stream.id = unsafe frame.pointee.hd.stream_id
      let linked = unsafe streams.link(stream)
      unsafe nghttp2_session_set_stream_user_data(session, stream.id, linked.toOpaque())
      unsafe streams.expect(stream.id, linked)
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

  /// A head, or trailers, has come in whole.
  func receivedBlock(
    _ stream: Unmanaged<HTTP2Stream>, _ category: nghttp2_headers_category, _ isLast: Bool
  ) {
    let stream = unsafe EventReference(stream)
    if assembly.isTooLarge {
      let kind = assembly.kind
      assembly.reset()
      // Behind a head that was taken its owner has to reset the stream: the handler runs already.
      if role == .server, category != NGHTTP2_HCAT_REQUEST { conduct.mustReset() }
      return events.append(.headTooLarge(stream, kind))
    }
    let block = assembly.take { events.keep($0) }
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
  func refuse(_ stream: EventReference<HTTP2Stream>) -> Bool {
    stream.use { reset($0, errorCode: .protocolError) }
    return false
  }

  /// Whether the body that ends here is as long as it was said to be; if not, its stream is reset.
  func endBody(_ stream: Unmanaged<HTTP2Stream>) -> Bool {
    let reference = unsafe EventReference(stream)
    return reference.use { bodies.end($0.id) } || refuse(reference)
  }
}
