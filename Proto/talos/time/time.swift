// The binding of time.proto, which says what each field means.

public import ProtoCodec
public import RPC

extension Talos {
  public struct TimeRequest: Message {
    public var server = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("time.TimeRequest") {
      Field.string(1, "server", \.server)
    }
  }

  public struct Time: Message {
    public var metadata: Metadata?
    public var server = ""
    public var localtime: Timestamp?
    public var remotetime: Timestamp?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("time.Time") {
      Field.message(1, "metadata", \.metadata)
      Field.string(2, "server", \.server)
      Field.message(3, "localtime", \.localtime)
      Field.message(4, "remotetime", \.remotetime)
    }
  }

  public struct TimeResponse: Message {
    public var messages: [Time] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("time.TimeResponse") {
      Field.message(1, "messages", \.messages)
    }
  }

  public enum TimeServiceMethods {
    public static let service = "time.TimeService"

    /// The machine's clock beside that of its time server.
    public static let time = Method<Empty, TimeResponse>(
      service: service, name: "Time", kind: .unary)

    /// The machine's clock beside that of a time server that the caller names.
    public static let timeCheck = Method<TimeRequest, TimeResponse>(
      service: service, name: "TimeCheck", kind: .unary)

    /// The service as reflection describes it.
    public static let schema = SchemaService(
      "TimeService",
      [
        SchemaMethod(time),
        SchemaMethod(timeCheck),
      ])
  }
}

extension SchemaFile {
  public static let talosTime = SchemaFile(
    "talos/time/time.proto", package: "time",
    dependencies: [.empty, .timestamp, .talosCommon],
    messages: [
      Talos.TimeRequest.self, Talos.Time.self, Talos.TimeResponse.self,
    ],
    services: [Talos.TimeServiceMethods.schema])
}
