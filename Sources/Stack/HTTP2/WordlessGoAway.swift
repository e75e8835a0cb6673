internal import HTTP2Codes

/// nghttp2 ends a connection whose header block cannot be decoded with a GOAWAY that says nothing but COMPRESSION_ERROR, and
/// gives no sign of it before that frame: so the frame gets its words when it is written (RFC 9113 section 6.8).
enum WordlessGoAway {
  static let reason =
    "a header block cannot be decoded: a field is larger than 64 KiB, or the compression is broken"
  /// A frame's head, the last stream's number and the error code.
  static let bytes = 17

  /// The frame with the reason as its debug data; nil for any other frame.
  static func withWords(_ frame: some Collection<UInt8>) -> [UInt8]? {
    let frame = Array(frame)
    guard frame.count == bytes, frame[3] == 7,
      frame[13...].elementsEqual([0, 0, 0, UInt8(HTTP2ErrorCode.compressionError.rawValue)])
    else { return nil }
    let words = Array(reason.utf8)
    return [0, 0, UInt8(8 + words.count)] + frame[3...] + words
  }
}
