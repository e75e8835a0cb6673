// The binding of service.proto, which says what each field means.

public import ProtoCodec
public import RPC
public import Schema

extension Conformance {
  /// How to answer with one message.
  public struct UnaryResponseDefinition: Message {
    public var responseHeaders: [Header] = []
    public var response: Response?
    public var responseTrailers: [Header] = []
    public var responseDelayMS: UInt32 = 0
    public var rawResponse: RawHTTPResponse?
    public var unknownFields = UnknownFields()

    public init() {}

    public enum Response: Sendable, Equatable {
      case responseData([UInt8])
      case error(Error)
    }

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.UnaryResponseDefinition")
    {
      Field.message(1, "response_headers", \.responseHeaders)
      Field.oneof("response", \.response) {
        OneofCase.bytes(2, "response_data", Response.responseData) {
          if case .responseData(let value) = $0 { value } else { nil }
        }
        OneofCase.message(3, "error", Response.error) {
          if case .error(let value) = $0 { value } else { nil }
        }
      }
      Field.message(4, "response_trailers", \.responseTrailers)
      Field.uint32(6, "response_delay_ms", \.responseDelayMS)
      Field.message(5, "raw_response", \.rawResponse)
    }
  }

  /// How to answer with a stream.
  public struct StreamResponseDefinition: Message {
    public var responseHeaders: [Header] = []
    public var responseData: [[UInt8]] = []
    public var responseDelayMS: UInt32 = 0
    public var error: Error?
    public var responseTrailers: [Header] = []
    public var rawResponse: RawHTTPResponse?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>(
      "connectrpc.conformance.v1.StreamResponseDefinition"
    ) {
      Field.message(1, "response_headers", \.responseHeaders)
      Field.bytes(2, "response_data", \.responseData)
      Field.uint32(3, "response_delay_ms", \.responseDelayMS)
      Field.message(4, "error", \.error)
      Field.message(5, "response_trailers", \.responseTrailers)
      Field.message(6, "raw_response", \.rawResponse)
    }
  }

  /// The answer to a request.
  public struct ConformancePayload: Message {
    public var data: [UInt8] = []
    public var requestInfo: ConformancePayload.RequestInfo?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.ConformancePayload") {
      Field.bytes(1, "data", \.data)
      Field.message(2, "request_info", \.requestInfo)
    }

    /// What the server saw of the request; sent with the first response, or among the error's details.
    public struct RequestInfo: Message {
      public var requestHeaders: [Header] = []
      public var timeoutMS: Int64?
      public var requests: [AnyMessage] = []
      public var connectGetInfo: ConformancePayload.ConnectGetInfo?
      public var unknownFields = UnknownFields()

      public init() {}

      public static let fields = FieldTable<Self>(
        "connectrpc.conformance.v1.ConformancePayload.RequestInfo"
      ) {
        Field.message(1, "request_headers", \.requestHeaders)
        Field.int64(2, "timeout_ms", \.timeoutMS)
        Field.message(3, "requests", \.requests)
        Field.message(4, "connect_get_info", \.connectGetInfo)
      }
    }

    /// The query of a Connect GET.
    public struct ConnectGetInfo: Message {
      public var queryParams: [Header] = []
      public var unknownFields = UnknownFields()

      public init() {}

      public static let fields = FieldTable<Self>(
        "connectrpc.conformance.v1.ConformancePayload.ConnectGetInfo"
      ) {
        Field.message(1, "query_params", \.queryParams)
      }
    }
  }

  /// An error to raise, or that was seen.
  public struct Error: Message {
    public var code = Code.unspecified
    public var message: String?
    public var details: [AnyMessage] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.Error") {
      Field.enumeration(1, "code", \.code)
      Field.string(2, "message", \.message)
      Field.message(3, "details", \.details)
    }
  }

  /// A header or trailer, with all its values.
  public struct Header: Message {
    public var name = ""
    public var value: [String] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.Header") {
      Field.string(1, "name", \.name)
      Field.string(2, "value", \.value)
    }
  }

  public enum ConformanceServiceMethods {
    public static let service = "connectrpc.conformance.v1.ConformanceService"

    /// Answers with the payload or the error that the request defines.
    public static let unary = Method<UnaryRequest, UnaryResponse>(
      service: service, name: "Unary", kind: .unary,
      types: { .testSchemas })

    /// Sends the headers at once, then each payload after the delay, then the error if there is one.
    public static let serverStream = Method<ServerStreamRequest, ServerStreamResponse>(
      service: service, name: "ServerStream", kind: .serverStreaming,
      types: { .testSchemas })

    /// Answers as the first request says, when all are in.
    public static let clientStream = Method<ClientStreamRequest, ClientStreamResponse>(
      service: service, name: "ClientStream", kind: .clientStreaming,
      types: { .testSchemas })

    /// Full duplex: a response after each request. Half duplex: the responses when all requests
    /// are in.
    public static let bidiStream = Method<BidiStreamRequest, BidiStreamResponse>(
      service: service, name: "BidiStream", kind: .bidirectionalStreaming,
      types: { .testSchemas })

    /// A method that no server implements.
    public static let unimplemented = Method<UnimplementedRequest, UnimplementedResponse>(
      service: service, name: "Unimplemented", kind: .unary,
      types: { .testSchemas })

    /// As Unary; may be called by HTTP GET.
    public static let idempotentUnary = Method<IdempotentUnaryRequest, IdempotentUnaryResponse>(
      service: service, name: "IdempotentUnary", kind: .unary, idempotency: .noSideEffects,
      types: { .testSchemas })

    /// The service as reflection describes it.
    public static let schema = SchemaService(
      "ConformanceService",
      [
        SchemaMethod(unary),
        SchemaMethod(serverStream),
        SchemaMethod(clientStream),
        SchemaMethod(bidiStream),
        SchemaMethod(unimplemented),
        SchemaMethod(idempotentUnary),
      ])
  }
}

extension SchemaFile {
  public static let conformanceService = SchemaFile(
    "connectrpc/conformance/v1/service.proto", package: "connectrpc.conformance.v1",
    dependencies: [.conformanceConfig, .any],
    messages: [
      Conformance.UnaryResponseDefinition.self, Conformance.StreamResponseDefinition.self,
      Conformance.UnaryRequest.self, Conformance.UnaryResponse.self,
      Conformance.IdempotentUnaryRequest.self, Conformance.IdempotentUnaryResponse.self,
      Conformance.ServerStreamRequest.self, Conformance.ServerStreamResponse.self,
      Conformance.ClientStreamRequest.self, Conformance.ClientStreamResponse.self,
      Conformance.BidiStreamRequest.self, Conformance.BidiStreamResponse.self,
      Conformance.UnimplementedRequest.self, Conformance.UnimplementedResponse.self,
      Conformance.ConformancePayload.self, Conformance.ConformancePayload.RequestInfo.self,
      Conformance.ConformancePayload.ConnectGetInfo.self, Conformance.Error.self,
      Conformance.Header.self, Conformance.RawHTTPRequest.self,
      Conformance.RawHTTPRequest.EncodedQueryParam.self, Conformance.MessageContents.self,
      Conformance.StreamContents.self, Conformance.StreamContents.StreamItem.self,
      Conformance.RawHTTPResponse.self,
    ],
    services: [Conformance.ConformanceServiceMethods.schema])
}
