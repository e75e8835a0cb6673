// The binding of state.proto, which says what each field means.

public import ProtoCodec
public import RPC

extension Cosi {
  public struct GetRequest: Message {
    public var namespace = ""
    public var type = ""
    public var id = ""
    public var options: GetOptions?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.GetRequest") {
      Field.string(1, "namespace", \.namespace)
      Field.string(2, "type", \.type)
      Field.string(3, "id", \.id)
      Field.message(4, "options", \.options)
    }
  }

  public struct GetOptions: Message {
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.GetOptions")
  }

  public struct GetResponse: Message {
    public var resource: Resource?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.GetResponse") {
      Field.message(1, "resource", \.resource)
    }
  }

  public struct ListRequest: Message {
    public var namespace = ""
    public var type = ""
    public var options: ListOptions?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.ListRequest") {
      Field.string(1, "namespace", \.namespace)
      Field.string(2, "type", \.type)
      Field.message(3, "options", \.options)
    }
  }

  public struct ListOptions: Message {
    public var labelQuery: [LabelQuery] = []
    public var idQuery: IDQuery?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.ListOptions") {
      Field.message(1, "label_query", \.labelQuery)
      Field.message(2, "id_query", \.idQuery)
    }
  }

  public struct ListResponse: Message {
    public var resource: Resource?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.ListResponse") {
      Field.message(1, "resource", \.resource)
    }
  }

  public struct WatchRequest: Message {
    public var namespace = ""
    public var type = ""
    public var id: String?
    public var options: WatchOptions?
    public var apiVersion: Int32 = 0
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.WatchRequest") {
      Field.string(1, "namespace", \.namespace)
      Field.string(2, "type", \.type)
      Field.string(3, "id", \.id)
      Field.message(4, "options", \.options)
      Field.int32(5, "api_version", \.apiVersion)
    }
  }

  public struct WatchOptions: Message {
    public var bootstrapContents = false
    public var tailEvents: Int32 = 0
    public var labelQuery: [LabelQuery] = []
    public var idQuery: IDQuery?
    public var aggregated = false
    public var startFromBookmark: [UInt8]?
    public var bootstrapBookmark = false
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.WatchOptions") {
      Field.bool(1, "bootstrap_contents", \.bootstrapContents)
      Field.int32(2, "tail_events", \.tailEvents)
      Field.message(3, "label_query", \.labelQuery)
      Field.message(4, "id_query", \.idQuery)
      Field.bool(5, "aggregated", \.aggregated)
      Field.bytes(6, "start_from_bookmark", \.startFromBookmark)
      Field.bool(7, "bootstrap_bookmark", \.bootstrapBookmark)
    }
  }

  public struct WatchResponse: Message {
    public var event: [Event] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.WatchResponse") {
      Field.message(1, "event", \.event)
    }
  }

  public struct EventType: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let created = Self(rawValue: 0)
    public static let updated = Self(rawValue: 1)
    public static let destroyed = Self(rawValue: 2)
    public static let bootstrapped = Self(rawValue: 3)
    public static let errored = Self(rawValue: 4)
    public static let noop = Self(rawValue: 5)

    public static let type = EnumType(
      "cosi.resource.EventType",
      [
        (0, "CREATED"),
        (1, "UPDATED"),
        (2, "DESTROYED"),
        (3, "BOOTSTRAPPED"),
        (4, "ERRORED"),
        (5, "NOOP"),
      ])
  }

  public struct Event: Message {
    public var resource: Resource?
    public var old: Resource?
    public var error: String?
    public var eventType = EventType.created
    public var bookmark: [UInt8]?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.Event") {
      Field.message(1, "resource", \.resource)
      Field.message(3, "old", \.old)
      Field.string(4, "error", \.error)
      Field.enumeration(2, "event_type", \.eventType)
      Field.bytes(5, "bookmark", \.bookmark)
    }
  }

  public enum StateMethods {
    public static let service = "cosi.resource.State"

    /// A new resource. PERMISSION_DENIED from outside.
    public static let create = Method<CreateRequest, CreateResponse>(
      service: service, name: "Create", kind: .unary)

    /// Another content of a resource. PERMISSION_DENIED from outside.
    public static let update = Method<UpdateRequest, UpdateResponse>(
      service: service, name: "Update", kind: .unary)

    /// A resource taken away. PERMISSION_DENIED from outside.
    public static let destroy = Method<DestroyRequest, DestroyResponse>(
      service: service, name: "Destroy", kind: .unary)

    /// One resource. NOT_FOUND if it does not exist.
    public static let get = Method<GetRequest, GetResponse>(
      service: service, name: "Get", kind: .unary)

    /// All resources of a type, one a message.
    public static let list = Method<ListRequest, ListResponse>(
      service: service, name: "List", kind: .serverStreaming)

    /// The changes of a type or of one resource. With an id, the first event is its current state.
    public static let watch = Method<WatchRequest, WatchResponse>(
      service: service, name: "Watch", kind: .serverStreaming)

    /// The service as reflection describes it.
    public static let schema = SchemaService(
      "State",
      [
        SchemaMethod(create),
        SchemaMethod(update),
        SchemaMethod(destroy),
        SchemaMethod(get),
        SchemaMethod(list),
        SchemaMethod(watch),
      ])
  }
}

extension SchemaFile {
  public static let cosiState = SchemaFile(
    "cosi/resource/state.proto", package: "cosi.resource",
    dependencies: [.cosiResource],
    messages: [
      Cosi.GetRequest.self, Cosi.GetOptions.self, Cosi.GetResponse.self, Cosi.ListRequest.self,
      Cosi.ListOptions.self, Cosi.ListResponse.self, Cosi.WatchRequest.self, Cosi.WatchOptions.self,
      Cosi.WatchResponse.self, Cosi.Event.self, Cosi.CreateRequest.self, Cosi.CreateOptions.self,
      Cosi.CreateResponse.self, Cosi.UpdateRequest.self, Cosi.UpdateOptions.self,
      Cosi.UpdateResponse.self, Cosi.DestroyRequest.self, Cosi.DestroyOptions.self,
      Cosi.DestroyResponse.self,
    ],
    enums: [
      Cosi.EventType.self
    ],
    services: [Cosi.StateMethods.schema])
}
