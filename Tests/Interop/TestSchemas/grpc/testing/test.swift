// The binding of test.proto, which says what each field means.

public import ProtoCodec
public import RPC
import Schema

extension GRPCTesting {
  public enum TestServiceMethods {
    public static let service = "grpc.testing.TestService"

    public static let emptyCall = Method<Empty, Empty>(
      service: service, name: "EmptyCall", kind: .unary)

    /// Answers with the payload and status asked for.
    public static let unaryCall = Method<SimpleRequest, SimpleResponse>(
      service: service, name: "UnaryCall", kind: .unary)

    /// The same, with headers that let a proxy keep the answer.
    public static let cacheableUnaryCall = Method<SimpleRequest, SimpleResponse>(
      service: service, name: "CacheableUnaryCall", kind: .unary)

    /// Answers with the payloads asked for, one a message.
    public static let streamingOutputCall = Method<
      StreamingOutputCallRequest, StreamingOutputCallResponse
    >(
      service: service, name: "StreamingOutputCall", kind: .serverStreaming)

    /// Answers with the size of all payloads.
    public static let streamingInputCall = Method<
      StreamingInputCallRequest, StreamingInputCallResponse
    >(
      service: service, name: "StreamingInputCall", kind: .clientStreaming)

    /// Answers each request at once.
    public static let fullDuplexCall = Method<
      StreamingOutputCallRequest, StreamingOutputCallResponse
    >(
      service: service, name: "FullDuplexCall", kind: .bidirectionalStreaming)

    /// Answers when all requests are in.
    public static let halfDuplexCall = Method<
      StreamingOutputCallRequest, StreamingOutputCallResponse
    >(
      service: service, name: "HalfDuplexCall", kind: .bidirectionalStreaming)

    /// A method that no server implements.
    public static let unimplementedCall = Method<Empty, Empty>(
      service: service, name: "UnimplementedCall", kind: .unary)

    /// The service as reflection describes it.
    public static let schema = SchemaService(
      "TestService",
      [
        SchemaMethod(emptyCall),
        SchemaMethod(unaryCall),
        SchemaMethod(cacheableUnaryCall),
        SchemaMethod(streamingOutputCall),
        SchemaMethod(streamingInputCall),
        SchemaMethod(fullDuplexCall),
        SchemaMethod(halfDuplexCall),
        SchemaMethod(unimplementedCall),
      ])
  }

  /// A service that no server implements.
  public enum UnimplementedServiceMethods {
    public static let service = "grpc.testing.UnimplementedService"

    public static let unimplementedCall = Method<Empty, Empty>(
      service: service, name: "UnimplementedCall", kind: .unary)

    /// The service as reflection describes it.
    public static let schema = SchemaService(
      "UnimplementedService",
      [
        SchemaMethod(unimplementedCall)
      ])
  }

  /// Steers a server that tests how clients reconnect.
  public enum ReconnectServiceMethods {
    public static let service = "grpc.testing.ReconnectService"

    public static let start = Method<ReconnectParams, Empty>(
      service: service, name: "Start", kind: .unary)

    public static let stop = Method<Empty, ReconnectInfo>(
      service: service, name: "Stop", kind: .unary)

    /// The service as reflection describes it.
    public static let schema = SchemaService(
      "ReconnectService",
      [
        SchemaMethod(start),
        SchemaMethod(stop),
      ])
  }
}

extension SchemaFile {
  public static let grpcTesting = SchemaFile(
    "grpc/testing/test.proto", package: "grpc.testing",
    dependencies: [.grpcTestingEmpty, .grpcTestingMessages],
    services: [
      GRPCTesting.TestServiceMethods.schema, GRPCTesting.UnimplementedServiceMethods.schema,
      GRPCTesting.ReconnectServiceMethods.schema,
    ])
}
