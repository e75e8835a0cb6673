// The binding of status.proto, which says what each field means.

public import ProtoCodec

extension GoogleRPC {
  public struct Status: Message {
    public var code: Int32 = 0
    public var message = ""
    public var details: [AnyMessage] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("google.rpc.Status") {
      Field.int32(1, "code", \.code)
      Field.string(2, "message", \.message)
      Field.message(3, "details", \.details)
    }
  }
}

extension SchemaFile {
  public static let rpcStatus = SchemaFile(
    "google/rpc/status.proto", package: "google.rpc",
    dependencies: [.any],
    messages: [
      GoogleRPC.Status.self
    ])
}
