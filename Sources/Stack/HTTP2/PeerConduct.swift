internal import HTTP2Codes

/// What the peer of a server does that nghttp2 lets pass: frames on streams that the peer itself has ended,
/// and floods of frames that cost work and are of no use.
///
/// Pure: `PeerConduct` sees the heads of frames before nghttp2 gets them, and says what they mean.
struct PeerConduct {
  /// What a frame means.
  enum Verdict: Equatable {
    case proper
    /// The frame is proper only if its stream is there when nghttp2 has seen what came before. The session
    /// feeds that, says so with `fed`, and asks `judge` if the stream is not there.
    case needsStream
    case idleFlood, creditFlood, resetFlood

    /// Why the peer is sent away; nil for what is proper, or may be.
    var failure: ConnectionFailure? {
      switch self {
      case .proper, .needsStream: nil
      case .idleFlood: .flood("too many frames that do nothing")
      case .creditFlood: .flood("too many WINDOW_UPDATE frames")
      case .resetFlood: .flood("too many streams are reset")
      }
    }
  }

  private var watch: FrameWatch
  private(set) var history = StreamHistory()
  /// Streams that nghttp2 has taken, of those in `history`.
  private var taken = 0
  /// Streams that nghttp2 was seen not to take.
  private var untaken = 0
  /// Frames without use that the peer has sent beyond those forgiven.
  private var idleFrames = 0
  private let maxIdleFrames: Int
  /// Credit that the peer has given since this end last sent a part of a response.
  private var creditFrames = 0
  /// The peer's own RST_STREAM frames.
  private var peerResets: ResetBudget
  /// Streams that this end has reset for the peer's faults.
  private var faults: ResetBudget
  /// How many header blocks the peer has begun.
  private(set) var headsBegun = 0
  private var isBlockOpen = false
  /// The newest stream that nghttp2 knows of, and whether RST_STREAM has come behind what nghttp2 has seen.
  private var newestFed: Int32 = 0
  private var hasReset = false

  init(role: HTTP2Session.Role, settings: HTTP2Settings) {
    watch = FrameWatch(prefaceBytes: role == .server ? 24 : 0)
    maxIdleFrames = settings.maxIdleFrames
    faults = ResetBudget(burst: settings.streamResetBurst, perSecond: settings.streamResetRate)
    peerResets = faults
  }

  /// Whether the end of a header block is still on its way.
  var isReceivingHead: Bool { isBlockOpen || watch.isInsideHead }

  // MARK: Before nghttp2 gets the bytes

  /// nghttp2 has seen all that came up to here.
  mutating func fed() {
    newestFed = history.last
    hasReset = false
  }

  /// The next head of a frame that is whole, as `FrameWatch.next` finds it.
  @inline(__always)
  mutating func next(
    _ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int
  ) -> FrameWatch.Head? {
    unsafe watch.next(bytes, &position)
  }

  /// A frame has come.
  ///
  /// - Parameter isOpen: whether nghttp2 knows the stream.
  @inline(__always)
  mutating func saw(_ head: FrameWatch.Head, isOpen: (Int32) -> Bool) -> Verdict {
    switch head.type {
    case FrameWatch.Head.data, FrameWatch.Head.headers:
      if head.type == FrameWatch.Head.headers {
        headsBegun += 1
        isBlockOpen = !head.endsBlock
      }
      var needsStream = false
      if head.stream > history.last {
        // DATA on a stream that was never opened is nghttp2's to answer.
        if head.type == FrameWatch.Head.headers { opens(head.stream) }
      } else {
        // Whether the stream is there may depend on frames that nghttp2 has not seen yet.
        needsStream =
          hasReset || (head.stream > newestFed ? head.stream != history.last : !isOpen(head.stream))
      }
      if head.isEmptyData, countIdle() == .idleFlood { return .idleFlood }
      return needsStream ? .needsStream : .proper
    case FrameWatch.Head.reset:
      hasReset = true
      if head.stream & 1 == 1, head.stream <= history.last { history.peerReset(head.stream) }
      peerResets.count()
      return peerResets.isSpent ? .resetFlood : .proper
    case FrameWatch.Head.continuation:
      isBlockOpen = !head.endsBlock
      return .proper
    case FrameWatch.Head.windowUpdate:
      // WINDOW_UPDATE is of use only while responses use the credit.
      creditFrames += 1
      return creditFrames > 10 * maxIdleFrames ? .creditFlood : .proper
    case FrameWatch.Head.ping where !head.isAcknowledgement: return .proper
    case FrameWatch.Head.settings where head.isAcknowledgement: return .proper
    case FrameWatch.Head.pushPromise: return .proper
    default: return countIdle()
    }
  }

  private mutating func opens(_ id: Int32) {
    guard id & 1 == 1 else { return }
    history.open(id)
    idleFrames = max(0, idleFrames - 10)
  }

  /// PRIORITY, SETTINGS, GOAWAY, unasked answers to PING, unknown frames, empty DATA: legal, and work
  /// for nothing (CVE-2019-9515, CVE-2019-9518).
  private mutating func countIdle() -> Verdict {
    idleFrames += 1
    return idleFrames > maxIdleFrames ? .idleFlood : .proper
  }

  /// A frame has come on a stream that is not there any more: what that comes to.
  mutating func judge(_ id: Int32) -> StreamHistory.LateFrame {
    guard id & 1 == 1 else { return .passes }
    // Streams that were refused or came after GOAWAY were never there: they are not told apart.
    if history.opened - taken > untaken {
      untaken = history.opened - taken
      history.forgetAll()
    }
    let late = history.lateFrame(id)
    // What else has been sent there already crosses the answer.
    if late == .resets { history.reset(id) }
    return late
  }

  // MARK: What this end does

  /// nghttp2 has taken a stream that the peer has opened.
  mutating func took() { taken += 1 }

  /// A part of a response has left.
  @inline(__always)
  mutating func sentBody() { creditFrames = 0 }

  /// RST_STREAM has left. Not nil when the peer has caused too many of them.
  mutating func sentReset(_ id: Int32, _ code: HTTP2ErrorCode) -> ConnectionFailure? {
    history.reset(id)
    faults.count(code)
    return faults.isSpent ? .flood("too many streams break the rules of HTTP/2") : nil
  }

  /// The owner will have to reset a stream for what the peer has done on it.
  mutating func mustReset() { faults.count(.protocolError) }

  /// GOAWAY has left: nghttp2 drops the streams above the last one that it names.
  mutating func sentGoAway(last: Int32) {
    if last < history.last { history.forgetAll() }
  }
}
