/// One message of a request, decompressed.
struct RequestMessage: Sendable, Equatable {
  var bytes: [UInt8]
  /// Where in the bytes the message begins.
  var start = 0
  var wasCompressed = false

  var count: Int { bytes.count - start }

  func decode<M>(_ codec: MessageCodec<M>, _ form: CallForm) throws -> M {
    try form.decode(codec, bytes.span.extracting(start..<bytes.count))
  }
}

/// Reads the request of one call in whichever protocol it is written: bytes in, messages out.
///
/// Pure, as `ResponseReader` is on the client. What it keeps is bounded by the message limit.
struct RequestReader {
  private let form: CallForm
  private var envelopes: EnvelopeReader
  private var textDecoder = Base64StreamDecoder()
  /// The body of a Connect unary request so far, which is its one message.
  private var body: [UInt8] = []

  init(form: CallForm, limit: Int) {
    self.form = form
    envelopes = EnvelopeReader(limit: limit)
  }

  private var limit: Int { envelopes.limit }

  /// Bytes kept of a message that is not complete.
  var heldBytes: Int { envelopes.partialBytes + body.count }

  /// Takes a piece of the body in and hands on each message it completes, in order.
  ///
  /// - Throws: what is wrong with the request, and what `deliver` throws; the reader must not be used after that.
  mutating func receive(
    _ data: borrowing Span<UInt8>, deliver: (RequestMessage) throws(RPCError) -> Void
  ) throws(RPCError) {
    switch form.family {
    case .connectUnary:
      if body.count + data.count > limit {
        throw RPCError(
          .resourceExhausted, "the request is larger than the limit of \(limit) bytes")
      }
      data.withUnsafeBufferPointer { body.append(contentsOf: $0) }
    case .grpcWebText:
      guard let bytes = textDecoder.decode(data) else {
        throw RPCError(.internalError, "the request is not base64")
      }
      try cut(bytes.span, deliver)
    case .grpc, .grpcWeb, .connectStreaming: try cut(data, deliver)
    }
  }

  /// Takes the message of a Connect unary request that came otherwise than as a body.
  mutating func receive(whole message: [UInt8]) { body = message }

  /// The request ends here.
  ///
  /// - Returns: the message of a protocol whose message ends with the request.
  /// - Throws: what is wrong with a request that ends here.
  mutating func end() throws(RPCError) -> RequestMessage? {
    guard envelopes.isAtBoundary && textDecoder.isAtBoundary else {
      throw RPCError(
        form.family == .grpc ? .internalError : .invalidArgument,
        "the request ended in the middle of a message")
    }
    guard form.family == .connectUnary else { return nil }
    let whole = body
    body = []
    guard let compression = form.requestCompression, !whole.isEmpty else {
      return RequestMessage(bytes: whole)
    }
    return RequestMessage(
      bytes: try compression.decompress(whole.span, limit: limit), wasCompressed: true)
  }

  private mutating func cut(
    _ data: borrowing Span<UInt8>, _ deliver: (RequestMessage) throws(RPCError) -> Void
  ) throws(RPCError) {
    let (form, limit) = (form, limit)
    try envelopes.receive(data) { (flags, message) throws(RPCError) in
      try deliver(try Self.message(flags, message, form, limit))
    } deliverWhole: { (envelope) throws(RPCError) in
      if envelope[0] == 0 {
        return try deliver(RequestMessage(bytes: envelope, start: Envelope.prefixLength))
      }
      let message = envelope.span.extracting(Envelope.prefixLength..<envelope.count)
      try deliver(try Self.message(envelope[0], message, form, limit))
    }
  }

  private static func message(
    _ flags: UInt8, _ message: borrowing Span<UInt8>, _ form: CallForm, _ limit: Int
  ) throws(RPCError) -> RequestMessage {
    if flags & ~Envelope.compressedFlag != 0 { throw unknownFlags(flags, form.family) }
    if flags & Envelope.compressedFlag == 0 {
      return RequestMessage(bytes: message.withUnsafeBufferPointer { Array($0) })
    }
    guard let compression = form.requestCompression else {
      throw RPCError(.internalError, "a compressed message, but the call names no encoding")
    }
    return RequestMessage(
      bytes: try compression.decompress(message, limit: limit), wasCompressed: true)
  }

  /// A bit that a later version of a protocol may define must not be taken for nothing.
  private static func unknownFlags(_ flags: UInt8, _ family: CallForm.Family) -> RPCError {
    switch family {
    case .connectStreaming where flags & 0x02 != 0:
      RPCError(.invalidArgument, "a client does not send an end-of-stream envelope")
    case .grpcWeb where flags & 0x80 != 0, .grpcWebText where flags & 0x80 != 0:
      RPCError(.internalError, "a client does not send trailers")
    default:
      RPCError(
        family == .connectStreaming ? .invalidArgument : .internalError,
        "a message has unknown flags: \(flags)")
    }
  }
}
