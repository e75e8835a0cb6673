// The binding of v1alpha1.proto, which says what each field means.

public import ProtoCodec

extension Talos {
  /// Services.v1alpha1.talos.dev
  public struct ServiceSpec: Message {
    public var running = false
    public var healthy = false
    public var unknown = false
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("talos.resource.definitions.v1alpha1.ServiceSpec") {
      Field.bool(1, "running", \.running)
      Field.bool(2, "healthy", \.healthy)
      Field.bool(3, "unknown", \.unknown)
    }
  }
}

extension SchemaFile {
  public static let talosServices = SchemaFile(
    "talos/resource/definitions/v1alpha1/v1alpha1.proto",
    package: "talos.resource.definitions.v1alpha1",
    messages: [
      Talos.ServiceSpec.self
    ])
}
