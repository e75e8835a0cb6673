public import HTTP2Codes

/// What the peer has done, in the order it did it.
///
/// Events refer to streams and header blocks without counting references: an event is good until
/// its session's next `takeEvents`, or until the events were given back with `recycle`.
public enum HTTP2Event {
  /// A request's head (server), or a response's head (client).
  case head(EventReference<HTTP2Stream>, EventReference<HeaderBlock>, isLast: Bool)
  case trailers(EventReference<HTTP2Stream>, EventReference<HeaderBlock>)
  /// The header block is larger than the limit; what was kept of it is not given out.
  case headTooLarge(EventReference<HTTP2Stream>, RequestKind)
  /// A piece of a body: a range of the bytes given to `receive`.
  case data(EventReference<HTTP2Stream>, Range<Int>, isLast: Bool)
  /// END_STREAM without data.
  case end(EventReference<HTTP2Stream>)
  /// The send buffer of a stream that asked for it has run low.
  case writable(EventReference<HTTP2Stream>)
  case closed(EventReference<HTTP2Stream>, errorCode: HTTP2ErrorCode)
  case goAway(lastStreamID: Int32, errorCode: HTTP2ErrorCode)
  case pingReceived
  case pingAcknowledged(UInt64)
  case settingsReceived
}

/// What a request's `content-type` says of how it is to be answered.
public enum RequestKind: Equatable, Sendable {
  case grpc, grpcWeb, other

  /// The kind that a header field tells of; nil for any but `content-type`.
  static func of(
    _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>
  ) -> RequestKind? {
    guard name.count == 12, unsafe name.elementsEqual("content-type".utf8) else { return nil }
    if unsafe value.starts(with: "application/grpc-web".utf8) { return .grpcWeb }
    return unsafe value.starts(with: "application/grpc".utf8) ? .grpc : .other
  }
}

/// A reference whose object the session keeps alive for as long as the event that holds it is good.
///
/// Every call goes through several events; counting references in each would cost a call more than
/// all the rest of its HTTP/2.
@safe @frozen
public struct EventReference<Object: AnyObject> {
  @usableFromInline let reference: Unmanaged<Object>

  init(_ object: Object) { unsafe reference = Unmanaged.passUnretained(object) }

  init(_ reference: Unmanaged<Object>) { unsafe self.reference = reference }

  /// The object, to be kept for as long as the caller likes.
  @inlinable public var object: Object { unsafe reference.takeUnretainedValue() }

  /// Lends the object for the time of the call.
  @inlinable @inline(__always)
  public func use<R>(_ body: (Object) -> R) -> R {
    unsafe reference._withUnsafeGuaranteedRef { body($0) }
  }
}

/// Why a connection cannot go on.
public struct HTTP2ConnectionError: Error, Equatable, Sendable {
  /// nghttp2's library error code.
  public var code: Int32
  public var message: String
}
