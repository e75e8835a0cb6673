// The binding of meta.proto, which says what each field means.

public import ProtoCodec

extension Cosi {
  public struct NamespaceSpec: Message {
    public var description = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.meta.NamespaceSpec") {
      Field.string(1, "description", \.description)
    }
  }

  public struct ResourceDefinitionSpec: Message {
    public var resourceType = ""
    public var displayType = ""
    public var defaultNamespace = ""
    public var aliases: [String] = []
    public var allAliases: [String] = []
    public var printColumns: [PrintColumn] = []
    public var sensitivity = Sensitivity.nonSensitive
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("cosi.resource.meta.ResourceDefinitionSpec") {
      Field.string(1, "resource_type", \.resourceType)
      Field.string(2, "display_type", \.displayType)
      Field.string(3, "default_namespace", \.defaultNamespace)
      Field.string(4, "aliases", \.aliases)
      Field.string(5, "all_aliases", \.allAliases)
      Field.message(6, "print_columns", \.printColumns)
      Field.enumeration(7, "sensitivity", \.sensitivity)
    }

    public struct PrintColumn: Message {
      public var name = ""
      public var jsonPath = ""
      public var unknownFields = UnknownFields()

      public init() {}

      public static let fields = FieldTable<Self>(
        "cosi.resource.meta.ResourceDefinitionSpec.PrintColumn"
      ) {
        Field.string(1, "name", \.name)
        Field.string(2, "json_path", \.jsonPath)
      }
    }

    public struct Sensitivity: ProtoEnum {
      public var rawValue: Int32
      public init(rawValue: Int32) { self.rawValue = rawValue }

      public static let nonSensitive = Self(rawValue: 0)
      public static let sensitive = Self(rawValue: 1)

      public static let type = EnumType(
        "cosi.resource.meta.ResourceDefinitionSpec.Sensitivity",
        [
          (0, "NON_SENSITIVE"),
          (1, "SENSITIVE"),
        ])
    }
  }
}

extension SchemaFile {
  public static let cosiMeta = SchemaFile(
    "cosi/resource/meta.proto", package: "cosi.resource.meta",
    messages: [
      Cosi.NamespaceSpec.self, Cosi.ResourceDefinitionSpec.self,
      Cosi.ResourceDefinitionSpec.PrintColumn.self,
    ],
    enums: [
      Cosi.ResourceDefinitionSpec.Sensitivity.self
    ])
}
