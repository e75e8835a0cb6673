internal import Encodings

/// How one call is written on the wire: the protocol, the message format, the compressions.
///
/// One call is served by one form from its head to its end. The protocols are gRPC (HTTP/2
/// document), gRPC-Web (PROTOCOL-WEB.md) and Connect (connectrpc.com/docs/protocol).
final class CallForm: Sendable {
  enum Family: Sendable, Equatable {
    case grpc, grpcWeb, grpcWebText
    /// The body is the message; the status is the HTTP status.
    case connectUnary
    /// Envelopes, the last of which is the end of the stream.
    case connectStreaming
  }

  let family: Family
  let isJSON: Bool
  /// The response's `content-type`.
  let contentType: String
  /// What request messages may be compressed with.
  let requestCompression: (any MessageCompression)?
  /// What response messages are compressed with where it pays.
  let responseCompression: (any MessageCompression)?
  /// Encodings of messages that are taken, for the peer to learn; empty when there are none.
  let acceptedEncodings: String
  /// Fields that every response head carries, such as those of CORS.
  let headFields: HeaderFields

  /// gRPC with binary messages and no compression: nearly every call.
  static let plain = CallForm(.grpc, contentType: "application/grpc", isPlain: true)
  /// Whether this is `plain`.
  let isPlain: Bool

  init(
    _ family: Family, isJSON: Bool = false, contentType: String,
    requestCompression: (any MessageCompression)? = nil,
    responseCompression: (any MessageCompression)? = nil, acceptedEncodings: String = "",
    headFields: HeaderFields = HeaderFields(), isPlain: Bool = false
  ) {
    self.isPlain = isPlain
    self.family = family
    self.isJSON = isJSON
    self.contentType = contentType
    self.requestCompression = requestCompression
    self.responseCompression = responseCompression
    self.acceptedEncodings = acceptedEncodings
    self.headFields = headFields
  }

  var hasEnvelopes: Bool { family != .connectUnary }

  /// Whether a message encoded for any plain call serves this one too.
  var takesPlainEnvelopes: Bool {
    !isJSON && responseCompression == nil && hasEnvelopes && family != .grpcWebText
  }

  /// Whether a message encoded for any call in JSON without compression serves this one too.
  var takesJSONEnvelopes: Bool {
    isJSON && responseCompression == nil && hasEnvelopes && family != .grpcWebText
  }

  /// What reads messages of this form.
  func decoder<M>(
    _ codec: MessageCodec<M>
  ) -> @Sendable (borrowing Span<UInt8>) throws -> M {
    isJSON ? codec.decodeJSON : codec.decode
  }

  func decode<M>(_ codec: MessageCodec<M>, _ bytes: borrowing Span<UInt8>) throws -> M {
    try decoder(codec)(bytes)
  }

  /// What a caller is told whose message cannot be read.
  func malformed(_ path: String, _ error: any Error) -> RPCError {
    RPCError(
      isJSON || family == .connectUnary || family == .connectStreaming
        ? .invalidArgument : .internalError,
      "the request message of \(path) is malformed: \(error)")
  }

  /// A message as it goes onto the wire, in its envelope where the protocol has them; in Connect's
  /// unary protocol, which has none, with the envelope's flags in front.
  func encode<M>(
    _ message: M, _ codec: MessageCodec<M>, compressionThreshold: Int, limit: Int
  ) throws -> [UInt8] {
    if isPlain {
      let envelope = try codec.envelope(message)
      try Self.check(envelope.count - Envelope.prefixLength, limit)
      return envelope
    }
    var payload: [UInt8] = []
    if isJSON {
      try codec.encodeJSON(message, &payload)
    } else {
      try codec.encode(message, &payload)
    }
    try Self.check(payload.count, limit)
    var flags: UInt8 = 0
    if let responseCompression, payload.count >= compressionThreshold {
      payload = try responseCompression.compress(payload)
      flags = Envelope.compressedFlag
    }
    return hasEnvelopes ? wrap(payload, flags: flags) : [flags] + payload
  }

  /// The same form with compressed responses.
  func compressing(with compression: any MessageCompression) -> CallForm {
    CallForm(
      family, isJSON: isJSON, contentType: contentType, requestCompression: requestCompression,
      responseCompression: compression, acceptedEncodings: acceptedEncodings,
      headFields: headFields)
  }

  /// Puts bytes into an envelope, and into base64 where the protocol asks for it.
  func wrap(_ payload: [UInt8], flags: UInt8) -> [UInt8] {
    var buffer: [UInt8] = []
    buffer.reserveCapacity(payload.count + Envelope.prefixLength)
    Envelope.open(&buffer)
    buffer += payload
    Envelope.seal(&buffer, from: 0, flags: flags)
    return family == .grpcWebText ? Base64.encodedBytes(buffer) : buffer
  }

  /// - Throws: `resourceExhausted` for a response message of more bytes than the limit.
  static func check(_ count: Int, _ limit: Int) throws(RPCError) {
    if count > limit {
      throw RPCError(
        .resourceExhausted, "the response of \(count) bytes is larger than the limit of \(limit)")
    }
  }
}
