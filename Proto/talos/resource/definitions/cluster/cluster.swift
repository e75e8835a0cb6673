// The binding of cluster.proto, which says what each field means.

public import ProtoCodec

extension Talos {
  /// Identities.cluster.talos.dev: the machine's own node identity.
  public struct IdentitySpec: Message {
    public var nodeID = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("talos.resource.definitions.cluster.IdentitySpec") {
      Field.string(1, "node_id", \.nodeID)
    }
  }

  /// What is known of a control plane.
  public struct ControlPlane: Message {
    public var apiServerPort: Int64 = 0
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("talos.resource.definitions.cluster.ControlPlane") {
      Field.int64(1, "api_server_port", \.apiServerPort)
    }
  }

  /// Members.cluster.talos.dev
  public struct MemberSpec: Message {
    public var nodeID = ""
    public var addresses: [NetIP] = []
    public var hostname = ""
    public var machineType = MachineType.unknown
    public var operatingSystem = ""
    public var controlPlane: ControlPlane?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("talos.resource.definitions.cluster.MemberSpec") {
      Field.string(1, "node_id", \.nodeID)
      Field.message(2, "addresses", \.addresses)
      Field.string(3, "hostname", \.hostname)
      Field.enumeration(4, "machine_type", \.machineType)
      Field.string(5, "operating_system", \.operatingSystem)
      Field.message(6, "control_plane", \.controlPlane)
    }
  }
}

extension SchemaFile {
  public static let talosCluster = SchemaFile(
    "talos/resource/definitions/cluster/cluster.proto",
    package: "talos.resource.definitions.cluster",
    dependencies: [.talosCommon, .talosEnums],
    messages: [
      Talos.ControlPlane.self, Talos.IdentitySpec.self, Talos.MemberSpec.self,
    ])
}
