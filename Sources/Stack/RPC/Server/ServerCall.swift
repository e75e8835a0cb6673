import Synchronization

/// One call on the server, as its handler and the interceptors see it.
///
/// The call's `Task` is cancelled as soon as the client cancels, the deadline passes or the
/// connection is lost. The members that the transport drives are confined to the call's executor;
/// what handlers touch may be touched from anywhere.
public final class ServerCall: @unchecked Sendable {
  // @unchecked: `machine`, `task`, `following` and the numbers are touched on `executor` only.

  public let peer: Peer
  let stream: any HTTPServerStream
  let head: HTTPRequestHead
  let resolved: ResolvedCall
  /// Runs the handler, once that has begun and until the call is over.
  private var task: Task<Void, Never>?
  /// Made when it is needed, and owned: calls that wait are many, and should be small. Not an
  /// `AtomicLazyReference`, whose code the compiler does not inline.
  private let lazyExtras = Atomic<Unmanaged<Extras>?>(nil)
  /// Nil for calls whose callers wait as long as it takes.
  private(set) var callDeadline: CallDeadline?
  var unreleasedBytes = 0
  var following = Following()

  var machine: ServerCallMachine
  /// The call is among those of its method. It is until its handler has returned, or until it is over
  /// when no handler was started.
  private var isCounted: Bool
  var isHandled = false
  /// The client has sent its last message.
  var inputEnded = false
  /// Whether the request message that the handler took last came compressed.
  public internal(set) var requestWasCompressed = false

  /// What most calls do without.
  private final class Extras: @unchecked Sendable {
    // @unchecked: all but the metadata is touched on the call's executor only, or set once.

    /// Waits for the end of a request that was refused in the middle of it.
    var refused: RefusedRequest?
    /// See `inbox`.
    var inbox: RequestInbox?
    /// Set by `compressResponses`, before the first message.
    var compressingForm: CallForm?
    /// See `whenCancelled`.
    var cancellationHandler: (@Sendable () -> Void)?
    /// Those who wait for room to write, each with a number of its own.
    var writers: [(ticket: Int, continuation: UnsafeContinuation<Void, Never>)] = []
    var writerTickets = 0
    /// What goes out with the head, and with the status.
    let metadata = Mutex((initial: Metadata(), trailing: Metadata()))
    /// See `ServerCall.outcome`.
    let outcome = Mutex<RPCError?>(nil)
  }

  private var extras: Extras? {
    lazyExtras.load(ordering: .acquiring)?.takeUnretainedValue()
  }

  private func makeExtras() -> Extras {
    if let extras { return extras }
    let made = Unmanaged.passRetained(Extras())
    let (isFirst, found) = lazyExtras.compareExchange(
      expected: nil, desired: made, ordering: .acquiringAndReleasing)
    if !isFirst { made.release() }
    return (found ?? made).takeUnretainedValue()
  }

  deinit { lazyExtras.load(ordering: .acquiring)?.release() }

  init(stream: any HTTPServerStream, head: HTTPRequestHead, resolved: ResolvedCall) {
    self.stream = stream
    self.peer = stream.peer
    self.head = head
    self.resolved = resolved
    self.machine = ServerCallMachine(kind: resolved.kind)
    self.isCounted = resolved.bounds != nil
    guard let timeout = resolved.timeout else { return }
    let deadline = CallDeadline(after: timeout)
    callDeadline = deadline
    deadline.start(timeout, of: self, on: stream.executor)
  }

  var executor: any CallExecutor { stream.executor }
  package var isOnExecutor: Bool { stream.isOnExecutor }
  var limits: CallLimits { resolved.limits }
  private var compressingForm: CallForm? { extras?.compressingForm }
  /// How this call is written.
  var form: CallForm { compressingForm ?? resolved.form }
  /// gRPC with binary messages and no compression.
  var isPlain: Bool { resolved.form.isPlain && compressingForm == nil }
  /// Nothing can be sent any more.
  var isOver: Bool { !machine.isOpen }
  /// What has come of the request and is not with the handler; nil for most calls, whose one message
  /// comes whole.
  var inbox: RequestInbox? { extras?.inbox }
  var refused: RefusedRequest? { extras?.refused }

  // MARK: For handlers and interceptors

  /// When the caller stops waiting; nil when it named no time.
  public var deadline: ContinuousClock.Instant? { callDeadline?.instant }

  /// The path that was asked for, `/package.Service/Method`.
  public var path: String { head.path }

  /// The call's custom metadata.
  public var metadata: Metadata { Metadata(fields: head.fields) }

  /// How the call ended, if that was before its handler: the status that was sent (a deadline that passed,
  /// a request that broke a limit), or `cancelled` when the client went away. Nil while what the handler and
  /// its interceptors return or throw is still to become the status.
  ///
  /// What an interceptor that counts or logs outcomes looks at first: a handler that is cancelled knows
  /// nothing of the reason.
  public var outcome: RPCError? { extras?.outcome.withLock { $0 } }

  /// Adds metadata that goes out with the response's head. Without effect once that is sent.
  public func addInitialMetadata(_ metadata: Metadata) {
    makeExtras().metadata.withLock { $0.initial.append(contentsOf: metadata) }
  }

  /// Adds metadata that goes out with the status.
  public func addTrailingMetadata(_ metadata: Metadata) {
    makeExtras().metadata.withLock { $0.trailing.append(contentsOf: metadata) }
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
    guard compressingForm == nil else { return }
    if resolved.form.responseCompression != nil {
      // It compresses what is large enough; from here on everything.
      makeExtras().compressingForm = resolved.form
      return
    }
    // Connect's forms compress from the start with what the client takes.
    guard form.family != .connectUnary, form.family != .connectStreaming,
      let offered = head.fields.first("grpc-accept-encoding")
    else { return }
    let accepted = AcceptedEncodings(offered)
    guard let chosen = resolved.compressions.first(where: { accepted.contains($0.name) }) else {
      return
    }
    makeExtras().compressingForm = form.compressing(with: chosen)
  }

  /// Runs the body once if the call ends before its handler does: the client cancels, the deadline
  /// passes, the connection is lost. At once when that has happened; never when the handler has
  /// returned. A later body takes the place of an earlier one.
  ///
  /// What `withTaskCancellationHandler` does for a part of a handler, without taking a frame for as
  /// long as the handler waits: for methods on which many thousands wait. The body runs on the call's
  /// executor and must not block. The call keeps it until the handler returns.
  public func whenCancelled(_ body: @escaping @Sendable () -> Void) {
    if isOnExecutor { return tellOfCancellation(body) }
    // A task, not `run`: it comes to its end also when the executor has come to its own.
    Task(executorPreference: executor) { self.tellOfCancellation(body) }
  }

  private func tellOfCancellation(_ body: @escaping @Sendable () -> Void) {
    guard isHandled else { return }
    if machine.isOpen { makeExtras().cancellationHandler = body } else { body() }
  }

  // MARK: The handler's life

  /// The handler is to begin, with the request message in the inbox.
  func startHandler() { stream.handlers.add(self, LentRequest()) }

  /// The same with a request message whose bytes are good until the handlers have begun.
  func startHandler(_ request: borrowing Span<UInt8>) {
    stream.handlers.add(self, LentRequest(request))
  }

  /// The task runs the handler now. False when the call is over already: its handler must not begin.
  func begin(in task: Task<Void, Never>) -> Bool {
    guard machine.isOpen else { return false }
    isHandled = true
    self.task = task
    return true
  }

  /// The one request message. To be called once, before the handler first suspends.
  ///
  /// - Throws: an `RPCError` that tells the caller what is wrong with the message.
  @inline(__always)
  func takeRequest<M>(
    _ path: String, _ decode: (borrowing Span<UInt8>) throws -> M
  ) throws -> M {
    do {
      guard let lent = stream.handlers.lentRequest.bytes else {
        return try takeKeptRequest(path, decode)
      }
      return try decode(lent.span)
    } catch { throw form.malformed(path, error) }
  }

  @inline(never)
  private func takeKeptRequest<M>(
    _ path: String, _ decode: (borrowing Span<UInt8>) throws -> M
  ) throws -> M {
    guard let request = dequeue() else {
      throw RPCError(.internalError, "the request of \(path) is not where its handler began")
    }
    extras?.inbox = nil
    return try decode(request.bytes.span.extracting(request.start..<request.bytes.count))
  }

  /// A message of a plain call, in its envelope.
  func envelope<M>(_ message: M, _ encode: (M, inout [UInt8]) throws -> Void) throws -> [UInt8] {
    var buffer: [UInt8] = []
    buffer.reserveCapacity(128)
    Envelope.open(&buffer)
    try encode(message, &buffer)
    Envelope.seal(&buffer, from: 0, flags: 0)
    try CallForm.check(
      buffer.count - Envelope.prefixLength, resolved.limits.responseMessageBytes)
    return buffer
  }

  /// A message as this call writes it.
  package func encode<M>(
    _ message: M, _ codec: MessageCodec<M>, compresses: Bool = true
  ) throws -> [UInt8] {
    try form.encode(
      message, codec,
      compressionThreshold: !compresses
        ? .max : compressingForm != nil ? 0 : limits.compressionThresholdBytes,
      limit: limits.responseMessageBytes)
  }

  /// Ends a call that answers with one message, given as `encode` made it.
  @inline(never)
  func finish(_ message: [UInt8]) async { await onExecutor { $0.succeed(message) } }

  /// Ends a call whose handler has thrown.
  @inline(never)
  func finish(_ error: any Error) async {
    await onExecutor { call in
      call.leave()
      // It has returned: there is nobody to be cancelled but the worker, which can go on.
      call.task = nil
      call.fail(RPCError(handlerError: error))
    }
  }

  /// The same as `finish`, on the executor.
  func succeed(_ message: consuming [UInt8]) {
    leave()
    let effect = machine.ended()
    if effect == .discard { return }
    if resolved.form.isPlain && effect == .headAndTrailers && extras == nil {
      // What `form` makes of nearly every call.
      stream.respond(.grpc, body: message, trailers: .grpcOK)
      return release()
    }
    let form = form
    if form.isPlain {
      if effect == .headAndTrailers {
        let trailers = form.end(nil, trailing()).trailers
        if trailers.listBytes <= stream.headLimit {
          stream.respond(responseHead(), body: message, trailers: trailers)
        } else {
          let refusal = form.refusal(brief(nil), Metadata(), Metadata())
          stream.respond(refusal.head, body: refusal.body, trailers: refusal.trailers)
        }
      } else {
        stream.sendData(message)
        end(nil)
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
      end(nil)
    }
    release()
  }

  /// Ends a streaming call with OK.
  @inline(never)
  func finish() async { await onExecutor { $0.succeed() } }

  /// The same as `finish`, on the executor.
  func succeed() {
    leave()
    switch machine.ended() {
    case .headAndTrailers:
      stream.sendHead(responseHead())
      end(nil)
    case .trailers: end(nil)
    case .discard: break
    }
    release()
  }

  /// Ends the call with an error. On the executor.
  ///
  /// - Parameter amidRequest: more of the request is to come. Connect's unary callers, who may be any HTTP
  ///   client, get the answer when they have sent it.
  package func fail(_ error: RPCError, amidRequest: Bool = false) {
    let task = self.task
    let error = error.bounded
    if isHandled { note(error) }
    switch machine.ended() {
    case .headAndTrailers:
      var (head, body, trailers) = form.refusal(error, initial(), trailing())
      if head.listBytes > stream.headLimit || trailers.listBytes > stream.headLimit {
        (head, body, trailers) = form.refusal(brief(error), Metadata(), Metadata())
      }
      if amidRequest, form.family == .connectUnary, case .fields(let fields) = head {
        makeExtras().refused = RefusedRequest(stream, head: fields, body: body)
      } else {
        stream.respond(head, body: body, trailers: trailers)
      }
    case .trailers: end(error)
    case .discard: return
    }
    release()
    cancel(task)
  }

  /// The call is over before its handler.
  func abandon() {
    let task = self.task
    if isHandled {
      // A client that gives up at the deadline may be heard of before the timer here.
      let isLate = deadline.map { ContinuousClock.now >= $0 } ?? false
      note(RPCError(isLate ? .deadlineExceeded : .cancelled, "the client has gone away"))
    }
    release()
    cancel(task)
  }

  private func note(_ outcome: RPCError) {
    makeExtras().outcome.withLock { if $0 == nil { $0 = outcome } }
  }

  /// A status that fits into a header block whatever the client takes: its code counts for more than what
  /// is beside it.
  private func brief(_ error: RPCError?) -> RPCError {
    guard let error else {
      return RPCError(
        .resourceExhausted,
        "the answer's metadata is larger than the \(stream.headLimit) bytes that the client takes")
    }
    return RPCError(
      error.code, String(decoding: error.message.utf8.prefix(256), as: UTF8.self) + "…")
  }

  /// Tells the handler that its call is over.
  private func cancel(_ task: Task<Void, Never>?) {
    task?.cancel()
    if let extras, let handler = extras.cancellationHandler {
      extras.cancellationHandler = nil
      handler()
    }
  }

  private func end(_ error: RPCError?) {
    var (body, trailers) = form.end(error, trailing())
    if trailers.listBytes > stream.headLimit {
      (body, trailers) = form.end(brief(error), Metadata())
    }
    stream.sendData(body)
    stream.finish(trailers)
  }

  func deadlinePassed() {
    let message =
      resolved.bounds?.limits.timeout == nil
      ? "the deadline of the call has passed"
      : "the call took longer than its deadline or this method allows"
    fail(RPCError(.deadlineExceeded, message))
  }

  /// The handler has returned, or will not be started.
  private func leave() {
    isHandled = false
    extras?.cancellationHandler = nil
    if isCounted {
      isCounted = false
      resolved.bounds?.leave()
    }
  }

  /// Lets go of everything that waits. The call is over.
  func release() {
    task = nil
    if let group = following.group { group.end(self) }
    if !isHandled { leave() }
    callDeadline?.stop(on: executor)
    if let extras { release(extras) }
    if unreleasedBytes > 0 {
      stream.release(unreleasedBytes)
      unreleasedBytes = 0
    }
  }

  @inline(never)
  private func release(_ extras: Extras) {
    if let inbox = extras.inbox {
      // What was not read is lost: the request must not look whole to who reads on.
      if inbox.queuedBytes > 0 { inputEnded = false }
      inbox.close()
      _ = updateHeld()
      extras.inbox = nil
    }
    resumeWriters()
  }

  private func responseHead() -> ResponseHead { form.head(initial()) }

  private func initial() -> Metadata {
    extras?.metadata.withLock { $0.initial } ?? Metadata()
  }

  private func trailing() -> Metadata {
    extras?.metadata.withLock { $0.trailing } ?? Metadata()
  }

  // MARK: Writing

  /// Sends one message, given as `encode` made it; returns when there is room for more.
  ///
  /// - Throws: `cancelled` when the call is over, or when the task is cancelled while it waits.
  package func send(_ envelope: consuming [UInt8]) async throws(RPCError) {
    if isOnExecutor {
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
    try await waitForRoom()
  }

  /// Whether more may be written without waiting.
  var hasRoom: Bool { stream.bufferedBytes <= limits.responseBufferBytes }

  /// Whether a message of a broadcast may be sent, which can wait: if not, `streamWritable` comes when it may.
  var hasRoomToFollow: Bool { hasRoom && !stream.waitsForRoom() }

  /// Returns when there is room for more, or the call is over.
  ///
  /// Concurrent, so that it resumes on the call's executor, and not where an actor happens to run that
  /// writes.
  ///
  /// - Throws: `cancelled` when the task is cancelled: a handler may have several, and leave one of them.
  @concurrent
  @inline(never)
  func waitForRoom() async throws(RPCError) {
    let isCancelled = await onExecutor { call in
      while call.machine.isOpen && !call.hasRoom {
        if Task.isCancelled { return true }
        await call.waitForWritable()
      }
      return false
    }
    if isCancelled { throw RPCError(.cancelled, "the task that writes was cancelled") }
  }

  /// Returns when there may be room, the call is over, or the task is cancelled. On the executor.
  private func waitForWritable() async {
    let extras = makeExtras()
    extras.writerTickets += 1
    let ticket = extras.writerTickets
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        if Task.isCancelled || !machine.isOpen || hasRoom { return continuation.resume() }
        extras.writers.append((ticket, continuation))
      }
    } onCancel: {
      executor.run { self.stopWriter(ticket) }
    }
  }

  private func stopWriter(_ ticket: Int) {
    guard let extras, let index = extras.writers.firstIndex(where: { $0.ticket == ticket }) else {
      return
    }
    extras.writers.remove(at: index).continuation.resume()
  }

  func resumeWriters() {
    guard let extras, !extras.writers.isEmpty else { return }
    let writers = extras.writers
    extras.writers = []
    for writer in writers { writer.continuation.resume() }
  }

  /// Sends a message of a plain call, on the executor; whether there is room for more.
  func sendNow<M>(_ message: M, _ codec: MessageCodec<M>) throws -> Bool {
    try beginMessage()
    try stream.sendData { buffer in
      let start = buffer.count
      Envelope.open(&buffer)
      try codec.encode(message, &buffer)
      Envelope.seal(&buffer, from: start, flags: 0)
      try CallForm.check(
        buffer.count - start - Envelope.prefixLength, resolved.limits.responseMessageBytes)
    }
    return stream.bufferedBytes <= resolved.limits.responseBufferBytes
  }

  /// Sends a message of a broadcast, on the executor; whether there is room for more.
  func sendNow(_ message: BroadcastMessage) throws -> Bool {
    try sendNow(form.takesPlainEnvelopes ? message.envelope : try message.encode(self))
  }

  private func beginMessage() throws(RPCError) {
    switch machine.messageWritten() {
    case .sendHeadFirst: stream.sendHead(responseHead())
    case .send: break
    case .discard: throw RPCError(.cancelled, "the call is over")
    }
  }

  /// Whether there is room for more.
  func sendNow(_ envelope: consuming [UInt8]) throws(RPCError) -> Bool {
    try beginMessage()
    stream.sendData(envelope)
    return stream.bufferedBytes <= limits.responseBufferBytes
  }

  // MARK: Reading

  /// The next request message, nil when the client has sent its last.
  ///
  /// - Throws: `CancellationError` when the call is over before, or the task is cancelled; `internalError`
  ///   when another reader waits already.
  func nextMessage() async throws -> RequestInbox.Message? {
    let next = await onExecutor { call -> Result<RequestInbox.Message?, any Error> in
      if let message = call.dequeue() { return .success(message) }
      if call.inputEnded { return .success(nil) }
      if call.isOver { return .failure(CancellationError()) }
      if call.openInbox().hasWaiter {
        return .failure(RPCError(.internalError, "a request stream has one reader at a time"))
      }
      if let message = await call.waitForMessage() { return .success(message) }
      return call.inputEnded && !Task.isCancelled ? .success(nil) : .failure(CancellationError())
    }
    return try next.get()
  }

  /// The next message to come; nil at the end of the request or the call, or when the task is cancelled.
  /// On the executor.
  private func waitForMessage() async -> RequestInbox.Message? {
    let ticket = openInbox().nextTicket()
    return await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        // Something may have come while the task got here.
        if let message = dequeue() { return continuation.resume(returning: message) }
        if Task.isCancelled || inputEnded || isOver { return continuation.resume(returning: nil) }
        openInbox().wait(ticket, continuation)
      }
    } onCancel: {
      executor.run { self.inbox?.stopWaiting(ticket) }
    }
  }

  private func dequeue() -> RequestInbox.Message? {
    guard let message = inbox?.take() else { return nil }
    requestWasCompressed = message.wasCompressed
    // Holding less is never refused.
    _ = updateHeld()
    returnCredit()
    return message
  }

  func openInbox() -> RequestInbox {
    if let inbox { return inbox }
    let opened = RequestInbox(limit: limits.requestMessageBytes)
    makeExtras().inbox = opened
    return opened
  }

  func returnCredit() {
    if unreleasedBytes > 0 && (inbox?.queuedBytes ?? 0) < limits.requestBufferBytes {
      stream.release(unreleasedBytes)
      unreleasedBytes = 0
    }
  }

  /// Runs the body on the call's executor, hopping there only when it must.
  package func onExecutor<T: Sendable>(
    _ body: @Sendable (ServerCall) async -> T
  ) async -> T {
    if isOnExecutor { return await body(self) }
    return await hop(body)
  }

  @concurrent
  private func hop<T: Sendable>(_ body: @Sendable (ServerCall) async -> T) async -> T {
    let result = await withTaskExecutorPreference(executor) {
      // To prefer an executor does not take the task there, and the compiler (6.3.1) leaves out hops before
      // calls of functions that are to run where their caller does: the task moves when it yields.
      await Task.yield()
      return await body(self)
    }
    // Nothing else of the caller's is to run on the call's executor.
    await Task.yield()
    return result
  }
}

/// A request message's bytes where they arrived, or none when the message is in the call's inbox. Good
/// until the handlers have begun for which it was lent.
struct LentRequest: @unchecked Sendable {
  // @unchecked: read on the executor that lends it, before it goes on.
  let bytes: UnsafeBufferPointer<UInt8>?

  init() { bytes = nil }

  init(_ bytes: borrowing Span<UInt8>) { self.bytes = bytes.withUnsafeBufferPointer { $0 } }
}
