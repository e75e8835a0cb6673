public import ProtoCodec

/// Paths of fields (google/protobuf/field_mask.proto).
public struct FieldMask: Message {
  /// Names of the .proto, joined by dots.
  public var paths: [String] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public init(paths: [String]) { self.paths = paths }

  public static let fields = FieldTable<Self>("google.protobuf.FieldMask") {
    Field.string(1, "paths", \.paths)
  }
}

extension SchemaFile {
  public static let fieldMask = SchemaFile(
    "google/protobuf/field_mask.proto", package: "google.protobuf", messages: [FieldMask.self])
}
