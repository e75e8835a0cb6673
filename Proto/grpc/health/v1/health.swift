// The binding of health.proto, which says what each field means.

public import ProtoCodec
public import RPC

extension GRPCHealth {
  public struct HealthCheckRequest: Message {
    public var service = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.health.v1.HealthCheckRequest") {
      Field.string(1, "service", \.service)
    }
  }

  public struct HealthCheckResponse: Message {
    public var status = HealthCheckResponse.ServingStatus.unknown
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.health.v1.HealthCheckResponse") {
      Field.enumeration(1, "status", \.status)
    }

    public struct ServingStatus: ProtoEnum {
      public var rawValue: Int32
      public init(rawValue: Int32) { self.rawValue = rawValue }

      public static let unknown = Self(rawValue: 0)
      public static let serving = Self(rawValue: 1)
      public static let notServing = Self(rawValue: 2)
      public static let serviceUnknown = Self(rawValue: 3)

      public static let type = EnumType(
        "grpc.health.v1.HealthCheckResponse.ServingStatus",
        [
          (0, "UNKNOWN"),
          (1, "SERVING"),
          (2, "NOT_SERVING"),
          (3, "SERVICE_UNKNOWN"),
        ])
    }
  }

  public struct HealthListRequest: Message {
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.health.v1.HealthListRequest")
  }

  public struct HealthListResponse: Message {
    public var statuses: [String: HealthCheckResponse] = [:]
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.health.v1.HealthListResponse") {
      Field.map(1, "statuses", key: .string, value: .message, \.statuses)
    }
  }

  /// Says whether this server, or one service of it, can handle calls.
  public enum HealthMethods {
    public static let service = "grpc.health.v1.Health"

    /// The state of one service. NOT_FOUND if the service is not known.
    public static let check = Method<HealthCheckRequest, HealthCheckResponse>(
      service: service, name: "Check", kind: .unary)

    /// The states of all services that are known, the server as a whole among them.
    public static let list = Method<HealthListRequest, HealthListResponse>(
      service: service, name: "List", kind: .unary)

    /// The state of one service now, and again whenever it changes. A service that is not known is
    /// SERVICE_UNKNOWN, and the stream goes on.
    public static let watch = Method<HealthCheckRequest, HealthCheckResponse>(
      service: service, name: "Watch", kind: .serverStreaming)

    /// The service as reflection describes it.
    public static let schema = SchemaService(
      "Health",
      [
        SchemaMethod(check),
        SchemaMethod(list),
        SchemaMethod(watch),
      ])
  }
}

extension SchemaFile {
  public static let health = SchemaFile(
    "grpc/health/v1/health.proto", package: "grpc.health.v1",
    messages: [
      GRPCHealth.HealthCheckRequest.self, GRPCHealth.HealthCheckResponse.self,
      GRPCHealth.HealthListRequest.self, GRPCHealth.HealthListResponse.self,
    ],
    enums: [
      GRPCHealth.HealthCheckResponse.ServingStatus.self
    ],
    services: [GRPCHealth.HealthMethods.schema])
}
