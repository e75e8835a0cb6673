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
  let stream: any HTTPServerStream
  let handler: any MethodHandler
  let fields: HeaderFields
  let pathField: Int
  let limits: CallLimits
  let compressions: [any MessageCompression]
  private var compressesAll = false

  /// How this call is written; changed only by `compressResponses`, before the first message.
  var form: CallForm
  var textDecoder = Base64StreamDecoder()
  /// The body of a Connect unary request so far.
  var body: [UInt8] = []

  var machine: ServerCallMachine
  var reader: EnvelopeReader
  var task: Task<Void, Never>?
  private var timer: TimerID?

  /// Request messages that the handler has not asked for yet, oldest first.
  var queue: [[UInt8]] = []
  var queueStart = 0
  /// Whether each message of the queue came compressed; empty for calls that name no encoding.
  var queueFlags: [Bool] = []
  /// Whether the request message that the handler took last came compressed.
  public internal(set) var requestWasCompressed = false
  var queuedBytes = 0
  var unreleasedBytes = 0
  /// Request bytes that the stream was told are kept here.
  var heldBytes = 0
  var inputEnded = false
  var inputWaiter: UnsafeContinuation<[UInt8]?, Never>?
  var writeWaiters: [UnsafeContinuation<Void, Never>] = []

  private let answer = Mutex(Answer())
  private struct Answer {
    var initial = Metadata()
    var trailing = Metadata()
  }

  init(
    stream: any HTTPServerStream, handler: any MethodHandler, head: HTTPRequestHead,
    form: CallForm, timeout: Duration?, limits: CallLimits,
    compressions: [any MessageCompression]
  ) {
    self.form = form
    self.compressions = compressions
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

  /// Compresses every response message from here on with what the client accepts; nothing happens
  /// when that is nothing. Call it before the first message is written.
  public func compressResponses() {
    guard form.responseCompression == nil else { return }
    let offered = fields.first("grpc-accept-encoding") ?? fields.first("connect-accept-encoding")
    let names = (offered ?? "").split(separator: ",").map { $0.drop { $0 == " " } }
    guard let chosen = compressions.first(where: { names.contains($0.name[...]) }) else { return }
    form = form.compressing(with: chosen)
    compressesAll = true
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

  /// A message as this call writes it.
  package func encode<M>(
    _ message: M, _ codec: MessageCodec<M>, compresses: Bool = true
  ) throws -> [UInt8] {
    try form.encode(
      message, codec,
      compressionThreshold: !compresses
        ? .max : compressesAll ? 0 : limits.compressionThresholdBytes,
      limit: limits.responseMessageBytes)
  }

  /// Ends a call that answers with one message, given as `encode` made it.
  package func succeed(_ message: consuming [UInt8]) async {
    if executor.isCurrent {
      sendSingle(message)
    } else {
      let message = message
      await onExecutor { $0.sendSingle(message) }
    }
  }

  private func sendSingle(_ message: consuming [UInt8]) {
    let effect = machine.ended()
    if effect == .discard { return }
    if form === CallForm.plain {
      if effect == .headAndTrailers {
        stream.respond(responseHead(), body: message, trailers: form.end(nil, trailing()).trailers)
      } else {
        stream.sendData(message)
        stream.finish(form.end(nil, trailing()).trailers)
      }
    } else if form.family == .connectUnary {
      // One byte of the encoding tells whether it was compressed: `encode` keeps it in front.
      let isCompressed = message.first == Envelope.compressedFlag
      stream.respond(
        form.unaryHead(initial(), trailing(), isCompressed: isCompressed),
        body: Array(message.dropFirst()), trailers: .none)
    } else {
      if effect == .headAndTrailers { stream.sendHead(responseHead()) }
      stream.sendData(message)
      finish(nil)
    }
    release()
  }

  /// Ends a streaming call with OK.
  package func succeed() async {
    await onExecutor { call in
      switch call.machine.ended() {
      case .headAndTrailers:
        call.stream.sendHead(call.responseHead())
        call.finish(nil)
      case .trailers: call.finish(nil)
      case .discard: break
      }
      call.release()
    }
  }

  /// Ends the call with an error. On the executor.
  package func fail(_ error: RPCError) {
    let task = self.task
    switch machine.ended() {
    case .headAndTrailers:
      let (head, body, trailers) = form.refusal(error, initial(), trailing())
      stream.respond(head, body: body, trailers: trailers)
    case .trailers: finish(error)
    case .discard: return
    }
    release()
    task?.cancel()
  }

  private func finish(_ error: RPCError?) {
    let (body, trailers) = form.end(error, trailing())
    stream.sendData(body)
    stream.finish(trailers)
  }

  private func deadlinePassed() {
    timer = nil
    fail(RPCError(.deadlineExceeded, "the deadline of the call has passed"))
  }

  /// Lets go of everything that waits. The call is over.
  func release() {
    if let timer { executor.cancel(timer) }
    timer = nil
    task = nil
    queue = []
    queueFlags = []
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

  private func responseHead() -> ResponseHead { form.head(initial()) }

  private func initial() -> Metadata { answer.withLock { $0.initial } }

  private func trailing() -> Metadata { answer.withLock { $0.trailing } }

  // MARK: Writing

  /// Sends one message, given as `encode` made it; returns when there is room for more.
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
    if queueStart < queueFlags.count { requestWasCompressed = queueFlags[queueStart] }
    queueStart += 1
    if queueStart == queue.count {
      queue.removeAll(keepingCapacity: true)
      queueFlags.removeAll(keepingCapacity: true)
      queueStart = 0
    }
    queuedBytes -= message.count
    // Holding less is never refused.
    _ = updateHeld()
    returnCredit()
    return message
  }

  func returnCredit() {
    if unreleasedBytes > 0 && queuedBytes < limits.requestBufferBytes {
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
