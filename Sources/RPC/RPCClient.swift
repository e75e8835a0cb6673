/// Makes calls over a channel.
///
/// Each method returns when its call has ended; leaving a streaming body, by return or by error,
/// cancels what still runs. Cancelling the calling task cancels the call.
public struct RPCClient: Sendable {
  let channel: any ClientChannel

  public init(_ channel: any ClientChannel) { self.channel = channel }

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
    let call = try await start(method, options)
    do throws(RPCError) {
      try await call.send(try Self.envelope(request, method.request), isLast: true)
      return try await Self.single(call, method)
    } catch {
      call.cancel()
      throw error
    }
  }

  /// One request, a stream of responses that the body reads.
  public func serverStreaming<I: Sendable, O: Sendable, Result: Sendable>(
    _ method: Method<I, O>, _ request: I, options: CallOptions = CallOptions(),
    _ body: (ResponseStream<O>) async throws -> Result
  ) async throws -> Result {
    let call = try await start(method, options)
    defer { call.cancel() }
    try await call.send(try Self.envelope(request, method.request), isLast: true)
    return try await body(ResponseStream(call: call, codec: method.response))
  }

  /// A stream of requests that the body writes, one response.
  public func clientStreaming<I: Sendable, O: Sendable>(
    _ method: Method<I, O>, options: CallOptions = CallOptions(),
    _ body: (RequestWriter<I>) async throws -> Void
  ) async throws -> O {
    let call = try await start(method, options)
    defer { call.cancel() }
    let writer = RequestWriter(call: call, codec: method.request)
    try await body(writer)
    try await writer.finish()
    return try await Self.single(call, method).message
  }

  /// Streams both ways. The requests end when the body calls `finish`, or returns.
  public func bidirectional<I: Sendable, O: Sendable, Result: Sendable>(
    _ method: Method<I, O>, options: CallOptions = CallOptions(),
    _ body: (RequestWriter<I>, ResponseStream<O>) async throws -> Result
  ) async throws -> Result {
    let call = try await start(method, options)
    defer { call.cancel() }
    return try await body(
      RequestWriter(call: call, codec: method.request),
      ResponseStream(call: call, codec: method.response))
  }

  private func start<I, O>(
    _ method: Method<I, O>, _ options: CallOptions
  ) async throws(RPCError) -> ClientCall {
    var timeout = options.timeout
    if let inherited = ServerCall.inheritedDeadline {
      let left = inherited - ContinuousClock.now
      timeout = min(timeout ?? left, left)
    }
    var fields = HeaderFields(["te": "trailers", "content-type": "application/grpc"])
    if let timeout { fields.append("grpc-timeout", GRPCTimeout.format(timeout)) }
    options.metadata.append(to: &fields)
    let call = ClientCall(responseMessageBytes: options.responseMessageBytes)
    if let timeout { call.startTimer(timeout) }
    do throws(RPCError) {
      let stream = try await channel.open(
        method: "POST", path: method.path, fields: fields, isLast: false,
        waitForReady: options.waitForReady, receiver: call)
      call.opened(stream)
    } catch {
      call.abort(error)
      throw error
    }
    return call
  }

  private static func envelope<M>(
    _ message: M, _ codec: MessageCodec<M>
  ) throws(RPCError) -> [UInt8] {
    do { return try codec.envelope(message) } catch {
      throw RPCError(.internalError, "the request cannot be encoded: \(error)")
    }
  }

  private static func single<I, O>(
    _ call: ClientCall, _ method: Method<I, O>
  ) async throws(RPCError) -> UnaryResponse<O> {
    guard let bytes = try await call.next() else {
      throw RPCError(.unimplemented, "\(method.path) ended with OK and no response message")
    }
    let message = try ResponseStream<O>.decode(bytes, method.response)
    guard try await call.next() == nil else {
      throw RPCError(.unimplemented, "\(method.path) sent more than one response message")
    }
    return UnaryResponse(
      message: message, initialMetadata: await call.initialMetadata(),
      trailingMetadata: call.trailingMetadata)
  }
}

/// The answer to a unary call with what came around it.
public struct UnaryResponse<Message: Sendable>: Sendable {
  public var message: Message
  public var initialMetadata: Metadata
  public var trailingMetadata: Metadata
}

/// The responses of a call, read once, by one reader at a time.
///
/// Reading slowly slows the server: no more than a window of messages is buffered.
public struct ResponseStream<Message: Sendable>: AsyncSequence, Sendable {
  public typealias Element = Message
  let call: ClientCall
  let codec: MessageCodec<Message>

  public struct AsyncIterator: AsyncIteratorProtocol {
    let stream: ResponseStream

    /// The next message; nil when the call ended with OK.
    ///
    /// - Throws: `RPCError`, the call's status.
    public mutating func next() async throws -> Message? {
      guard let bytes = try await stream.call.next() else { return nil }
      return try ResponseStream.decode(bytes, stream.codec)
    }
  }

  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }

  /// The metadata of the response's head; waits for it.
  public func initialMetadata() async -> Metadata { await call.initialMetadata() }

  /// The metadata of the status; empty until the stream has ended.
  public var trailingMetadata: Metadata { call.trailingMetadata }

  static func decode(
    _ bytes: [UInt8], _ codec: MessageCodec<Message>
  ) throws(RPCError) -> Message {
    do { return try codec.decode(bytes.span) } catch {
      throw RPCError(.internalError, "the response message is malformed: \(error)")
    }
  }
}

/// Where the body of a streaming call puts its requests.
public struct RequestWriter<Message: Sendable>: Sendable {
  let call: ClientCall
  let codec: MessageCodec<Message>

  /// Sends one message; suspends while the server takes them more slowly.
  public func write(_ message: Message) async throws {
    try await call.send(try codec.envelope(message), isLast: false)
  }

  /// Says that no more will come.
  public func finish() async throws { try await call.send([], isLast: true) }
}
