internal import CNgHTTP2
public import HTTP2Codes

/// What a peer has done that ends its connection, as a GOAWAY tells it.
public struct ConnectionFailure: Error, Equatable, Sendable {
  public var code: HTTP2ErrorCode
  /// In plain words; goes to the peer as GOAWAY's debug data.
  public var reason: String

  /// The peer has sent more than it may of what costs work and is of no use: ENHANCE_YOUR_CALM.
  public var isFlood: Bool { code == .enhanceYourCalm }

  public init(code: HTTP2ErrorCode, reason: String) {
    self.code = code
    self.reason = reason
  }

  public static func flood(_ reason: String) -> Self {
    Self(code: .enhanceYourCalm, reason: reason)
  }

  /// The floods that nghttp2 finds by itself and gives up at without a GOAWAY; nil for other errors.
  init?(libraryError code: Int32) {
    switch code {
    case NGHTTP2_ERR_FLOODED.rawValue:
      self = .flood("too many PING or SETTINGS frames whose answers are not read")
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue:
      self = .flood("too many CONTINUATION frames in a header block")
    default: return nil
    }
  }
}
