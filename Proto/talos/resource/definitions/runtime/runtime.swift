// The binding of runtime.proto, which says what each field means.

public import ProtoCodec

extension Talos {
  /// MachineStatuses.runtime.talos.dev
  public struct MachineStatusSpec: Message {
    public var stage = RuntimeMachineStage.unknown
    public var status: MachineStatusStatus?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>(
      "talos.resource.definitions.runtime.MachineStatusSpec"
    ) {
      Field.enumeration(1, "stage", \.stage)
      Field.message(2, "status", \.status)
    }
  }

  public struct MachineStatusStatus: Message {
    public var ready = false
    public var unmetConditions: [UnmetCondition] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>(
      "talos.resource.definitions.runtime.MachineStatusStatus"
    ) {
      Field.bool(1, "ready", \.ready)
      Field.message(2, "unmet_conditions", \.unmetConditions)
    }
  }

  /// Why a machine is not ready.
  public struct UnmetCondition: Message {
    public var name = ""
    public var reason = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("talos.resource.definitions.runtime.UnmetCondition")
    {
      Field.string(1, "name", \.name)
      Field.string(2, "reason", \.reason)
    }
  }
}

extension SchemaFile {
  public static let talosRuntime = SchemaFile(
    "talos/resource/definitions/runtime/runtime.proto",
    package: "talos.resource.definitions.runtime",
    dependencies: [.talosEnums],
    messages: [
      Talos.MachineStatusSpec.self, Talos.MachineStatusStatus.self, Talos.UnmetCondition.self,
    ])
}
