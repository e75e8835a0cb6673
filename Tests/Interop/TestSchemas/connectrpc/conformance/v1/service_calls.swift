// The binding of service.proto, which says what each field means.

public import ProtoCodec

extension Conformance {
  public struct UnaryRequest: Message {
    public var responseDefinition: UnaryResponseDefinition?
    public var requestData: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.UnaryRequest") {
      Field.message(1, "response_definition", \.responseDefinition)
      Field.bytes(2, "request_data", \.requestData)
    }
  }

  public struct UnaryResponse: Message {
    public var payload: ConformancePayload?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.UnaryResponse") {
      Field.message(1, "payload", \.payload)
    }
  }

  public struct IdempotentUnaryRequest: Message {
    public var responseDefinition: UnaryResponseDefinition?
    public var requestData: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.IdempotentUnaryRequest")
    {
      Field.message(1, "response_definition", \.responseDefinition)
      Field.bytes(2, "request_data", \.requestData)
    }
  }

  public struct IdempotentUnaryResponse: Message {
    public var payload: ConformancePayload?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.IdempotentUnaryResponse")
    {
      Field.message(1, "payload", \.payload)
    }
  }

  public struct ServerStreamRequest: Message {
    public var responseDefinition: StreamResponseDefinition?
    public var requestData: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.ServerStreamRequest") {
      Field.message(1, "response_definition", \.responseDefinition)
      Field.bytes(2, "request_data", \.requestData)
    }
  }

  public struct ServerStreamResponse: Message {
    public var payload: ConformancePayload?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.ServerStreamResponse") {
      Field.message(1, "payload", \.payload)
    }
  }

  public struct ClientStreamRequest: Message {
    public var responseDefinition: UnaryResponseDefinition?
    public var requestData: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.ClientStreamRequest") {
      Field.message(1, "response_definition", \.responseDefinition)
      Field.bytes(2, "request_data", \.requestData)
    }
  }

  public struct ClientStreamResponse: Message {
    public var payload: ConformancePayload?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.ClientStreamResponse") {
      Field.message(1, "payload", \.payload)
    }
  }

  public struct BidiStreamRequest: Message {
    public var responseDefinition: StreamResponseDefinition?
    public var fullDuplex = false
    public var requestData: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.BidiStreamRequest") {
      Field.message(1, "response_definition", \.responseDefinition)
      Field.bool(2, "full_duplex", \.fullDuplex)
      Field.bytes(3, "request_data", \.requestData)
    }
  }

  public struct BidiStreamResponse: Message {
    public var payload: ConformancePayload?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.BidiStreamResponse") {
      Field.message(1, "payload", \.payload)
    }
  }

  public struct UnimplementedRequest: Message {
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.UnimplementedRequest")
  }

  public struct UnimplementedResponse: Message {
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.UnimplementedResponse")
  }
}
