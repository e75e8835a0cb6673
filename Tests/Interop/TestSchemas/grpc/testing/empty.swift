// The binding of empty.proto, which says what each field means.

public import ProtoCodec

extension GRPCTesting {
  public struct Empty: Message {
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.testing.Empty")
  }
}

extension SchemaFile {
  public static let grpcTestingEmpty = SchemaFile(
    "grpc/testing/empty.proto", package: "grpc.testing",
    messages: [
      GRPCTesting.Empty.self
    ])
}
