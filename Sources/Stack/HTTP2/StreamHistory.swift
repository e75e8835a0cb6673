internal import HTTP2Codes

/// What a server remembers of its streams' numbers, so that it can tell what a frame on a stream
/// that is not there means. Bounded: what it has forgotten it lets pass.
struct StreamHistory {
  /// The highest number the peer has used.
  private(set) var last: Int32 = 0
  /// How many streams the peer has tried to open.
  private(set) var opened = 0
  /// Numbers that the peer has passed over: they can never be used.
  private var skipped: [ClosedRange<Int32>] = []
  /// The streams that were ended from here last; the peer may not know of it yet.
  private var resets: [Int32] = []
  private var nextReset = 0
  /// Streams up to this number may be among those that were ended from here.
  private var forgotten: Int32 = 0

  private static let resetsKept = 64
  private static let gapsKept = 16

  mutating func open(_ id: Int32) {
    opened += 1
    if id > last + 2, id > 2, skipped.count < Self.gapsKept {
      skipped.append(last + 1...id - 2)
    }
    last = id
  }

  /// This side ends the stream, or did not take it.
  mutating func reset(_ id: Int32) {
    if resets.count < Self.resetsKept {
      resets.append(id)
    } else {
      forgotten = max(forgotten, resets[nextReset])
      resets[nextReset] = id
      nextReset = (nextReset + 1) % Self.resetsKept
    }
  }

  /// Some of the streams up to the last were not taken.
  mutating func forgetAll() { forgotten = last }

  /// The error code for a frame on a stream that is not there any more; nil lets it pass.
  func fault(_ id: Int32) -> HTTP2ErrorCode? {
    if id <= forgotten || resets.contains(id) { return nil }
    return skipped.contains { $0.contains(id) } ? .protocolError : .streamClosed
  }
}
