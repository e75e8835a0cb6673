public import ProtoCodec

// The options of google/protobuf/descriptor.proto that change how a schema is read.

/// Options of a message type.
public struct MessageOptions: Message {
  public var mapEntry: Bool?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("google.protobuf.MessageOptions") {
    Field.bool(7, "map_entry", \.mapEntry)
  }
}

/// Options of a field.
public struct FieldOptions: Message {
  public var packed: Bool?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("google.protobuf.FieldOptions") {
    Field.bool(2, "packed", \.packed)
  }
}

/// Options of an enum.
public struct EnumOptions: Message {
  public var allowAlias: Bool?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("google.protobuf.EnumOptions") {
    Field.bool(2, "allow_alias", \.allowAlias)
  }
}

/// Options of a method.
public struct MethodOptions: Message {
  public var idempotencyLevel: MethodIdempotency?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("google.protobuf.MethodOptions") {
    Field.enumeration(34, "idempotency_level", \.idempotencyLevel)
  }
}

/// How many values a field has.
public struct FieldLabel: ProtoEnum {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }
  public static let optional = Self(rawValue: 1)
  public static let required = Self(rawValue: 2)
  public static let repeated = Self(rawValue: 3)
  public static let type = EnumType(
    "google.protobuf.FieldDescriptorProto.Label",
    [(1, "LABEL_OPTIONAL"), (2, "LABEL_REQUIRED"), (3, "LABEL_REPEATED")])
}

/// The type of a field; the numbers are those of `FieldType`.
public struct FieldDescriptorType: ProtoEnum {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }
  public static let double = Self(rawValue: 1)
  public static let float = Self(rawValue: 2)
  public static let int64 = Self(rawValue: 3)
  public static let uint64 = Self(rawValue: 4)
  public static let int32 = Self(rawValue: 5)
  public static let fixed64 = Self(rawValue: 6)
  public static let fixed32 = Self(rawValue: 7)
  public static let bool = Self(rawValue: 8)
  public static let string = Self(rawValue: 9)
  public static let group = Self(rawValue: 10)
  public static let message = Self(rawValue: 11)
  public static let bytes = Self(rawValue: 12)
  public static let uint32 = Self(rawValue: 13)
  public static let enumeration = Self(rawValue: 14)
  public static let sfixed32 = Self(rawValue: 15)
  public static let sfixed64 = Self(rawValue: 16)
  public static let sint32 = Self(rawValue: 17)
  public static let sint64 = Self(rawValue: 18)
  public static let type = EnumType(
    "google.protobuf.FieldDescriptorProto.Type",
    [
      (1, "TYPE_DOUBLE"), (2, "TYPE_FLOAT"), (3, "TYPE_INT64"), (4, "TYPE_UINT64"),
      (5, "TYPE_INT32"), (6, "TYPE_FIXED64"), (7, "TYPE_FIXED32"), (8, "TYPE_BOOL"),
      (9, "TYPE_STRING"), (10, "TYPE_GROUP"), (11, "TYPE_MESSAGE"), (12, "TYPE_BYTES"),
      (13, "TYPE_UINT32"), (14, "TYPE_ENUM"), (15, "TYPE_SFIXED32"), (16, "TYPE_SFIXED64"),
      (17, "TYPE_SINT32"), (18, "TYPE_SINT64"),
    ])
}

/// What calling a method twice does.
public struct MethodIdempotency: ProtoEnum {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }
  public static let unknown = Self(rawValue: 0)
  public static let noSideEffects = Self(rawValue: 1)
  public static let idempotent = Self(rawValue: 2)
  public static let type = EnumType(
    "google.protobuf.MethodOptions.IdempotencyLevel",
    [(0, "IDEMPOTENCY_UNKNOWN"), (1, "NO_SIDE_EFFECTS"), (2, "IDEMPOTENT")])
}
