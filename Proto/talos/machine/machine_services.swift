// The binding of machine.proto, which says what each field means.

public import ProtoCodec

extension Talos {
  public struct ServiceList: Message {
    public var metadata: Metadata?
    public var services: [ServiceInfo] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.ServiceList") {
      Field.message(1, "metadata", \.metadata)
      Field.message(2, "services", \.services)
    }
  }

  public struct ServiceListResponse: Message {
    public var messages: [ServiceList] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.ServiceListResponse") {
      Field.message(1, "messages", \.messages)
    }
  }

  public struct ServiceInfo: Message {
    public var id = ""
    public var state = ""
    public var events: ServiceEvents?
    public var health: ServiceHealth?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.ServiceInfo") {
      Field.string(1, "id", \.id)
      Field.string(2, "state", \.state)
      Field.message(3, "events", \.events)
      Field.message(4, "health", \.health)
    }
  }

  public struct ServiceEvents: Message {
    public var events: [ServiceEvent] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.ServiceEvents") {
      Field.message(1, "events", \.events)
    }
  }

  public struct ServiceEvent: Message {
    public var msg = ""
    public var state = ""
    public var ts: Timestamp?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.ServiceEvent") {
      Field.string(1, "msg", \.msg)
      Field.string(2, "state", \.state)
      Field.message(3, "ts", \.ts)
    }
  }

  public struct ServiceHealth: Message {
    public var unknown = false
    public var healthy = false
    public var lastMessage = ""
    public var lastChange: Timestamp?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.ServiceHealth") {
      Field.bool(1, "unknown", \.unknown)
      Field.bool(2, "healthy", \.healthy)
      Field.string(3, "last_message", \.lastMessage)
      Field.message(4, "last_change", \.lastChange)
    }
  }

  public struct ServiceRestartRequest: Message {
    public var id = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.ServiceRestartRequest") {
      Field.string(1, "id", \.id)
    }
  }

  public struct ServiceRestart: Message {
    public var metadata: Metadata?
    public var resp = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.ServiceRestart") {
      Field.message(1, "metadata", \.metadata)
      Field.string(2, "resp", \.resp)
    }
  }

  public struct ServiceRestartResponse: Message {
    public var messages: [ServiceRestart] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.ServiceRestartResponse") {
      Field.message(1, "messages", \.messages)
    }
  }

  public struct RestartRequest: Message {
    public var namespace = ""
    public var id = ""
    public var driver = ContainerDriver.containerd
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.RestartRequest") {
      Field.string(1, "namespace", \.namespace)
      Field.string(2, "id", \.id)
      Field.enumeration(3, "driver", \.driver)
    }
  }

  public struct Restart: Message {
    public var metadata: Metadata?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.Restart") {
      Field.message(1, "metadata", \.metadata)
    }
  }

  public struct RestartResponse: Message {
    public var messages: [Restart] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.RestartResponse") {
      Field.message(1, "messages", \.messages)
    }
  }
}
