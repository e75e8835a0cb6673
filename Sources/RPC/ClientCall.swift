import Synchronization

/// One call on the client: what is sent, what has come, how it ended.
///
/// The transport's events and the caller meet under one lock; continuations are resumed after it is
/// given back.
final class ClientCall: HTTPResponseReceiver {
  private struct State {
    var stream: (any HTTPClientStream)?
    var reader: EnvelopeReader
    var initial: Metadata?
    var queue: [[UInt8]] = []
    var queueStart = 0
    var queuedBytes = 0
    var unreleasedBytes = 0
    /// How the call ended; `ok` is a status too.
    var end: RPCError?
    var readWaiter: UnsafeContinuation<Void, Never>?
    var writeWaiters: [UnsafeContinuation<Void, Never>] = []
    var timer: Task<Void, Never>?

    var isEmpty: Bool { queueStart == queue.count }
  }

  private static let bufferBytes = 64 << 10
  private let state: Mutex<State>

  init(responseMessageBytes: Int) {
    state = Mutex(State(reader: EnvelopeReader(limit: responseMessageBytes)))
  }

  // MARK: Life

  func opened(_ stream: any HTTPClientStream) {
    let isOver = state.withLock { state in
      state.stream = stream
      return state.end != nil
    }
    if isOver { stream.reset(8) }
  }

  func startTimer(_ timeout: Duration) {
    let timer = Task { [weak self] in
      guard (try? await Task.sleep(for: timeout)) != nil else { return }
      self?.abort(RPCError(.deadlineExceeded, "the call took longer than \(timeout)"))
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
    let wake = state.withLock { state -> [UnsafeContinuation<Void, Never>] in
      guard state.end == nil else { return [] }
      state.end = end
      state.timer?.cancel()
      state.timer = nil
      var wake = state.writeWaiters
      if let reader = state.readWaiter { wake.append(reader) }
      state.writeWaiters = []
      state.readWaiter = nil
      return wake
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
      case .wait: await waitForEvent()
      }
    }
  }

  /// Returns when a message or the end has come.
  private func waitForEvent() async {
    await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        let isReady = state.withLock { state in
          if !state.isEmpty || state.end != nil { return true }
          precondition(state.readWaiter == nil, "a response stream has one reader at a time")
          state.readWaiter = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      cancel()
    }
  }

  /// The metadata of the response's head; waits for it. Empty when the call failed before.
  func initialMetadata() async -> Metadata {
    while true {
      let (metadata, isOver) = state.withLock { ($0.initial, $0.end != nil || !$0.isEmpty) }
      if let metadata { return metadata }
      if isOver { return Metadata() }
      await waitForEvent()
    }
  }

  /// The metadata that came with the status; empty until the call has ended.
  var trailingMetadata: Metadata { state.withLock { $0.end?.metadata ?? Metadata() } }

  /// Sends bytes; returns when there is room for more.
  func send(_ bytes: [UInt8], isLast: Bool) async throws(RPCError) {
    let (stream, end) = state.withLock { ($0.stream, $0.end) }
    if let end { throw end.code == .ok ? RPCError(.cancelled, "the call is over") : end }
    guard let stream else { return }
    stream.send(bytes, isLast: isLast)
    if isLast || stream.queuedBytes <= Self.bufferBytes { return }
    await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        let isReady = state.withLock { state in
          if state.end != nil || stream.queuedBytes <= Self.bufferBytes { return true }
          state.writeWaiters.append(continuation)
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      cancel()
    }
  }

  private static func takeCredit(_ state: inout State) -> Int {
    guard state.queuedBytes < bufferBytes else { return 0 }
    defer { state.unreleasedBytes = 0 }
    return state.unreleasedBytes
  }

  // MARK: From the transport

  func receivedHead(_ fields: HeaderFields, isLast: Bool) {
    if isLast {
      finish(Self.status(of: fields))
      return
    }
    let status = fields.first(":status").flatMap { Int($0) } ?? 0
    let type = fields.first("content-type") ?? ""
    if status != 200 || !type.hasPrefix("application/grpc") {
      abort(Self.refusal(status: status, contentType: type, fields))
      return
    }
    let reader = state.withLock { state in
      state.initial = Metadata(fields: fields)
      defer { state.readWaiter = nil }
      return state.readWaiter
    }
    reader?.resume()
  }

  private static func status(of fields: HeaderFields) -> RPCError {
    if let status = WireStatus.parse(fields) { return status }
    let http = fields.first(":status").flatMap { Int($0) } ?? 200
    if http != 200 {
      return refusal(status: http, contentType: fields.first("content-type") ?? "", fields)
    }
    return RPCError(.internalError, "the server ended the call without a status")
  }

  private static func refusal(
    status: Int, contentType: String, _ fields: HeaderFields
  ) -> RPCError {
    if let error = WireStatus.parse(fields), error.code != .ok { return error }
    if status != 200 {
      return RPCError(StatusCode(httpStatus: status), "the server answered HTTP status \(status)")
    }
    return RPCError(
      .unknown,
      "the server does not answer as a gRPC server: content-type \(contentType.prefix(64))"
    )
  }

  func received(_ data: borrowing Span<UInt8>, isLast: Bool) {
    var failure: RPCError?
    let (credit, stream, reader) = state.withLock {
      state -> (Int, (any HTTPClientStream)?, UnsafeContinuation<Void, Never>?) in
      state.unreleasedBytes += data.count
      guard state.end == nil else { return (0, nil, nil) }
      var arrived: [[UInt8]] = []
      do throws(RPCError) {
        try state.reader.receive(data) { (flags, message) throws(RPCError) in
          if flags & Envelope.compressedFlag != 0 {
            throw RPCError(.internalError, "a compressed message that was not asked for")
          }
          arrived.append(message.withUnsafeBufferPointer { Array($0) })
        }
      } catch {
        failure = error
        return (0, nil, nil)
      }
      for message in arrived {
        state.queuedBytes += message.count
        state.queue.append(message)
      }
      let reader = arrived.isEmpty ? nil : state.readWaiter
      if reader != nil { state.readWaiter = nil }
      return (Self.takeCredit(&state), state.stream, reader)
    }
    if let failure { return abort(failure) }
    if credit > 0 { stream?.release(credit) }
    reader?.resume()
  }

  func receivedTrailers(_ fields: HeaderFields) {
    let isWhole = state.withLock { $0.reader.isAtBoundary }
    var status = Self.status(of: fields)
    if status.code == .ok && !isWhole {
      status = RPCError(.internalError, "the response ended in the middle of a message")
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
    case .complete:
      finish(RPCError(.internalError, "the server ended the call without a status"))
    case .reset(let code):
      finish(
        RPCError(
          StatusCode(http2ErrorCode: code), "the server reset the stream (HTTP/2 error \(code))")
      )
    case .connectionLost(let reason, _):
      finish(RPCError(.unavailable, reason))
    }
  }
}
