public import ProtoCodec
public import RPC

extension Method where Request: ProtoCodec.Message, Response: ProtoCodec.Message {
  /// A method whose messages have bindings.
  ///
  /// - Parameter types: the messages that a `google.protobuf.Any` may hold in JSON; asked for when
  ///   the first JSON arrives.
  public init(
    service: String, name: String, kind: MethodKind, idempotency: Idempotency = .unknown,
    types: @escaping @Sendable () -> TypeRegistry = { .schema }
  ) {
    self.init(
      service: service, name: name, kind: kind, idempotency: idempotency,
      request: .proto(types, refusesUnknownJSON: idempotency != .noSideEffects),
      response: .proto(types))
  }
}

extension MessageCodec where Message: ProtoCodec.Message {
  /// The two formats of a protobuf message.
  ///
  /// JSON fields and enum values that the schema does not know are skipped, as unknown fields are in
  /// the binary format: a newer client must not fail at an older server.
  ///
  /// - Parameter refusesUnknownJSON: they are refused. JSON is written by people too, and a misspelt
  ///   field of a call that changes something (`dryrun`) would do what nobody asked for.
  public static func proto(
    _ types: @escaping @Sendable () -> TypeRegistry = { .schema }, refusesUnknownJSON: Bool = false
  ) -> MessageCodec<Message> {
    MessageCodec(
      decode: { bytes in
        try bytes.withUnsafeBytes { buffer in try Message(serialized: buffer) }
      },
      encode: { message, buffer in message.serialize(into: &buffer) },
      decodeJSON: { bytes in
        var options = JSONDecodingOptions.default
        options.ignoresUnknown = !refusesUnknownJSON
        options.types = types()
        return try Message(json: bytes.withUnsafeBytes { [UInt8]($0) }, options: options)
      },
      encodeJSON: { message, buffer in
        var options = JSONEncodingOptions.default
        options.types = types()
        buffer += try message.jsonUTF8(options)
      })
  }
}

extension TypeRegistry {
  /// Every message of the schema folder.
  public static let schema = TypeRegistry(files: SchemaFile.all)
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
