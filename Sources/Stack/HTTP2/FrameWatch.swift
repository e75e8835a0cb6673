/// Finds the heads of a peer's frames in the bytes it sends, whatever pieces they arrive in.
///
/// nghttp2 drops frames on streams that it no longer knows without a word. A server that wants to
/// tell a peer's mistake (RFC 9113 section 5.1, "closed") from a frame that crossed its own
/// RST_STREAM must see them itself.
struct FrameWatch {
  struct Head {
    var length: Int
    var type: UInt8
    var flags: UInt8
    var stream: Int32

    // RFC 9113 section 6.
    static let data: UInt8 = 0x0
    static let headers: UInt8 = 0x1
    static let priority: UInt8 = 0x2
    static let reset: UInt8 = 0x3
    static let settings: UInt8 = 0x4
    static let pushPromise: UInt8 = 0x5
    static let ping: UInt8 = 0x6
    static let windowUpdate: UInt8 = 0x8
    static let continuation: UInt8 = 0x9

    var endsBlock: Bool { flags & 4 != 0 }
    /// Of SETTINGS and PING.
    var isAcknowledgement: Bool { flags & 1 != 0 }
    var isEmptyData: Bool { type == Self.data && length == 0 && flags & 1 == 0 }
  }

  /// Bytes before the next head: the rest of the preface or of a payload.
  private var ahead: Int
  private var type: UInt8 = 0
  /// The first bytes of a head whose rest has not come yet.
  private var begun: [9 of UInt8] = .init(repeating: 0)
  private var begunCount = 0

  /// - Parameter prefaceBytes: what the peer sends before its first frame.
  init(prefaceBytes: Int) { ahead = prefaceBytes }

  /// HEADERS or CONTINUATION has begun whose end has not come yet.
  var isInsideHead: Bool { ahead > 0 && (type == Head.headers || type == Head.continuation) }

  /// The next head that is whole, and moves `position` behind it; nil when the bytes end first.
  @inline(__always)
  mutating func next(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> Head? {
    let left = bytes.count - position
    if left <= ahead {
      ahead -= left
      position = bytes.count
      return nil
    }
    position += ahead
    ahead = 0
    if begunCount > 0 || bytes.count - position < 9 { return unsafe join(bytes, &position) }
    let head = unsafe Head(
      length: Int(bytes[position]) << 16 | Int(bytes[position + 1]) << 8
        | Int(bytes[position + 2]),
      type: bytes[position + 3], flags: bytes[position + 4],
      stream: Self.stream(
        bytes[position + 5], bytes[position + 6], bytes[position + 7], bytes[position + 8]))
    position += 9
    ahead = head.length
    type = head.type
    return head
  }

  private mutating func join(
    _ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int
  ) -> Head? {
    while begunCount < 9 {
      guard position < bytes.count else { return nil }
      begun[begunCount] = unsafe bytes[position]
      begunCount += 1
      position += 1
    }
    begunCount = 0
    let head = Head(
      length: Int(begun[0]) << 16 | Int(begun[1]) << 8 | Int(begun[2]), type: begun[3],
      flags: begun[4], stream: Self.stream(begun[5], begun[6], begun[7], begun[8]))
    ahead = head.length
    type = head.type
    return head
  }

  /// The highest bit is reserved and ignored (RFC 9113 section 4.1).
  private static func stream(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> Int32 {
    Int32(a & 0x7f) << 24 | Int32(b) << 16 | Int32(c) << 8 | Int32(d)
  }
}
