// The binding of config.proto, which says what each field means.

public import ProtoCodec

extension Talos {
  /// MachineConfigs.config.talos.dev
  public struct MachineConfigSpec: Message {
    public var yamlMarshalled: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("resource.config.MachineConfigSpec") {
      Field.bytes(1, "yaml_marshalled", \.yamlMarshalled)
    }
  }

  public struct ConfigMachineType: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let unknown = Self(rawValue: 0)
    public static let initNode = Self(rawValue: 1)
    public static let controlPlane = Self(rawValue: 2)
    public static let worker = Self(rawValue: 3)

    public static let type = EnumType(
      "resource.config.MachineType",
      [
        (0, "UNKNOWN"),
        (1, "INIT"),
        (2, "CONTROL_PLANE"),
        (3, "WORKER"),
      ])
  }

  /// MachineTypes.config.talos.dev
  public struct MachineTypeSpec: Message {
    public var machineType = ConfigMachineType.unknown
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("resource.config.MachineTypeSpec") {
      Field.enumeration(1, "machine_type", \.machineType)
    }
  }
}

extension SchemaFile {
  public static let talosConfig = SchemaFile(
    "talos/resource/config/config.proto", package: "resource.config",
    messages: [
      Talos.MachineConfigSpec.self, Talos.MachineTypeSpec.self,
    ],
    enums: [
      Talos.ConfigMachineType.self
    ])
}
