import Synchronization

/// One call on the server, as its handler and the interceptors see it.
///
/// The call's `Task` is cancelled as soon as the client cancels, the deadline passes or the
/// connection is lost. The members that the transport drives are confined to the call's executor;
/// what handlers touch may be touched from anywhere.
public final class ServerCall: @unchecked Sendable {
  // @unchecked: `machine`, `reader`, the queues and `task` are touched on `executor` only.

  public let peer: Peer
  /// When the caller stops waiting; nil when it named no time.
  public let deadline: ContinuousClock.Instant?
  package let executor: any CallExecutor
  private let stream: any HTTPServerStream
  private let handler: any MethodHandler
  private let fields: HeaderFields
  private let pathField: Int
  private let limits: CallLimits

  private var machine: ServerCallMachine
  private var reader: EnvelopeReader
  private var task: Task<Void, Never>?
  private var timer: TimerID?

  /// Request messages that the handler has not asked for yet, oldest first.
  private var queue: [[UInt8]] = []
  private var queueStart = 0
  private var queuedBytes = 0
  private var unreleasedBytes = 0
  /// Request bytes that the stream was told are kept here.
  private var heldBytes = 0
  private var inputEnded = false
  private var inputWaiter: UnsafeContinuation<[UInt8]?, Never>?
  private var writeWaiters: [UnsafeContinuation<Void, Never>] = []

  private let answer = Mutex(Answer())
  private struct Answer {
    var initial = Metadata()
    var trailing = Metadata()
  }

  init(
    stream: any HTTPServerStream, handler: any MethodHandler, head: HTTPRequestHead,
    timeout: Duration?, limits: CallLimits
  ) {
    self.stream = stream
    self.executor = stream.executor
    self.peer = stream.peer
    self.handler = handler
    self.fields = head.fields
    self.pathField = head.pathField
    self.limits = limits
    self.machine = ServerCallMachine(kind: handler.kind)
    self.reader = EnvelopeReader(limit: limits.requestMessageBytes)
    if let timeout {
      self.deadline = ContinuousClock.now + timeout
      self.timer = executor.schedule(after: timeout) { [weak self] in self?.deadlinePassed() }
    } else {
      self.deadline = nil
    }
  }

  // MARK: For handlers and interceptors

  /// The path that was asked for, `/package.Service/Method`.
  public var path: String { fields.value(pathField) }

  /// The call's custom metadata.
  public var metadata: Metadata { Metadata(fields: fields) }

  /// The current call of a handler whose caller set a deadline; what calls made within it inherit.
  @TaskLocal public static var inheritedDeadline: ContinuousClock.Instant?

  /// Adds metadata that goes out with the response's head. Without effect once that is sent.
  public func addInitialMetadata(_ metadata: Metadata) {
    answer.withLock { $0.initial.append(contentsOf: metadata) }
  }

  /// Adds metadata that goes out with the status.
  public func addTrailingMetadata(_ metadata: Metadata) {
    answer.withLock { $0.trailing.append(contentsOf: metadata) }
  }

  /// Sends the response's head now rather than with the first message.
  public func sendInitialMetadata() async {
    await onExecutor { call in
      if call.machine.messageWritten() == .sendHeadFirst {
        call.stream.sendHead(call.responseHead())
      }
    }
  }

  // MARK: The handler's life

  /// Starts the handler: at once, on this executor, up to its first suspension.
  package func launch(_ body: @escaping @Sendable (ServerCall) async throws -> Void) {
    let started = Task.immediate(executorPreference: executor) {
      do {
        if let deadline = self.deadline {
          try await Self.$inheritedDeadline.withValue(deadline) { try await body(self) }
        } else {
          try await body(self)
        }
      } catch {
        await self.onExecutor { $0.fail(RPCError(handlerError: error)) }
      }
    }
    if machine.isOpen { task = started }
  }

  /// Ends a call that answers with one message, given with its envelope.
  package func succeed(_ envelope: consuming [UInt8]) async {
    if executor.isCurrent {
      sendSingle(envelope)
    } else {
      let envelope = envelope
      await onExecutor { $0.sendSingle(envelope) }
    }
  }

  private func sendSingle(_ envelope: consuming [UInt8]) {
    switch machine.ended() {
    case .headAndTrailers:
      stream.respond(responseHead(), body: envelope, trailers: okTrailers())
    case .trailers:
      stream.sendData(envelope)
      stream.finish(okTrailers())
    case .discard: break
    }
    release()
  }

  /// Ends a streaming call with OK.
  package func succeed() async {
    await onExecutor { call in
      switch call.machine.ended() {
      case .headAndTrailers:
        call.stream.sendHead(call.responseHead())
        call.stream.finish(call.okTrailers())
      case .trailers: call.stream.finish(call.okTrailers())
      case .discard: break
      }
      call.release()
    }
  }

  /// Ends the call with an error. On the executor.
  package func fail(_ error: RPCError) {
    let effect = machine.ended()
    if effect == .discard { return }
    let trailing = answer.withLock { $0.trailing }
    let task = self.task
    switch effect {
    case .headAndTrailers:
      // Trailers-Only: the status stands in the one header block there is.
      var fields = HeaderFields([":status": "200", "content-type": "application/grpc"])
      answer.withLock { $0.initial }.append(to: &fields)
      WireStatus.append(error, trailing: trailing, to: &fields)
      stream.respond(.fields(fields), body: [], trailers: .none)
    case .trailers:
      var fields = HeaderFields()
      WireStatus.append(error, trailing: trailing, to: &fields)
      stream.finish(.fields(fields))
    case .discard: break
    }
    release()
    task?.cancel()
  }

  private func deadlinePassed() {
    timer = nil
    fail(RPCError(.deadlineExceeded, "the deadline of the call has passed"))
  }

  /// Lets go of everything that waits. The call is over.
  private func release() {
    if let timer { executor.cancel(timer) }
    timer = nil
    task = nil
    queue = []
    queueStart = 0
    queuedBytes = 0
    reader = EnvelopeReader(limit: limits.requestMessageBytes)
    _ = updateHeld()
    inputEnded = true
    if let waiter = inputWaiter {
      inputWaiter = nil
      waiter.resume(returning: nil)
    }
    let waiters = writeWaiters
    writeWaiters = []
    for waiter in waiters { waiter.resume() }
    if unreleasedBytes > 0 {
      stream.release(unreleasedBytes)
      unreleasedBytes = 0
    }
  }

  private func responseHead() -> ResponseHead {
    let initial = answer.withLock { $0.initial }
    if initial.isEmpty { return .grpc }
    var fields = HeaderFields([":status": "200", "content-type": "application/grpc"])
    initial.append(to: &fields)
    return .fields(fields)
  }

  private func okTrailers() -> ResponseTrailers {
    let trailing = answer.withLock { $0.trailing }
    if trailing.isEmpty { return .grpcOK }
    var fields = HeaderFields(["grpc-status": "0"])
    trailing.append(to: &fields)
    return .fields(fields)
  }

  // MARK: Writing

  /// Sends one message, given with its envelope; returns when there is room for more.
  ///
  /// - Throws: `cancelled` when the call is over.
  package func send(_ envelope: consuming [UInt8]) async throws(RPCError) {
    if executor.isCurrent {
      if try sendNow(envelope) { return }
    } else {
      let envelope = envelope
      let sent: Result<Bool, RPCError> = await onExecutor { call in
        do throws(RPCError) { return .success(try call.sendNow(envelope)) } catch {
          return .failure(error)
        }
      }
      if try sent.get() { return }
    }
    await onExecutor { call in
      while call.machine.isOpen && call.stream.bufferedBytes > call.limits.responseBufferBytes {
        await withUnsafeContinuation { call.writeWaiters.append($0) }
      }
    }
  }

  /// Whether there is room for more.
  private func sendNow(_ envelope: consuming [UInt8]) throws(RPCError) -> Bool {
    switch machine.messageWritten() {
    case .sendHeadFirst: stream.sendHead(responseHead())
    case .send: break
    case .discard: throw RPCError(.cancelled, "the call is over")
    }
    stream.sendData(envelope)
    return stream.bufferedBytes <= limits.responseBufferBytes
  }

  // MARK: Reading

  /// The next request message, nil at the end of the stream or of the call.
  package func nextMessage() async -> [UInt8]? {
    await onExecutor { call in
      if let message = call.dequeue() { return message }
      if call.inputEnded { return nil }
      precondition(call.inputWaiter == nil, "a request stream has one reader at a time")
      return await withUnsafeContinuation { call.inputWaiter = $0 }
    }
  }

  private func dequeue() -> [UInt8]? {
    guard queueStart < queue.count else { return nil }
    let message = queue[queueStart]
    queue[queueStart] = []
    queueStart += 1
    if queueStart == queue.count {
      queue.removeAll(keepingCapacity: true)
      queueStart = 0
    }
    queuedBytes -= message.count
    // Holding less is never refused.
    _ = updateHeld()
    returnCredit()
    return message
  }

  private func returnCredit() {
    if queuedBytes < limits.requestBufferBytes && unreleasedBytes > 0 {
      stream.release(unreleasedBytes)
      unreleasedBytes = 0
    }
  }

  /// Runs the body on the call's executor, hopping there only when it must.
  package func onExecutor<T: Sendable>(
    _ body: @Sendable (ServerCall) async -> T
  ) async -> T {
    if executor.isCurrent { return await body(self) }
    return await withTaskExecutorPreference(executor) { await body(self) }
  }
}

// MARK: - From the transport

extension ServerCall: HTTPRequestReceiver {
  public func received(_ data: borrowing Span<UInt8>, isLast: Bool) {
    unreleasedBytes += data.count
    guard machine.isOpen else { return returnCreditAfterEnd() }
    // A unary request usually arrives as one piece: decode it where it lies.
    if isLast, !machine.kind.clientStreams, reader.isAtBoundary, queue.isEmpty,
      data.count >= Envelope.prefixLength, data[0] == 0
    {
      let length = Int(data[1]) << 24 | Int(data[2]) << 16 | Int(data[3]) << 8 | Int(data[4])
      if length == data.count - Envelope.prefixLength && length <= limits.requestMessageBytes,
        machine.messageReceived() == .deliver, machine.requestEnded() == .startHandler
      {
        returnCredit()
        return handler.start(self, data.extracting(Envelope.prefixLength..<data.count))
      }
    }
    do throws(RPCError) {
      try reader.receive(data) { (flags, message) throws(RPCError) in
        try self.receivedMessage(flags, message)
      }
    } catch {
      return fail(error)
    }
    guard updateHeld() else {
      return fail(
        RPCError(.resourceExhausted, "too many request bytes wait on this connection or server"))
    }
    returnCredit()
    if isLast { receivedEnd() }
  }

  /// False when too much is kept.
  private func updateHeld() -> Bool {
    let held = machine.isOpen ? reader.partialBytes + queuedBytes : 0
    let change = held - heldBytes
    heldBytes = held
    return change == 0 || stream.holds(change)
  }

  private func receivedMessage(
    _ flags: UInt8, _ message: borrowing Span<UInt8>
  ) throws(RPCError) {
    if flags & Envelope.compressedFlag != 0 {
      throw RPCError(.internalError, "a compressed message, but the call names no grpc-encoding")
    }
    switch machine.messageReceived() {
    case .deliver: break
    case .refuseSecondMessage:
      throw RPCError(.unimplemented, "\(path) takes one request message, and a second one came")
    case .ignore: return
    }
    let bytes = message.withUnsafeBufferPointer { Array($0) }
    if let waiter = inputWaiter {
      inputWaiter = nil
      waiter.resume(returning: bytes)
    } else {
      queue.append(bytes)
      queuedBytes += bytes.count
    }
  }

  public func receivedEnd() {
    guard machine.isOpen else { return }
    if !reader.isAtBoundary {
      return fail(RPCError(.internalError, "the request ended in the middle of a message"))
    }
    switch machine.requestEnded() {
    case .startHandler:
      let request = queue[0]
      queue = []
      queuedBytes = 0
      _ = updateHeld()
      returnCredit()
      handler.start(self, request.span)
    case .endInput:
      inputEnded = true
      if let waiter = inputWaiter {
        inputWaiter = nil
        waiter.resume(returning: nil)
      }
    case .refuseMissingMessage:
      fail(RPCError(.unimplemented, "\(path) takes one request message, and none came"))
    case .ignore: break
    }
  }

  public func streamWritable() {
    let waiters = writeWaiters
    writeWaiters = []
    for waiter in waiters { waiter.resume() }
  }

  public func streamClosed(errorCode: UInt32?) {
    if machine.streamLost() == .cancelHandler {
      let task = self.task
      release()
      task?.cancel()
    }
  }

  private func returnCreditAfterEnd() {
    stream.release(unreleasedBytes)
    unreleasedBytes = 0
  }
}
