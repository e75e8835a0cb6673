/// Which side of a call sends more than one message.
public enum MethodKind: Sendable, Hashable {
  case unary, clientStreaming, serverStreaming, bidirectionalStreaming

  public var clientStreams: Bool { self == .clientStreaming || self == .bidirectionalStreaming }
  public var serverStreams: Bool { self == .serverStreaming || self == .bidirectionalStreaming }
}

/// The `idempotency_level` of a method in its .proto.
public enum Idempotency: Sendable, Hashable {
  case unknown, noSideEffects, idempotent
}

/// How messages of one type become bytes and come back.
///
/// RPC knows no message format; the schema gives each method its codecs. A class, so that whatever
/// reads or writes messages holds all of it by one reference.
public final class MessageCodec<Message: Sendable>: Sendable {
  /// Throws on bytes that are not such a message; the error's text is shown to the caller.
  public let decode: @Sendable (borrowing Span<UInt8>) throws -> Message
  /// Appends the encoding to the buffer.
  public let encode: @Sendable (Message, inout [UInt8]) throws -> Void
  /// The same as `decode`, from canonical JSON.
  public let decodeJSON: @Sendable (borrowing Span<UInt8>) throws -> Message
  /// The same as `encode`, as canonical JSON.
  public let encodeJSON: @Sendable (Message, inout [UInt8]) throws -> Void

  public init(
    decode: @escaping @Sendable (borrowing Span<UInt8>) throws -> Message,
    encode: @escaping @Sendable (Message, inout [UInt8]) throws -> Void,
    decodeJSON: @escaping @Sendable (borrowing Span<UInt8>) throws -> Message,
    encodeJSON: @escaping @Sendable (Message, inout [UInt8]) throws -> Void
  ) {
    self.decode = decode
    self.encode = encode
    self.decodeJSON = decodeJSON
    self.encodeJSON = encodeJSON
  }
}

extension MessageCodec where Message == [UInt8] {
  /// Messages passed on as the bytes they are: what a proxy needs.
  public static var bytes: MessageCodec<[UInt8]> {
    let copy: @Sendable (borrowing Span<UInt8>) -> [UInt8] = { span in
      var out: [UInt8] = []
      out.reserveCapacity(span.count)
      for i in span.indices { out.append(span[i]) }
      return out
    }
    let append: @Sendable ([UInt8], inout [UInt8]) -> Void = { $1.append(contentsOf: $0) }
    return MessageCodec(decode: copy, encode: append, decodeJSON: copy, encodeJSON: append)
  }
}

/// One method of a service: its name on the wire, its kind, and the codecs of its messages.
public struct Method<Request: Sendable, Response: Sendable>: Sendable {
  /// The service's full name, such as `omni.management.v1.ManagementService`.
  public let service: String
  public let name: String
  public let kind: MethodKind
  public let idempotency: Idempotency
  public let request: MessageCodec<Request>
  public let response: MessageCodec<Response>

  /// The `:path` of the method: `/service/name`.
  public let path: String

  public init(
    service: String, name: String, kind: MethodKind, idempotency: Idempotency = .unknown,
    request: MessageCodec<Request>, response: MessageCodec<Response>
  ) {
    self.service = service
    self.name = name
    self.kind = kind
    self.idempotency = idempotency
    self.request = request
    self.response = response
    self.path = "/\(service)/\(name)"
  }
}
