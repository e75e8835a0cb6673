// The binding of siderolink.proto, which says what each field means.

public import ProtoCodec

extension Talos {
  /// SiderolinkConfigs.siderolink.talos.dev
  public struct SideroLinkConfigSpec: Message {
    public var apiEndpoint = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("talos.resource.definitions.siderolink.ConfigSpec")
    {
      Field.string(1, "api_endpoint", \.apiEndpoint)
    }
  }
}

extension SchemaFile {
  public static let talosSideroLink = SchemaFile(
    "talos/resource/definitions/siderolink/siderolink.proto",
    package: "talos.resource.definitions.siderolink",
    messages: [
      Talos.SideroLinkConfigSpec.self
    ])
}
