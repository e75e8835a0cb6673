// The binding of cluster.proto, which says what each field means.

public import ProtoCodec
public import RPC

extension Talos {
  public struct HealthCheckRequest: Message {
    public var waitTimeout: ProtoDuration?
    public var clusterInfo: ClusterInfo?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cluster.HealthCheckRequest") {
      Field.message(1, "wait_timeout", \.waitTimeout)
      Field.message(2, "cluster_info", \.clusterInfo)
    }
  }

  /// The machines to look at; where none are named, the members.
  public struct ClusterInfo: Message {
    public var controlPlaneNodes: [String] = []
    public var workerNodes: [String] = []
    public var forceEndpoint = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cluster.ClusterInfo") {
      Field.string(1, "control_plane_nodes", \.controlPlaneNodes)
      Field.string(2, "worker_nodes", \.workerNodes)
      Field.string(3, "force_endpoint", \.forceEndpoint)
    }
  }

  public struct HealthCheckProgress: Message {
    public var metadata: Metadata?
    public var message = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cluster.HealthCheckProgress") {
      Field.message(1, "metadata", \.metadata)
      Field.string(2, "message", \.message)
    }
  }

  public enum ClusterServiceMethods {
    public static let service = "cluster.ClusterService"

    /// Looks at one thing after another until each is well. Control planes only.
    public static let healthCheck = Method<HealthCheckRequest, HealthCheckProgress>(
      service: service, name: "HealthCheck", kind: .serverStreaming)

    /// The service as reflection describes it.
    public static let schema = SchemaService(
      "ClusterService",
      [
        SchemaMethod(healthCheck)
      ])
  }
}

extension SchemaFile {
  public static let talosHealth = SchemaFile(
    "talos/cluster/cluster.proto", package: "cluster",
    dependencies: [.duration, .talosCommon],
    messages: [
      Talos.HealthCheckRequest.self, Talos.ClusterInfo.self, Talos.HealthCheckProgress.self,
    ],
    services: [Talos.ClusterServiceMethods.schema])
}
