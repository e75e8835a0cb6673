// The binding of resource.proto, which says what each field means.

public import ProtoCodec

extension Cosi {
  public struct Metadata: Message {
    public var namespace = ""
    public var type = ""
    public var id = ""
    public var version = ""
    public var owner = ""
    public var phase = ""
    public var created: Timestamp?
    public var updated: Timestamp?
    public var finalizers: [String] = []
    public var annotations: [String: String] = [:]
    public var labels: [String: String] = [:]
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.Metadata") {
      Field.string(1, "namespace", \.namespace)
      Field.string(2, "type", \.type)
      Field.string(3, "id", \.id)
      Field.string(4, "version", \.version)
      Field.string(5, "owner", \.owner)
      Field.string(6, "phase", \.phase)
      Field.message(7, "created", \.created)
      Field.message(8, "updated", \.updated)
      Field.string(9, "finalizers", \.finalizers)
      Field.map(11, "annotations", key: .string, value: .string, \.annotations)
      Field.map(10, "labels", key: .string, value: .string, \.labels)
    }
  }

  public struct Spec: Message {
    public var protoSpec: [UInt8] = []
    public var yamlSpec = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.Spec") {
      Field.bytes(1, "proto_spec", \.protoSpec)
      Field.string(2, "yaml_spec", \.yamlSpec)
    }
  }

  public struct Resource: Message {
    public var metadata: Metadata?
    public var spec: Spec?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.Resource") {
      Field.message(1, "metadata", \.metadata)
      Field.message(2, "spec", \.spec)
    }
  }

  /// One condition on a label.
  public struct LabelTerm: Message {
    public var key = ""
    public var op = LabelTerm.Operation.exists
    public var value: [String] = []
    public var invert = false
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.LabelTerm") {
      Field.string(1, "key", \.key)
      Field.enumeration(2, "op", \.op)
      Field.string(3, "value", \.value)
      Field.bool(5, "invert", \.invert)
    }

    public struct Operation: ProtoEnum {
      public var rawValue: Int32
      public init(rawValue: Int32) { self.rawValue = rawValue }

      public static let exists = Self(rawValue: 0)
      public static let equal = Self(rawValue: 1)
      public static let notExists = Self(rawValue: 2)
      public static let `in` = Self(rawValue: 3)
      public static let lt = Self(rawValue: 4)
      public static let lte = Self(rawValue: 5)
      public static let ltNumeric = Self(rawValue: 6)
      public static let lteNumeric = Self(rawValue: 7)

      public static let type = EnumType(
        "cosi.resource.LabelTerm.Operation",
        [
          (0, "EXISTS"),
          (1, "EQUAL"),
          (2, "NOT_EXISTS"),
          (3, "IN"),
          (4, "LT"),
          (5, "LTE"),
          (6, "LT_NUMERIC"),
          (7, "LTE_NUMERIC"),
        ])
    }
  }

  /// Holds when all its terms hold.
  public struct LabelQuery: Message {
    public var terms: [LabelTerm] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.LabelQuery") {
      Field.message(1, "terms", \.terms)
    }
  }

  /// Holds when the expression matches the resource's id.
  public struct IDQuery: Message {
    public var regexp = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.IDQuery") {
      Field.string(1, "regexp", \.regexp)
    }
  }
}

extension SchemaFile {
  public static let cosiResource = SchemaFile(
    "cosi/resource/resource.proto", package: "cosi.resource",
    dependencies: [.timestamp],
    messages: [
      Cosi.Metadata.self, Cosi.Spec.self, Cosi.Resource.self, Cosi.LabelTerm.self,
      Cosi.LabelQuery.self, Cosi.IDQuery.self,
    ],
    enums: [
      Cosi.LabelTerm.Operation.self
    ])
}
