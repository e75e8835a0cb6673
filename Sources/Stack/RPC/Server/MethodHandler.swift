/// A registered method: decodes requests, runs the handler, encodes responses.
///
/// A class, so that a call holds all of it by one reference.
protocol MethodHandler: AnyObject, Sendable {
  var path: String { get }
  var kind: MethodKind { get }
  var idempotency: Idempotency { get }
  /// Counts the calls of this method.
  var tally: CallTally { get }
  /// What calls of this method keep to beside the router's limits; nil for most methods.
  var bounds: MethodBounds? { get }
  /// This handler without bounds of its own.
  var unlimited: any MethodHandler { get }
  /// Runs the handler for the call, and ends the call. On the call's executor; the one request message
  /// is taken before the first suspension.
  func run(_ call: ServerCall) async
}

extension MethodHandler {
  /// Connect's GET calls it too.
  var answersGet: Bool { kind == .unary && idempotency == .noSideEffects }
  var bounds: MethodBounds? { nil }
  var unlimited: any MethodHandler { self }
}

extension MessageCodec {
  /// The message in an uncompressed envelope.
  package func envelope(_ message: Message) throws -> [UInt8] {
    var buffer: [UInt8] = []
    buffer.reserveCapacity(128)
    Envelope.open(&buffer)
    try encode(message, &buffer)
    Envelope.seal(&buffer, from: 0, flags: 0)
    return buffer
  }
}

final class UnaryHandler<I: Sendable, Answer: Sendable>: MethodHandler {
  let path: String
  let tally: CallTally
  let kind = MethodKind.unary
  let idempotency: Idempotency
  private let chain: InterceptorChain
  private let request: MessageCodec<I>
  // Taken out of `request`, so that a call need not ask for its type's metadata.
  private let decode: @Sendable (borrowing Span<UInt8>) throws -> I
  private let body: @Sendable (I, ServerCall) async throws -> Answer
  private let encode: @Sendable (Answer, ServerCall) throws -> [UInt8]

  private init<O: Sendable>(
    _ method: Method<I, O>, _ chain: InterceptorChain,
    _ body: @escaping @Sendable (I, ServerCall) async throws -> Answer,
    _ encode: @escaping @Sendable (Answer, ServerCall) throws -> [UInt8]
  ) {
    path = method.path
    tally = CallTally(path: method.path, kind: .unary)
    idempotency = method.idempotency
    self.chain = chain
    request = method.request
    decode = method.request.decode
    self.body = body
    self.encode = encode
  }

  convenience init(
    method: Method<I, Answer>, chain: InterceptorChain,
    body: @escaping @Sendable (I, ServerCall) async throws -> Answer
  ) {
    let (codec, encode) = (method.response, method.response.encode)
    self.init(method, chain, body) { response, call in
      call.isPlain ? try call.envelope(response, encode) : try call.encode(response, codec)
    }
  }

  convenience init<O>(
    method: Method<I, O>, chain: InterceptorChain,
    encoded body: @escaping @Sendable (I, ServerCall) async throws -> EncodedMessage<O>
  ) where Answer == EncodedMessage<O> {
    self.init(method, chain, body) { response, call in
      guard call.form.takesPlainEnvelopes else { return try response.shared.encode(call) }
      let envelope = response.shared.envelope
      try CallForm.check(
        envelope.count - Envelope.prefixLength, call.limits.responseMessageBytes)
      return envelope
    }
  }

  // One function from the worker to the answer: each more would cost every call a frame.
  func run(_ call: ServerCall) async {
    do {
      let envelope: [UInt8]
      if chain.passes(call) {
        let decode = call.isPlain ? self.decode : call.form.decoder(request)
        envelope = try encode(try await body(try call.takeRequest(path, decode), call), call)
      } else {
        envelope = try await intercepted(call)
      }
      if call.isOnExecutor { call.succeed(envelope) } else { await call.finish(envelope) }
    } catch {
      await call.finish(error)
    }
  }

  @inline(never)
  private func intercepted(_ call: ServerCall) async throws -> [UInt8] {
    // What of it is malformed is the interceptors' business too.
    let message = Result { try call.takeRequest(path, call.form.decoder(request)) }
    var envelope: [UInt8]?
    try await chain.run(call) {
      envelope = try encode(try await body(try message.get(), call), call)
    }
    guard let envelope else {
      throw RPCError(.internalError, "an interceptor of \(path) has left the handler out")
    }
    return envelope
  }
}

final class ServerStreamingHandler<I: Sendable, O: Sendable>: MethodHandler {
  let method: Method<I, O>
  let chain: InterceptorChain
  let body: @Sendable (I, ResponseWriter<O>, ServerCall) async throws -> Void
  let path: String
  let kind: MethodKind
  let tally: CallTally

  init(
    method: Method<I, O>, chain: InterceptorChain,
    body: @escaping @Sendable (I, ResponseWriter<O>, ServerCall) async throws -> Void
  ) {
    self.method = method
    self.chain = chain
    self.body = body
    self.path = method.path
    self.kind = method.kind
    self.tally = CallTally(path: method.path, kind: method.kind)
  }

  var idempotency: Idempotency { method.idempotency }

  func run(_ call: ServerCall) async {
    do {
      let writer = ResponseWriter(call: call, codec: method.response)
      if chain.passes(call) {
        try await body(
          try call.takeRequest(path, call.form.decoder(method.request)), writer, call)
      } else {
        try await intercepted(writer, call)
      }
      if call.isOnExecutor { call.succeed() } else { await call.finish() }
    } catch {
      await call.finish(error)
    }
  }

  // Kept out of `run`, whose frame every watcher holds for as long as it watches.
  @inline(never)
  private func intercepted(_ writer: ResponseWriter<O>, _ call: ServerCall) async throws {
    // What of it is malformed is the interceptors' business too.
    let request = Result { try call.takeRequest(path, call.form.decoder(method.request)) }
    try await chain.run(call) { try await body(try request.get(), writer, call) }
  }
}

final class StreamingHandler<I: Sendable, O: Sendable>: MethodHandler {
  let method: Method<I, O>
  let chain: InterceptorChain
  let body: @Sendable (RequestStream<I>, ResponseWriter<O>, ServerCall) async throws -> Void
  let path: String
  let kind: MethodKind
  let tally: CallTally

  init(
    method: Method<I, O>, chain: InterceptorChain,
    body: @escaping @Sendable (RequestStream<I>, ResponseWriter<O>, ServerCall) async throws -> Void
  ) {
    self.method = method
    self.chain = chain
    self.body = body
    self.path = method.path
    self.kind = method.kind
    self.tally = CallTally(path: method.path, kind: method.kind)
  }

  var idempotency: Idempotency { method.idempotency }

  func run(_ call: ServerCall) async {
    let requests = RequestStream(call: call, codec: method.request, path: method.path)
    let writer = ResponseWriter(call: call, codec: method.response)
    do {
      try await chain.run(call) { try await body(requests, writer, call) }
      await call.finish()
    } catch {
      await call.finish(error)
    }
  }
}
