internal import HTTP2Codes

/// The life of one call on the client: which stream carries the call, what was sent and has come, how it ended.
///
/// ```
///             opened                  closed, aborted, a status
///  opening ───────────► open ─────────────────────────────────► ended
///     ▲ │                │
///     │ └────────────────┼── the same ────────────────────────► ended
///     └── refused, once ─┘
/// ```
/// A call that the server has certainly not worked on (GOAWAY, REFUSED_STREAM, a connection that was lost before
/// the request left) is sent once more, on another stream (gRFC A6, "Transparent Retries"): what was sent is kept
/// until the server has begun to answer.
///
/// Pure: no stream, no lock, no continuation, no clock. The driver is `ClientCall`.
struct ClientCallMachine {
  enum State: Equatable {
    /// A stream is being opened, or gets again what the one before was sent.
    case opening
    case open
    /// `ok` is a status too.
    case ended(RPCError)
  }

  enum Effect: Equatable {
    case nothing
    /// Something has come: whoever waits looks again.
    case wake
    /// The call has ended: whoever waits looks again, and nothing is waited for any more.
    case finish
    /// The same, and the server is told by RST_STREAM(CANCEL).
    case abort
    /// The call is to be opened once more, as the stream of that number.
    case sendAgain(Int)
  }

  private(set) var state = State.opening
  /// Which of the call's streams is the current one.
  private(set) var streamNumber = 0
  /// The server has begun to answer: the call may not be tried again.
  private(set) var isCommitted = false
  /// The metadata of the response's head.
  private(set) var initial: Metadata?
  private var reader: ResponseReader
  private var hasStream = false
  /// The call may be sent once more, should the server not have worked on it.
  private(set) var mayBeSentAgain = false
  /// Why there is no connection for the call, while it waits for one.
  private var obstacle: String?
  /// What was sent, for as long as it may have to be sent again.
  private var sent: [[UInt8]] = []
  private var sentBytes = 0
  private var sentIsComplete = false
  /// Messages that nobody has taken, oldest first.
  private var queue: [[UInt8]] = []
  private var queueStart = 0
  private var queuedBytes = 0
  private var unreleasedBytes = 0

  /// Undelivered bytes above which no flow-control credit is returned.
  static let bufferBytes = 64 << 10
  /// What is kept of a stream of requests, to be sent again.
  static let replayBytes = 256 << 10

  init(reader: ResponseReader) { self.reader = reader }

  /// How the call ended, nil while it has not.
  var end: RPCError? { if case .ended(let end) = state { end } else { nil } }
  var isOver: Bool { end != nil }
  var hasMessage: Bool { queueStart < queue.count }

  // MARK: Streams

  /// The call begins, and may be sent once more. Without effect on a call that is over.
  mutating func start() { if !isOver { mayBeSentAgain = true } }

  enum OpenedEffect: Equatable {
    /// The stream is the call's.
    case use
    /// The stream gets first what the one before was sent.
    case replay([[UInt8]], isLast: Bool)
    /// The stream was refused before it was known here.
    case drop
    /// The call ended meanwhile.
    case reset
  }

  /// A stream is open, and was sent so many chunks of what was sent before.
  mutating func opened(_ number: Int, replayed: Int) -> OpenedEffect {
    if isOver { return .reset }
    if streamNumber != number { return .drop }
    if replayed < sent.count {
      return .replay(Array(sent[replayed...]), isLast: sentIsComplete)
    }
    state = .open
    hasStream = true
    obstacle = nil
    if !mayBeSentAgain { dropSent() }
    return .use
  }

  /// The stream could not be opened. Nothing has left: the caller may make the call again.
  mutating func openingFailed(_ number: Int, _ error: RPCError, isLate: Bool) -> Effect {
    streamNumber == number ? ended(error, isLate: isLate) : .nothing
  }

  mutating func stillWaiting(_ reason: RPCError) { obstacle = reason.message }

  // MARK: The caller

  enum SendEffect: Equatable { case send, wait, fail(RPCError) }

  /// The caller has bytes to send.
  ///
  /// - Parameter isLong: a stream of requests, of which not everything is kept.
  mutating func send(_ bytes: [UInt8], isLast: Bool, isLong: Bool) -> SendEffect {
    switch state {
    case .opening: return .wait
    case .ended(let end):
      return .fail(end.code == .ok ? RPCError(.cancelled, "the call is over") : end)
    case .open:
      if mayBeSentAgain {
        sent.append(bytes)
        sentBytes += bytes.count
        sentIsComplete = isLast
        if isLong && sentBytes > Self.replayBytes { forget() }
      }
      return .send
    }
  }

  enum TakeEffect: Equatable { case message([UInt8]), end(RPCError), wait }

  /// The caller asks for the next message.
  mutating func take() -> TakeEffect {
    guard hasMessage else { return end.map { .end($0) } ?? .wait }
    let message = queue[queueStart]
    queue[queueStart] = []
    queueStart += 1
    if queueStart == queue.count {
      queue.removeAll(keepingCapacity: true)
      queueStart = 0
    }
    queuedBytes -= message.count
    return .message(message)
  }

  /// Flow-control credit that the stream may return now, in bytes.
  mutating func takeCredit() -> Int {
    guard queuedBytes < Self.bufferBytes, hasStream else { return 0 }
    defer { unreleasedBytes = 0 }
    return unreleasedBytes
  }

  /// The caller, or the deadline, ends the call.
  mutating func aborted(_ error: RPCError, isLate: Bool) -> Effect {
    ended(error, isLate: isLate) == .finish ? .abort : .nothing
  }

  /// The deadline has passed.
  mutating func deadlinePassed() -> Effect {
    let reason = obstacle.map { "; it waited for a connection: " + $0 } ?? ""
    return aborted(
      RPCError(.deadlineExceeded, "the call took longer than its deadline allows" + reason),
      isLate: true)
  }

  // MARK: The transport

  mutating func receivedHead(_ fields: HeaderFields, isLast: Bool, isLate: Bool) -> Effect {
    if isLast {
      // Trailers-Only is no beginning of an answer: such a call may be tried again (gRFC A6).
      let (message, status) = reader.headersOnly(fields)
      initial = reader.headMetadata
      if let message { enqueue(message) }
      return ended(status, isLate: isLate)
    }
    do throws(RPCError) {
      initial = try reader.head(fields)
    } catch { return aborted(error, isLate: isLate) }
    isCommitted = true
    forget()
    return .wake
  }

  mutating func received(
    _ data: borrowing Span<UInt8>, isLast: Bool, isLate: Bool
  ) -> Effect {
    unreleasedBytes += data.count
    if isOver { return .nothing }
    let arrived: [[UInt8]]
    do throws(RPCError) { arrived = try reader.body(data) } catch {
      return aborted(error, isLate: isLate)
    }
    for message in arrived { enqueue(message) }
    if let status = reader.status { return ended(status, isLate: isLate) }
    if isLast { return endedWithoutTrailers(isLate: isLate) }
    return arrived.isEmpty ? .nothing : .wake
  }

  mutating func receivedTrailers(_ fields: HeaderFields, isLate: Bool) -> Effect {
    ended(reader.trailers(fields), isLate: isLate)
  }

  mutating func closed(_ end: StreamEnd, isLate: Bool) -> Effect {
    switch end {
    case .complete: return endedWithoutTrailers(isLate: isLate)
    case .reset(let code):
      if code == .refusedStream, let number = sendAgain() { return .sendAgain(number) }
      return ended(RPCError(reset: code), isLate: isLate)
    case .connectionLost(let error, let processed):
      if !processed, let number = sendAgain() { return .sendAgain(number) }
      return ended(error, isLate: isLate)
    case .failed(let error): return ended(error, isLate: isLate)
    }
  }

  // MARK: Steps

  /// - Parameter isLate: the deadline has passed. A server that gives up at the deadline resets the stream with
  ///   CANCEL, and may be heard of before the timer here.
  private mutating func ended(_ end: RPCError, isLate: Bool) -> Effect {
    if isOver { return .nothing }
    var end = end
    if end.code == .cancelled && isLate { end.code = .deadlineExceeded }
    state = .ended(end)
    forget()
    return .finish
  }

  /// The body ended, and no trailers will come.
  private mutating func endedWithoutTrailers(isLate: Bool) -> Effect {
    if isOver { return .nothing }
    let (message, status) = reader.end()
    if let message { enqueue(message) }
    return ended(status, isLate: isLate)
  }

  private mutating func sendAgain() -> Int? {
    guard !isOver, !isCommitted, mayBeSentAgain else { return nil }
    mayBeSentAgain = false
    hasStream = false
    state = .opening
    reader = ResponseReader(copying: reader)
    streamNumber += 1
    return streamNumber
  }

  private mutating func enqueue(_ message: [UInt8]) {
    queuedBytes += message.count
    queue.append(message)
  }

  /// The call will not be sent again. What was sent is kept for a stream that is just being opened: its
  /// head may be here before the call knows the stream.
  private mutating func forget() {
    mayBeSentAgain = false
    if state != .opening { dropSent() }
  }

  private mutating func dropSent() {
    sent = []
    sentBytes = 0
  }
}
