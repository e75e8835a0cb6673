/// What the peer has done, in the order it did it.
public enum HTTP2Event {
  /// A request's head (server), or a response's head (client).
  case head(HTTP2Stream, HeaderBlock, isLast: Bool)
  case trailers(HTTP2Stream, HeaderBlock)
  /// The header block is larger than the limit; what was kept of it is not given out.
  case headTooLarge(HTTP2Stream)
  /// A piece of a body: a range of the bytes given to `receive`.
  case data(HTTP2Stream, Range<Int>, isLast: Bool)
  /// END_STREAM without data.
  case end(HTTP2Stream)
  /// The send buffer of a stream that asked for it has run low.
  case writable(HTTP2Stream)
  /// The stream is over; 0 is NO_ERROR.
  case closed(HTTP2Stream, errorCode: UInt32)
  case goAway(lastStreamID: Int32, errorCode: UInt32)
  case pingReceived
  case pingAcknowledged(UInt64)
  case settingsReceived
}

/// Why a connection cannot go on.
public struct HTTP2ConnectionError: Error, Equatable, Sendable {
  /// nghttp2's library error code.
  public var code: Int32
  public var message: String
}
