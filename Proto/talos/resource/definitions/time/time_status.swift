// The binding of time.proto, which says what each field means.

public import ProtoCodec

extension Talos {
  /// TimeStatuses.v1alpha1.talos.dev
  public struct TimeStatusSpec: Message {
    public var synced = false
    public var epoch: Int64 = 0
    public var syncDisabled = false
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("talos.resource.definitions.time.StatusSpec") {
      Field.bool(1, "synced", \.synced)
      Field.int64(2, "epoch", \.epoch)
      Field.bool(3, "sync_disabled", \.syncDisabled)
    }
  }
}

extension SchemaFile {
  public static let talosTimeStatus = SchemaFile(
    "talos/resource/definitions/time/time.proto", package: "talos.resource.definitions.time",
    messages: [
      Talos.TimeStatusSpec.self
    ])
}
