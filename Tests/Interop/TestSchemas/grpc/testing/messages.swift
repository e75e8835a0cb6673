// The binding of messages.proto, which says what each field means.

public import ProtoCodec

extension GRPCTesting {
  /// A bool that can be absent.
  public struct BoolValue: Message {
    public var value = false
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.testing.BoolValue") {
      Field.bool(1, "value", \.value)
    }
  }

  public struct PayloadType: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let compressable = Self(rawValue: 0)

    public static let type = EnumType(
      "grpc.testing.PayloadType",
      [
        (0, "COMPRESSABLE")
      ])
  }

  public struct Payload: Message {
    public var type = PayloadType.compressable
    public var body: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.testing.Payload") {
      Field.enumeration(1, "type", \.type)
      Field.bytes(2, "body", \.body)
    }
  }

  /// The status that the server shall end the call with.
  public struct EchoStatus: Message {
    public var code: Int32 = 0
    public var message = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.testing.EchoStatus") {
      Field.int32(1, "code", \.code)
      Field.string(2, "message", \.message)
    }
  }

  public struct GrpclbRouteType: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let unknown = Self(rawValue: 0)
    public static let fallback = Self(rawValue: 1)
    public static let backend = Self(rawValue: 2)

    public static let type = EnumType(
      "grpc.testing.GrpclbRouteType",
      [
        (0, "GRPCLB_ROUTE_TYPE_UNKNOWN"),
        (1, "GRPCLB_ROUTE_TYPE_FALLBACK"),
        (2, "GRPCLB_ROUTE_TYPE_BACKEND"),
      ])
  }

  public struct SimpleRequest: Message {
    public var responseType = PayloadType.compressable
    public var responseSize: Int32 = 0
    public var payload: Payload?
    public var fillUsername = false
    public var fillOauthScope = false
    public var responseCompressed: BoolValue?
    public var responseStatus: EchoStatus?
    public var expectCompressed: BoolValue?
    public var fillServerID = false
    public var fillGrpclbRouteType = false
    public var orcaPerQueryReport: TestOrcaReport?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.testing.SimpleRequest") {
      Field.enumeration(1, "response_type", \.responseType)
      Field.int32(2, "response_size", \.responseSize)
      Field.message(3, "payload", \.payload)
      Field.bool(4, "fill_username", \.fillUsername)
      Field.bool(5, "fill_oauth_scope", \.fillOauthScope)
      Field.message(6, "response_compressed", \.responseCompressed)
      Field.message(7, "response_status", \.responseStatus)
      Field.message(8, "expect_compressed", \.expectCompressed)
      Field.bool(9, "fill_server_id", \.fillServerID)
      Field.bool(10, "fill_grpclb_route_type", \.fillGrpclbRouteType)
      Field.message(11, "orca_per_query_report", \.orcaPerQueryReport)
    }
  }

  public struct SimpleResponse: Message {
    public var payload: Payload?
    public var username = ""
    public var oauthScope = ""
    public var serverID = ""
    public var grpclbRouteType = GrpclbRouteType.unknown
    public var hostname = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.testing.SimpleResponse") {
      Field.message(1, "payload", \.payload)
      Field.string(2, "username", \.username)
      Field.string(3, "oauth_scope", \.oauthScope)
      Field.string(4, "server_id", \.serverID)
      Field.enumeration(5, "grpclb_route_type", \.grpclbRouteType)
      Field.string(6, "hostname", \.hostname)
    }
  }

  public struct StreamingInputCallRequest: Message {
    public var payload: Payload?
    public var expectCompressed: BoolValue?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.testing.StreamingInputCallRequest") {
      Field.message(1, "payload", \.payload)
      Field.message(2, "expect_compressed", \.expectCompressed)
    }
  }

  public struct StreamingInputCallResponse: Message {
    public var aggregatedPayloadSize: Int32 = 0
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.testing.StreamingInputCallResponse") {
      Field.int32(1, "aggregated_payload_size", \.aggregatedPayloadSize)
    }
  }

  public struct ResponseParameters: Message {
    public var size: Int32 = 0
    public var intervalUS: Int32 = 0
    public var compressed: BoolValue?
    public var fillPeerSocketAddress: BoolValue?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.testing.ResponseParameters") {
      Field.int32(1, "size", \.size)
      Field.int32(2, "interval_us", \.intervalUS)
      Field.message(3, "compressed", \.compressed)
      Field.message(4, "fill_peer_socket_address", \.fillPeerSocketAddress)
    }
  }

  public struct StreamingOutputCallRequest: Message {
    public var responseType = PayloadType.compressable
    public var responseParameters: [ResponseParameters] = []
    public var payload: Payload?
    public var responseStatus: EchoStatus?
    public var orcaOobReport: TestOrcaReport?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.testing.StreamingOutputCallRequest") {
      Field.enumeration(1, "response_type", \.responseType)
      Field.message(2, "response_parameters", \.responseParameters)
      Field.message(3, "payload", \.payload)
      Field.message(7, "response_status", \.responseStatus)
      Field.message(8, "orca_oob_report", \.orcaOobReport)
    }
  }

  public struct StreamingOutputCallResponse: Message {
    public var payload: Payload?
    public var peerSocketAddress = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.testing.StreamingOutputCallResponse") {
      Field.message(1, "payload", \.payload)
      Field.string(2, "peer_socket_address", \.peerSocketAddress)
    }
  }

  public struct ReconnectParams: Message {
    public var maxReconnectBackoffMS: Int32 = 0
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.testing.ReconnectParams") {
      Field.int32(1, "max_reconnect_backoff_ms", \.maxReconnectBackoffMS)
    }
  }

  public struct ReconnectInfo: Message {
    public var passed = false
    public var backoffMS: [Int32] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.testing.ReconnectInfo") {
      Field.bool(1, "passed", \.passed)
      Field.int32(2, "backoff_ms", \.backoffMS)
    }
  }

  public struct TestOrcaReport: Message {
    public var cpuUtilization = 0.0
    public var memoryUtilization = 0.0
    public var requestCost: [String: Double] = [:]
    public var utilization: [String: Double] = [:]
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.testing.TestOrcaReport") {
      Field.double(1, "cpu_utilization", \.cpuUtilization)
      Field.double(2, "memory_utilization", \.memoryUtilization)
      Field.map(3, "request_cost", key: .string, value: .double, \.requestCost)
      Field.map(4, "utilization", key: .string, value: .double, \.utilization)
    }
  }
}

extension SchemaFile {
  public static let grpcTestingMessages = SchemaFile(
    "grpc/testing/messages.proto", package: "grpc.testing",
    messages: [
      GRPCTesting.BoolValue.self, GRPCTesting.Payload.self, GRPCTesting.EchoStatus.self,
      GRPCTesting.SimpleRequest.self, GRPCTesting.SimpleResponse.self,
      GRPCTesting.StreamingInputCallRequest.self, GRPCTesting.StreamingInputCallResponse.self,
      GRPCTesting.ResponseParameters.self, GRPCTesting.StreamingOutputCallRequest.self,
      GRPCTesting.StreamingOutputCallResponse.self, GRPCTesting.ReconnectParams.self,
      GRPCTesting.ReconnectInfo.self, GRPCTesting.TestOrcaReport.self,
    ],
    enums: [
      GRPCTesting.PayloadType.self, GRPCTesting.GrpclbRouteType.self,
    ])
}
