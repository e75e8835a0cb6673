// The binding of enums.proto, which says what each field means.

public import ProtoCodec

extension Talos {
  public struct MachineType: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let unknown = Self(rawValue: 0)
    public static let initNode = Self(rawValue: 1)
    public static let controlPlane = Self(rawValue: 2)
    public static let worker = Self(rawValue: 3)

    public static let type = EnumType(
      "talos.resource.definitions.enums.MachineType",
      [
        (0, "TYPE_UNKNOWN"),
        (1, "TYPE_INIT"),
        (2, "TYPE_CONTROL_PLANE"),
        (3, "TYPE_WORKER"),
      ])
  }

  public struct RuntimeMachineStage: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let unknown = Self(rawValue: 0)
    public static let booting = Self(rawValue: 1)
    public static let installing = Self(rawValue: 2)
    public static let maintenance = Self(rawValue: 3)
    public static let running = Self(rawValue: 4)
    public static let rebooting = Self(rawValue: 5)
    public static let shuttingDown = Self(rawValue: 6)
    public static let resetting = Self(rawValue: 7)
    public static let upgrading = Self(rawValue: 8)

    public static let type = EnumType(
      "talos.resource.definitions.enums.RuntimeMachineStage",
      [
        (0, "MACHINE_STAGE_UNKNOWN"),
        (1, "MACHINE_STAGE_BOOTING"),
        (2, "MACHINE_STAGE_INSTALLING"),
        (3, "MACHINE_STAGE_MAINTENANCE"),
        (4, "MACHINE_STAGE_RUNNING"),
        (5, "MACHINE_STAGE_REBOOTING"),
        (6, "MACHINE_STAGE_SHUTTING_DOWN"),
        (7, "MACHINE_STAGE_RESETTING"),
        (8, "MACHINE_STAGE_UPGRADING"),
      ])
  }
}

extension SchemaFile {
  public static let talosEnums = SchemaFile(
    "talos/resource/definitions/enums/enums.proto", package: "talos.resource.definitions.enums",
    enums: [
      Talos.MachineType.self, Talos.RuntimeMachineStage.self,
    ])
}
