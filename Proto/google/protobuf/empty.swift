public import ProtoCodec

/// A message without fields (google/protobuf/empty.proto).
public struct Empty: Message {
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("google.protobuf.Empty")
}

extension SchemaFile {
  public static let empty = SchemaFile(
    "google/protobuf/empty.proto", package: "google.protobuf", messages: [Empty.self])
}
