internal import CNgHTTP2

/// Where nghttp2 gets the bodies that are sent.
extension HTTP2Session {
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
    bodyBytesSent &+= count
    hasSentResponse = true
    conduct.sentBody()
    stream.takeBody(count, into: &output)
    if stream.wantsWritable && stream.bufferedBytes < 16 << 10 {
      stream.wantsWritable = false
      events.append(.writable(EventReference(stream)))
    }
    return output.count < outputLimit ? 0 : NGHTTP2_ERR_PAUSE.rawValue
  }
}
