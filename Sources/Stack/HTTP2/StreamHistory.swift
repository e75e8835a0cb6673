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
  private var resets = RecentStreams()
  /// The streams that the peer itself has reset last.
  private var peerResets = RecentStreams()

  private static let gapsKept = 16

  /// What a frame on a stream that is not there any more comes to.
  enum LateFrame: Equatable {
    case passes
    /// A stream error: the peer is told by RST_STREAM.
    case resets
    /// A connection error with this code.
    case ends(HTTP2ErrorCode)
  }

  mutating func open(_ id: Int32) {
    opened += 1
    if id > last + 2, id > 2, skipped.count < Self.gapsKept {
      skipped.append(last + 1...id - 2)
    }
    last = id
  }

  /// This side ends the stream, or did not take it.
  mutating func reset(_ id: Int32) { resets.insert(id) }

  /// The peer has reset the stream.
  mutating func peerReset(_ id: Int32) { peerResets.insert(id) }

  /// Some of the streams up to the last were not taken.
  mutating func forgetAll() { resets.forget(upTo: last) }

  /// What a frame on a stream that is not there any more comes to.
  ///
  /// Behind the peer's own RST_STREAM it is an error of that stream alone: Netty sends DATA there when a call is
  /// cancelled while its request is being sent, and the connection's other calls have no part in it.
  func lateFrame(_ id: Int32) -> LateFrame {
    if resets.mayHold(id) { return .passes }
    if skipped.contains(where: { $0.contains(id) }) { return .ends(.protocolError) }
    return peerResets.mayHold(id) ? .resets : .ends(.streamClosed)
  }
}

/// The numbers of the streams to which something has happened last.
private struct RecentStreams {
  private var ids: [Int32] = []
  private var next = 0
  /// Streams up to this number may have been among them.
  private var forgotten: Int32 = 0

  private static let kept = 64

  mutating func insert(_ id: Int32) {
    if ids.count < Self.kept {
      ids.append(id)
    } else {
      forgotten = max(forgotten, ids[next])
      ids[next] = id
      next = (next + 1) % Self.kept
    }
  }

  mutating func forget(upTo last: Int32) { forgotten = last }

  func mayHold(_ id: Int32) -> Bool { id <= forgotten || ids.contains(id) }
}
