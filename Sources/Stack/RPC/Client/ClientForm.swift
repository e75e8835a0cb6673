internal import Encodings

/// How a client writes its calls: the protocol, the message format and the compressions.
public struct ClientForm: Sendable {
  public enum WireProtocol: Sendable, Hashable { case grpc, grpcWeb, connect }
  public enum MessageFormat: Sendable, Hashable { case proto, json }

  public var wireProtocol: WireProtocol
  public var format: MessageFormat
  /// What request messages are compressed with; nil sends them as they are.
  public var requestCompression: (any MessageCompression)?
  /// What responses may be compressed with.
  public var acceptedCompressions: [any MessageCompression]
  /// Connect only: methods without side effects are called by GET.
  public var usesGet: Bool

  /// gRPC with binary messages and no compression.
  public static let grpc = ClientForm(.grpc)

  public init(
    _ wireProtocol: WireProtocol, format: MessageFormat = .proto,
    requestCompression: (any MessageCompression)? = nil,
    acceptedCompressions: [any MessageCompression] = [], usesGet: Bool = false
  ) {
    self.wireProtocol = wireProtocol
    self.format = format
    self.requestCompression = requestCompression
    self.acceptedCompressions = acceptedCompressions
    self.usesGet = usesGet
  }

  /// Connect's unary protocol: the body is the message.
  func isBare(_ kind: MethodKind) -> Bool { wireProtocol == .connect && kind == .unary }

  func requestFields(
    _ kind: MethodKind, timeout: Duration?, metadata: Metadata, previousAttempts: Int
  ) -> HeaderFields {
    var fields = HeaderFields()
    let accepted = acceptedCompressions.map(\.name).joined(separator: ",")
    switch wireProtocol {
    case .grpc, .grpcWeb:
      let base = wireProtocol == .grpc ? "application/grpc" : "application/grpc-web"
      if wireProtocol == .grpc { fields.append("te", "trailers") }
      // Plain `application/grpc` is what every server knows; gRPC-Web names its format.
      let suffix = format == .json ? "+json" : wireProtocol == .grpc ? "" : "+proto"
      fields.append("content-type", base + suffix)
      if wireProtocol == .grpcWeb { fields.append("x-grpc-web", "1") }
      if let timeout { fields.append("grpc-timeout", GRPCTimeout.format(timeout)) }
      if let requestCompression { fields.append("grpc-encoding", requestCompression.name) }
      if !accepted.isEmpty { fields.append("grpc-accept-encoding", accepted) }
    case .connect:
      let suffix = format == .json ? "json" : "proto"
      fields.append(
        "content-type", kind == .unary ? "application/\(suffix)" : "application/connect+\(suffix)")
      fields.append("connect-protocol-version", "1")
      if let timeout {
        let (seconds, attoseconds) = timeout.components
        let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        fields.append("connect-timeout-ms", String(max(0, min(milliseconds, 9_999_999_999))))
      }
      let prefix = kind == .unary ? "" : "connect-"
      if let requestCompression {
        fields.append(prefix + "content-encoding", requestCompression.name)
      }
      if !accepted.isEmpty { fields.append(prefix + "accept-encoding", accepted) }
    }
    if previousAttempts > 0 {
      fields.append("grpc-previous-rpc-attempts", String(previousAttempts))
    }
    metadata.append(to: &fields)
    return fields
  }

  /// The fields of a request whose message stands in the path.
  func withoutBody(_ fields: HeaderFields) -> HeaderFields {
    var kept = HeaderFields()
    for i in 0..<fields.count
    where !["content-type", "content-encoding"].contains(fields.name(i)) {
      kept.append(fields.name(i), fields.value(i))
    }
    return kept
  }

  /// A request message as it goes onto the wire.
  func encode<M>(
    _ message: M, _ codec: MessageCodec<M>, _ kind: MethodKind, compresses: Bool = true
  ) throws -> [UInt8] {
    if wireProtocol != .connect && format == .proto && requestCompression == nil {
      return try codec.envelope(message)
    }
    var payload: [UInt8] = []
    if format == .json {
      try codec.encodeJSON(message, &payload)
    } else {
      try codec.encode(message, &payload)
    }
    var flags: UInt8 = 0
    if let requestCompression, compresses {
      payload = try requestCompression.compress(payload)
      flags = Envelope.compressedFlag
    }
    if isBare(kind) { return payload }
    var buffer: [UInt8] = []
    Envelope.open(&buffer)
    buffer += payload
    Envelope.seal(&buffer, from: 0, flags: flags)
    return buffer
  }

  func decode<M>(_ bytes: [UInt8], _ codec: MessageCodec<M>) throws(RPCError) -> M {
    do {
      return format == .json ? try codec.decodeJSON(bytes.span) : try codec.decode(bytes.span)
    } catch {
      throw RPCError(.internalError, "the response message is malformed: \(error)")
    }
  }

  /// The `:path` of a Connect GET with the message in its query.
  func getPath<M>(_ path: String, _ message: M, _ codec: MessageCodec<M>) throws -> String {
    var payload: [UInt8] = []
    if format == .json {
      try codec.encodeJSON(message, &payload)
    } else {
      try codec.encode(message, &payload)
    }
    // In the order the protocol recommends, so that caches see one URL for one request.
    var query = "connect=v1&base64=1"
    if let requestCompression {
      payload = try requestCompression.compress(payload)
      query += "&compression=\(requestCompression.name)"
    }
    query += "&encoding=\(format == .json ? "json" : "proto")"
    return "\(path)?\(query)&message=\(Base64.encode(payload, alphabet: .url, padded: false))"
  }
}
