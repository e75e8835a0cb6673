import Synchronization

/// One call on the client: what is sent, what has come, how it ended.
///
/// The transport's events and the caller meet under one lock; continuations are resumed after it is
/// given back.
///
/// A call that the server has certainly not worked on (GOAWAY, REFUSED_STREAM, a connection that was lost
/// before the request left) is sent once more, on another stream (gRFC A6, "Transparent Retries").
final class ClientCall: HTTPResponseReceiver {
  typealias Opener = @Sendable () async throws(RPCError) -> any HTTPClientStream

  private struct State {
    /// The stream, once it is open and has been sent again what the one before was sent.
    var stream: (any HTTPClientStream)?
    var reader: ResponseReader
    /// The server has begun to answer: the call may not be tried again.
    var isCommitted = false
    var isOpening = true
    /// Why there is no connection for the call, while it waits for one.
    var obstacle: String?
    /// Makes the stream on which the call is sent once more; nil when it is not.
    var reopen: Opener?
    /// Opens the current stream.
    var opening: Task<Void, Never>?
    /// Which of the call's streams is the current one.
    var streamNumber = 0
    /// What was sent, for as long as it may have to be sent again.
    var sent = Sent()
    var initial: Metadata?
    var queue: [[UInt8]] = []
    var queueStart = 0
    var queuedBytes = 0
    var unreleasedBytes = 0
    /// How the call ended; `ok` is a status too.
    var end: RPCError?
    /// Those who wait for an event; each looks again after every one.
    var waiters: [UnsafeContinuation<Void, Never>] = []
    var writeWaiters: [UnsafeContinuation<Void, Never>] = []
    var timer: Task<Void, Never>?

    var isEmpty: Bool { queueStart == queue.count }
  }

  private struct Sent {
    var chunks: [[UInt8]] = []
    var bytes = 0
    var isComplete = false
  }

  private static let bufferBytes = 64 << 10
  /// What is kept of a stream of requests, to be sent again.
  private static let replayBytes = 256 << 10
  private let kind: MethodKind
  private let deadline: ContinuousClock.Instant?
  private let state: Mutex<State>

  init(
    form: ClientForm, kind: MethodKind, responseMessageBytes: Int,
    deadline: ContinuousClock.Instant? = nil
  ) {
    self.deadline = deadline
    self.kind = kind
    state = Mutex(
      State(reader: ResponseReader(form: form, kind: kind, limit: responseMessageBytes)))
  }

  /// The server has begun to answer.
  var isCommitted: Bool { state.withLock { $0.isCommitted } }

  // MARK: Life

  /// Opens the stream; a call that ends meanwhile (its deadline, a cancellation) does not wait for
  /// the connection.
  ///
  /// - Parameter body: called once more when the server has certainly not worked on the call.
  func open(_ body: @escaping Opener) async throws(RPCError) {
    // A call that is over is not opened again, and what would hold it is not kept.
    state.withLock { if $0.end == nil { $0.reopen = body } }
    openStream(0, body)
    await wait { !$0.isOpening || $0.end != nil }
    let end = state.withLock { $0.end }
    if let end, end.code != .ok { throw end }
  }

  /// Opens a stream in a task of its own, which ends with the call.
  private func openStream(_ number: Int, _ body: @escaping Opener) {
    let opening = Task {
      do throws(RPCError) {
        opened(try await body(), number)
      } catch {
        // Nothing has left: the call may be made again.
        if state.withLock({ $0.streamNumber == number }) { finish(error) }
      }
      wake(
        state.withLock { state in
          state.isOpening = false
          return Self.takeWaiters(&state)
        })
    }
    let isOver = state.withLock { state in
      if state.streamNumber == number { state.opening = opening }
      return state.end != nil
    }
    if isOver { opening.cancel() }
  }

  /// A stream is open. It becomes the call's when it has got what was sent on the one before.
  private func opened(_ stream: any HTTPClientStream, _ number: Int) {
    enum Step {
      case use(credit: Int, [UnsafeContinuation<Void, Never>])
      case replay([[UInt8]], isLast: Bool)
      case drop
      case reset
    }
    var replayed = 0
    while true {
      let step = state.withLock { state -> Step in
        if state.end != nil { return .reset }
        // It was refused before this was known.
        if state.streamNumber != number { return .drop }
        if replayed < state.sent.chunks.count {
          let chunks = Array(state.sent.chunks[replayed...])
          replayed = state.sent.chunks.count
          return .replay(chunks, isLast: state.sent.isComplete)
        }
        state.stream = stream
        state.obstacle = nil
        state.opening = nil
        // It is not sent a third time.
        if state.reopen == nil { state.sent = Sent() }
        let credit = Self.takeCredit(&state)
        return .use(credit: credit, Self.takeWaiters(&state))
      }
      switch step {
      case .replay(let chunks, let isLast):
        for (i, chunk) in chunks.enumerated() {
          stream.send(chunk, isLast: isLast && i == chunks.count - 1)
        }
      case .use(let credit, let waiters):
        if credit > 0 { stream.release(credit) }
        return wake(waiters)
      case .drop: return
      case .reset: return stream.reset(8)
      }
    }
  }

  /// Sends the call once more, if it may be.
  private func sendAgain() -> Bool {
    let again = state.withLock { state -> (Opener, Int, [UnsafeContinuation<Void, Never>])? in
      guard state.end == nil, !state.isCommitted, let reopen = state.reopen else { return nil }
      defer { state.writeWaiters = [] }
      state.reopen = nil
      state.stream = nil
      state.reader = ResponseReader(copying: state.reader)
      state.streamNumber += 1
      return (reopen, state.streamNumber, state.writeWaiters)
    }
    guard let (reopen, number, writers) = again else { return false }
    wake(writers)
    openStream(number, reopen)
    return true
  }

  /// The call will not be sent again. What was sent is kept for a stream that is just being opened: its
  /// head may be here before the call knows the stream.
  private static func forget(_ state: inout State) {
    state.reopen = nil
    if state.stream != nil || state.end != nil { state.sent = Sent() }
  }

  /// Returns when the server has begun to answer or the call has ended with OK.
  ///
  /// - Throws: the status of a call that ended otherwise.
  func waitForAnswer() async throws(RPCError) {
    await wait { $0.isCommitted || !$0.isEmpty || $0.end != nil }
    let (isThere, end) = state.withLock { ($0.isCommitted || !$0.isEmpty, $0.end) }
    if !isThere, let end, end.code != .ok { throw end }
  }

  /// How the call ended, nil while it has not.
  var status: RPCError? { state.withLock { $0.end } }

  /// Ends the call at its deadline.
  func startTimer() {
    guard let deadline else { return }
    let timer = Task { [weak self] in
      guard (try? await Task.sleep(until: deadline, clock: .continuous)) != nil else { return }
      guard let self else { return }
      let obstacle = state.withLock { $0.obstacle.map { "; it waited for a connection: " + $0 } }
      abort(
        RPCError(
          .deadlineExceeded, "the call took longer than its deadline allows" + (obstacle ?? "")))
    }
    state.withLock { if $0.end == nil { $0.timer = timer } else { timer.cancel() } }
  }

  func cancel() { abort(RPCError(.cancelled, "the call was cancelled")) }

  /// Ends the call from this side: the server is told by RST_STREAM(CANCEL).
  func abort(_ error: RPCError) {
    let stream = state.withLock { state -> (any HTTPClientStream)? in
      guard state.end == nil else { return nil }
      return state.stream
    }
    finish(error)
    stream?.reset(8)
  }

  private func finish(_ end: RPCError) {
    var end = end
    // A server that gives up at the deadline resets the stream with CANCEL, and may be heard of
    // before the timer here.
    if end.code == .cancelled, let deadline, ContinuousClock.now >= deadline {
      end.code = .deadlineExceeded
    }
    let wake = state.withLock { [end] state -> [UnsafeContinuation<Void, Never>] in
      guard state.end == nil else { return [] }
      state.end = end
      Self.forget(&state)
      state.opening?.cancel()
      state.opening = nil
      state.timer?.cancel()
      state.timer = nil
      defer { state.writeWaiters = [] }
      return state.writeWaiters + Self.takeWaiters(&state)
    }
    for continuation in wake { continuation.resume() }
  }

  // MARK: The caller's side

  /// The next response message, nil after the last when the status is OK.
  ///
  /// - Throws: the status of a call that did not end with OK.
  func next() async throws(RPCError) -> [UInt8]? {
    while true {
      enum Step {
        case message([UInt8], credit: Int, (any HTTPClientStream)?)
        case end(RPCError)
        case wait
      }
      let step = state.withLock { state -> Step in
        if !state.isEmpty {
          let message = state.queue[state.queueStart]
          state.queue[state.queueStart] = []
          state.queueStart += 1
          if state.isEmpty {
            state.queue.removeAll(keepingCapacity: true)
            state.queueStart = 0
          }
          state.queuedBytes -= message.count
          return .message(message, credit: Self.takeCredit(&state), state.stream)
        }
        if let end = state.end { return .end(end) }
        return .wait
      }
      switch step {
      case .message(let message, let credit, let stream):
        if credit > 0 { stream?.release(credit) }
        return message
      case .end(let end):
        if end.code == .ok { return nil }
        throw end
      case .wait: await wait { !$0.isEmpty || $0.end != nil }
      }
    }
  }

  /// Returns when the condition holds. Cancelling the task cancels the call, which ends it.
  private func wait(until isReady: @Sendable (State) -> Bool) async {
    await withTaskCancellationHandler {
      while true {
        if state.withLock({ isReady($0) }) { return }
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
          let mustWait = state.withLock { state in
            if isReady(state) { return false }
            state.waiters.append(continuation)
            return true
          }
          if !mustWait { continuation.resume() }
        }
      }
    } onCancel: {
      cancel()
    }
  }

  private static func takeWaiters(_ state: inout State) -> [UnsafeContinuation<Void, Never>] {
    if state.waiters.isEmpty { return [] }
    defer { state.waiters = [] }
    return state.waiters
  }

  private func wake(_ waiters: [UnsafeContinuation<Void, Never>]) {
    for waiter in waiters { waiter.resume() }
  }

  /// The metadata of the response's head; waits for it. Empty when the call failed before.
  func initialMetadata() async -> Metadata {
    await wait { $0.initial != nil || $0.end != nil || !$0.isEmpty }
    return state.withLock { $0.initial } ?? Metadata()
  }

  /// The metadata of the response's head, empty while there is none.
  var receivedInitialMetadata: Metadata { state.withLock { $0.initial } ?? Metadata() }

  /// The metadata that came with the status; empty until the call has ended.
  var trailingMetadata: Metadata { state.withLock { $0.end?.metadata ?? Metadata() } }

  /// Sends bytes; returns when there is room for more.
  func send(_ bytes: [UInt8], isLast: Bool) async throws(RPCError) {
    let stream = try await currentStream { [self] state in
      if state.reopen != nil { keep(bytes, isLast, &state) }
    }
    stream.send(bytes, isLast: isLast)
    if isLast || stream.queuedBytes <= Self.bufferBytes { return }
    await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        let isReady = state.withLock { state in
          // A stream that was replaced meanwhile tells nobody of room any more.
          if state.end != nil || state.stream !== stream
            || stream.queuedBytes <= Self.bufferBytes
          {
            return true
          }
          state.writeWaiters.append(continuation)
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      cancel()
    }
  }

  /// The stream, once there is one.
  ///
  /// - Parameter body: run in the same breath.
  private func currentStream(
    _ body: @Sendable (inout State) -> Void
  ) async throws(RPCError) -> any HTTPClientStream {
    while true {
      let (stream, end) = state.withLock { state in
        if state.end == nil && state.stream != nil { body(&state) }
        return (state.stream, state.end)
      }
      if let end { throw end.code == .ok ? RPCError(.cancelled, "the call is over") : end }
      if let stream { return stream }
      await wait { $0.stream != nil || $0.end != nil }
    }
  }

  /// Keeps what is sent, to be sent again; of a long stream of requests nothing is kept.
  private func keep(_ bytes: [UInt8], _ isLast: Bool, _ state: inout State) {
    state.sent.chunks.append(bytes)
    state.sent.bytes += bytes.count
    state.sent.isComplete = isLast
    if kind.clientStreams && state.sent.bytes > Self.replayBytes { Self.forget(&state) }
  }

  private static func takeCredit(_ state: inout State) -> Int {
    guard state.queuedBytes < bufferBytes, state.stream != nil else { return 0 }
    defer { state.unreleasedBytes = 0 }
    return state.unreleasedBytes
  }

  // MARK: From the transport

  func stillWaiting(_ reason: RPCError) { state.withLock { $0.obstacle = reason.message } }

  func receivedHead(_ fields: HeaderFields, isLast: Bool) {
    if isLast {
      // Trailers-Only is no beginning of an answer: such a call may be tried again (gRFC A6).
      let status = state.withLock { state -> RPCError in
        let (message, status) = state.reader.headersOnly(fields)
        state.initial = state.reader.headMetadata
        if let message {
          state.queuedBytes += message.count
          state.queue.append(message)
        }
        return status
      }
      return finish(status)
    }
    enum Outcome {
      case ready([UnsafeContinuation<Void, Never>])
      case failed(RPCError)
    }
    let outcome = state.withLock { state -> Outcome in
      do throws(RPCError) {
        state.initial = try state.reader.head(fields)
      } catch { return .failed(error) }
      state.isCommitted = true
      Self.forget(&state)
      return .ready(Self.takeWaiters(&state))
    }
    switch outcome {
    case .ready(let waiters): wake(waiters)
    case .failed(let error): abort(error)
    }
  }

  func received(_ data: borrowing Span<UInt8>, isLast: Bool) {
    var failure: RPCError?
    var status: RPCError?
    let (credit, stream, waiters) = state.withLock {
      state -> (Int, (any HTTPClientStream)?, [UnsafeContinuation<Void, Never>]) in
      state.unreleasedBytes += data.count
      guard state.end == nil else { return (0, nil, []) }
      let arrived: [[UInt8]]
      do throws(RPCError) { arrived = try state.reader.body(data) } catch {
        failure = error
        return (0, nil, [])
      }
      for message in arrived {
        state.queuedBytes += message.count
        state.queue.append(message)
      }
      status = state.reader.status
      return (
        Self.takeCredit(&state), state.stream, arrived.isEmpty ? [] : Self.takeWaiters(&state)
      )
    }
    if let failure { return abort(failure) }
    if credit > 0 { stream?.release(credit) }
    wake(waiters)
    if let status { finish(status) } else if isLast { endWithoutTrailers() }
  }

  func receivedTrailers(_ fields: HeaderFields) {
    finish(state.withLock { $0.reader.trailers(fields) })
  }

  /// The body ended, and no trailers will come.
  private func endWithoutTrailers() {
    let status = state.withLock { state -> RPCError in
      guard state.end == nil else { return RPCError(.ok, "") }
      let (message, status) = state.reader.end()
      if let message {
        state.queuedBytes += message.count
        state.queue.append(message)
      }
      return status
    }
    finish(status)
  }

  func streamWritable() {
    let waiters = state.withLock { state in
      defer { state.writeWaiters = [] }
      return state.writeWaiters
    }
    for waiter in waiters { waiter.resume() }
  }

  func streamClosed(_ end: StreamEnd) {
    switch end {
    case .complete: endWithoutTrailers()
    case .reset(let code):
      if code == 7, sendAgain() { return }
      finish(
        RPCError(
          StatusCode(http2ErrorCode: code), "the server reset the stream (HTTP/2 error \(code))")
      )
    case .connectionLost(let reason, let processed):
      if !processed, sendAgain() { return }
      finish(RPCError(.unavailable, reason))
    case .failed(let error): finish(error)
    }
  }
}
