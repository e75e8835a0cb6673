public import ProtoCodec
public import RPC

extension Method where Request: ProtoCodec.Message, Response: ProtoCodec.Message {
  /// A method whose messages have bindings here.
  public init(
    service: String, name: String, kind: MethodKind, idempotency: Idempotency = .unknown
  ) {
    self.init(
      service: service, name: name, kind: kind, idempotency: idempotency,
      request: .proto, response: .proto)
  }
}

extension MessageCodec where Message: ProtoCodec.Message {
  /// The two formats of a protobuf message.
  public static var proto: Self {
    Self(
      decode: { bytes in
        try bytes.withUnsafeBytes { buffer in try Message(serialized: buffer) }
      },
      encode: { message, buffer in message.serialize(into: &buffer) },
      decodeJSON: { _ in throw RPCError(.unimplemented, "JSON is not served yet") },
      encodeJSON: { _, _ in throw RPCError(.unimplemented, "JSON is not served yet") })
  }
}

extension SchemaMethod {
  /// The method as reflection describes it.
  public init<Input: ProtoCodec.Message, Output: ProtoCodec.Message>(
    _ method: Method<Input, Output>
  ) {
    self.init(
      method.name, Input.self, Output.self,
      clientStreaming: method.kind.clientStreams, serverStreaming: method.kind.serverStreams,
      idempotency: Idempotency(method.idempotency))
  }
}

extension SchemaMethod.Idempotency {
  fileprivate init(_ idempotency: RPC.Idempotency) {
    switch idempotency {
    case .unknown: self = .unknown
    case .noSideEffects: self = .noSideEffects
    case .idempotent: self = .idempotent
    }
  }
}
