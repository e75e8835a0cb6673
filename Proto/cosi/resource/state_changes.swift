// The messages of state.proto with which a state is changed; it says what each field means.

public import ProtoCodec

extension Cosi {
  public struct CreateRequest: Message {
    public var resource: Resource?
    public var options: CreateOptions?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.CreateRequest") {
      Field.message(1, "resource", \.resource)
      Field.message(2, "options", \.options)
    }
  }

  public struct CreateOptions: Message {
    public var owner = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.CreateOptions") {
      Field.string(1, "owner", \.owner)
    }
  }

  public struct CreateResponse: Message {
    public var resource: Resource?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.CreateResponse") {
      Field.message(1, "resource", \.resource)
    }
  }

  public struct UpdateRequest: Message {
    public var newResource: Resource?
    public var options: UpdateOptions?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.UpdateRequest") {
      Field.message(2, "new_resource", \.newResource)
      Field.message(3, "options", \.options)
    }
  }

  public struct UpdateOptions: Message {
    public var owner = ""
    public var expectedPhase: String?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.UpdateOptions") {
      Field.string(1, "owner", \.owner)
      Field.string(2, "expected_phase", \.expectedPhase)
    }
  }

  public struct UpdateResponse: Message {
    public var resource: Resource?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.UpdateResponse") {
      Field.message(1, "resource", \.resource)
    }
  }

  public struct DestroyRequest: Message {
    public var namespace = ""
    public var type = ""
    public var id = ""
    public var options: DestroyOptions?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.DestroyRequest") {
      Field.string(1, "namespace", \.namespace)
      Field.string(2, "type", \.type)
      Field.string(3, "id", \.id)
      Field.message(4, "options", \.options)
    }
  }

  public struct DestroyOptions: Message {
    public var owner = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.DestroyOptions") {
      Field.string(1, "owner", \.owner)
    }
  }

  public struct DestroyResponse: Message {
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.DestroyResponse")
  }
}
