internal import Synchronization

/// The driver: begins and ends the call as its machine says.
extension ServerCall {
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

  /// Ends a call that answers with one message, given as `encode` made it.
  @inline(never)
  func finish(_ message: [UInt8]) async { await onExecutor { $0.succeed(message) } }

  /// Ends a streaming call with OK.
  @inline(never)
  func finish() async { await onExecutor { $0.succeed() } }

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
    tally(.ok)
    if resolved.form.isPlain && effect == .headAndTrailers && extras == nil {
      // What `CallEnding` makes of nearly every call.
      stream.respond(.grpc, body: message, trailers: .grpcOK)
    } else {
      send(ending().succeeded(message, headIsSent: effect == .trailers))
    }
    release()
  }

  /// The same as `finish`, on the executor.
  func succeed() {
    leave()
    let effect = machine.ended()
    if effect != .discard {
      tally(.ok)
      send(ending().succeeded(nil, headIsSent: effect == .trailers))
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
    let effect = machine.ended()
    if effect == .discard { return }
    tally(error.code)
    send(ending().failed(error, headIsSent: effect == .trailers), amidRequest: amidRequest)
    release()
    cancel(task)
  }

  private func ending() -> CallEnding {
    let (initial, trailing) = extras?.metadata.withLock { $0 } ?? (Metadata(), Metadata())
    return CallEnding(
      form: form, initial: initial, trailing: trailing, headLimit: stream.headLimit)
  }

  private func send(_ answer: CallEnding.Answer, amidRequest: Bool = false) {
    switch answer {
    case .whole(.fields(let fields), let body, _)
    where amidRequest && form.family == .connectUnary:
      makeExtras().refused = RefusedRequest(stream, head: fields, body: body)
    case .whole(let head, let body, let trailers):
      stream.respond(head, body: body, trailers: trailers)
    case .rest(let head, let pieces, let trailers):
      if let head { stream.sendHead(head) }
      for piece in pieces { stream.sendData(piece) }
      stream.finish(trailers)
    }
  }

  /// The call is over before its handler.
  func abandon() {
    let task = self.task
    // A client that gives up at the deadline may be heard of before the timer here.
    let isLate = deadline.map { ContinuousClock.now >= $0 } ?? false
    let code = isLate ? StatusCode.deadlineExceeded : .cancelled
    tally(code)
    if isHandled { note(RPCError(code, "the client has gone away")) }
    release()
    cancel(task)
  }

  /// Counts the call. To be called once, when it is over.
  private func tally(_ code: StatusCode) {
    if resolved.kind == .unary {
      resolved.tally.ended(code, after: begun.duration(to: .now))
    } else {
      resolved.tally.streamEnded(code)
    }
  }

  private func note(_ outcome: RPCError) {
    makeExtras().outcome.withLock { if $0 == nil { $0 = outcome } }
  }

  /// Tells the handler that its call is over.
  private func cancel(_ task: Task<Void, Never>?) {
    task?.cancel()
    if let extras, let handler = extras.cancellationHandler {
      extras.cancellationHandler = nil
      handler()
    }
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
  private func release(_ extras: CallExtras) {
    if let inbox = extras.inbox {
      // What was not read is lost: the request must not look whole to who reads on.
      if inbox.queuedBytes > 0 { inputEnded = false }
      inbox.close()
      _ = updateHeld()
      extras.inbox = nil
    }
    resumeWriters()
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
