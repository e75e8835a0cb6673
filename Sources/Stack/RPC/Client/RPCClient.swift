/// Makes calls over a channel.
///
/// Each method returns when its call has ended; leaving a streaming body, by return or by error,
/// cancels what still runs. Cancelling the calling task cancels the call.
public struct RPCClient: Sendable {
  let channel: any ClientChannel
  let form: ClientForm
  let interceptors: [any ClientInterceptor]
  let retry: RetryPolicy?
  private let throttle = RetryThrottle()

  /// - Parameter retry: when failed calls are made again; nil for never, but for those that the
  ///   server certainly has not seen.
  public init(
    _ channel: any ClientChannel, form: ClientForm = .grpc,
    interceptors: [any ClientInterceptor] = [], retry: RetryPolicy? = nil
  ) {
    self.channel = channel
    self.form = form
    self.interceptors = interceptors
    self.retry = retry
  }

  /// One request, one response.
  ///
  /// - Throws: the call's status when it is not OK; `unavailable` without a connection.
  public func unary<I: Sendable, O: Sendable>(
    _ method: Method<I, O>, _ request: I, options: CallOptions = CallOptions()
  ) async throws(RPCError) -> O {
    try await unaryResponse(method, request, options: options).message
  }

  /// One request, one response, with the metadata around it.
  public func unaryResponse<I: Sendable, O: Sendable>(
    _ method: Method<I, O>, _ request: I, options: CallOptions = CallOptions()
  ) async throws(RPCError) -> UnaryResponse<O> {
    do {
      return try await intercepted(method.path, options) { options in
        try await attempts(method, request, options) { call throws(RPCError) in
          try await single(call, method)
        }
      }
    } catch { throw RPCError(callError: error) }
  }

  /// One request, a stream of responses that the body reads.
  public func serverStreaming<I: Sendable, O: Sendable, Result: Sendable>(
    _ method: Method<I, O>, _ request: I, options: CallOptions = CallOptions(),
    _ body: (ResponseStream<O>) async throws -> Result
  ) async throws -> Result {
    try await intercepted(method.path, options) { options in
      let call = try await attempts(method, request, options) { call throws(RPCError) in
        // The answer's beginning settles which attempt it is.
        try await call.waitForAnswer()
        return call
      }
      defer { call.cancel() }
      return try await body(ResponseStream(call: call, codec: method.response, form: form))
    }
  }

  /// A stream of requests that the body writes, one response.
  public func clientStreaming<I: Sendable, O: Sendable>(
    _ method: Method<I, O>, options: CallOptions = CallOptions(),
    _ body: (RequestWriter<I>) async throws -> Void
  ) async throws -> O {
    try await clientStreamingResponse(method, options: options, body).message
  }

  /// A stream of requests that the body writes, one response, with the metadata around it.
  public func clientStreamingResponse<I: Sendable, O: Sendable>(
    _ method: Method<I, O>, options: CallOptions = CallOptions(),
    _ body: (RequestWriter<I>) async throws -> Void
  ) async throws -> UnaryResponse<O> {
    try await intercepted(method.path, options) { options in
      let call = try await start(method, options, deadline: deadline(options))
      defer { call.cancel() }
      let writer = RequestWriter(call: call, codec: method.request, form: form, kind: method.kind)
      do {
        try await body(writer)
        // What was cancelled must not look complete to the server.
        if Task.isCancelled { call.cancel() }
        try await writer.finish()
      } catch let error as RPCError {
        // The server may have answered before it took everything: its status is what counts.
        if error.code == .cancelled, let status = call.status, status.code != .ok { throw status }
        if error.code != .cancelled || call.status == nil { throw error }
      }
      return try await single(call, method)
    }
  }

  /// Streams both ways. The requests end when the body calls `finish`, or returns.
  public func bidirectional<I: Sendable, O: Sendable, Result: Sendable>(
    _ method: Method<I, O>, options: CallOptions = CallOptions(),
    _ body: (RequestWriter<I>, ResponseStream<O>) async throws -> Result
  ) async throws -> Result {
    try await intercepted(method.path, options) { options in
      let call = try await start(method, options, deadline: deadline(options))
      defer { call.cancel() }
      return try await body(
        RequestWriter(call: call, codec: method.request, form: form, kind: method.kind),
        ResponseStream(call: call, codec: method.response, form: form))
    }
  }

  // MARK: Attempts

  /// Runs the call inside the interceptors.
  private func intercepted<R: Sendable>(
    _ path: String, _ options: CallOptions, _ body: (CallOptions) async throws -> R
  ) async throws -> R {
    if interceptors.isEmpty { return try await body(options) }
    var result: R?
    try await run(path, options, from: 0) { result = try await body($0) }
    guard let result else {
      throw RPCError(.internalError, "an interceptor did not make the call to \(path)")
    }
    return result
  }

  private func run(
    _ path: String, _ options: CallOptions, from index: Int,
    _ body: (CallOptions) async throws -> Void
  ) async throws {
    if index == interceptors.count { return try await body(options) }
    try await interceptors[index].intercept(path: path, options: options) { options in
      try await run(path, options, from: index + 1, body)
    }
  }

  /// Makes the call, and again where that is allowed. `answer` must throw what the call ended with
  /// when it failed before the server began to answer.
  private func attempts<I, O, R>(
    _ method: Method<I, O>, _ request: I, _ options: CallOptions,
    _ answer: (ClientCall) async throws(RPCError) -> R
  ) async throws(RPCError) -> R {
    let deadline = deadline(options)
    var attempt = 1
    while true {
      let call = try await start(
        method, options, deadline: deadline, request: request, attempt: attempt)
      do throws(RPCError) {
        let result = try await answer(call)
        throttle.succeeded()
        return result
      } catch {
        call.cancel()
        if call.isCommitted || Task.isCancelled { throw error }
        guard let retry else { throw error }
        // Also a failure after which nothing is tried again counts against later ones.
        let isAllowed = !retry.counts(error) || throttle.failed()
        guard isAllowed, let delay = retry.delay(before: attempt + 1, after: error) else {
          throw error
        }
        if let deadline, ContinuousClock.now + delay >= deadline { throw error }
        // Cancelled while waiting: the next attempt finds out.
        try? await Task.sleep(for: delay)
        attempt += 1
      }
    }
  }

  private func deadline(_ options: CallOptions) -> ContinuousClock.Instant? {
    let own = options.timeout.map { ContinuousClock.now + $0 }
    guard let inherited = ServerCall.inheritedDeadline else { return own }
    return own.map { min($0, inherited) } ?? inherited
  }

  /// Opens a call; with a request, sends it and ends the sending side.
  private func start<I, O>(
    _ method: Method<I, O>, _ options: CallOptions, deadline: ContinuousClock.Instant?,
    request: I? = nil, attempt: Int = 1
  ) async throws(RPCError) -> ClientCall {
    let timeout = deadline.map { $0 - ContinuousClock.now }
    if let timeout, timeout <= .zero {
      throw RPCError(.deadlineExceeded, "the deadline of the call has passed")
    }
    let call = ClientCall(
      form: form, kind: method.kind, responseMessageBytes: options.responseMessageBytes,
      deadline: deadline)
    var path = method.path
    var httpMethod = "POST"
    var message: [UInt8]?
    do {
      if let request {
        if form.isBare(method.kind), form.usesGet, method.idempotency == .noSideEffects {
          path = try form.getPath(method.path, request, method.request)
          httpMethod = "GET"
        } else {
          message = try form.encode(request, method.request, method.kind)
        }
      }
    } catch {
      throw RPCError(.internalError, "the request cannot be encoded: \(error)")
    }
    call.startTimer()
    let isLast = request != nil && (message ?? []).isEmpty
    try await call.open { [path, httpMethod] () async throws(RPCError) in
      // Made when it is sent: by then some of the time may be gone.
      var fields = form.requestFields(
        method.kind, timeout: deadline.map { max($0 - ContinuousClock.now, .nanoseconds(1)) },
        metadata: options.metadata, previousAttempts: attempt - 1)
      if httpMethod == "GET" { fields = form.withoutBody(fields) }
      return try await channel.open(
        method: httpMethod, path: path, fields: fields, isLast: isLast,
        waitForReady: options.waitForReady, receiver: call)
    }
    if let message, !message.isEmpty {
      // A call that is over already says so when it is read.
      _ = try? await call.send(message, isLast: true)
    }
    return call
  }

  /// The one response of a call, and the end of it.
  ///
  /// An error carries all metadata that came, the head's too: its caller sees nothing else.
  private func single<I, O>(
    _ call: ClientCall, _ method: Method<I, O>
  ) async throws(RPCError) -> UnaryResponse<O> {
    do throws(RPCError) {
      guard let bytes = try await call.next() else {
        throw RPCError(.unimplemented, "\(method.path) ended with OK and no response message")
      }
      let message = try form.decode(bytes, method.response)
      guard try await call.next() == nil else {
        throw RPCError(.unimplemented, "\(method.path) sent more than one response message")
      }
      return UnaryResponse(
        message: message, initialMetadata: await call.initialMetadata(),
        trailingMetadata: call.trailingMetadata)
    } catch {
      var whole = error
      whole.metadata = call.receivedInitialMetadata
      whole.metadata.append(contentsOf: error.metadata)
      throw whole
    }
  }
}

extension RPCError {
  /// What a caller is told of an error that an interceptor threw.
  init(callError error: any Error) {
    switch error {
    case let error as RPCError: self = error
    case is CancellationError: self.init(.cancelled, "the call was cancelled")
    default: self.init(.unknown, "\(error)")
    }
  }
}

/// The answer to a unary call with what came around it.
public struct UnaryResponse<Message: Sendable>: Sendable {
  public var message: Message
  public var initialMetadata: Metadata
  public var trailingMetadata: Metadata
}
