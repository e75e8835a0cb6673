public import ProtoCodec

/// A JSON object as a message (google/protobuf/struct.proto).
public struct ProtoStruct: Message {
  public var fieldValues: [String: ProtoValue] = [:]
  public var unknownFields = UnknownFields()

  public init() {}

  public init(_ fieldValues: [String: ProtoValue]) { self.fieldValues = fieldValues }

  public static let fields = FieldTable<Self>("google.protobuf.Struct") {
    Field.map(1, "fields", key: .string, value: .message, \.fieldValues)
  }
}

/// A JSON value as a message.
public struct ProtoValue: Message {
  public indirect enum Kind: Sendable, Equatable {
    case null(ProtoNullValue)
    case number(Double)
    case string(String)
    case bool(Bool)
    case structure(ProtoStruct)
    case list(ProtoListValue)
  }

  /// Always set in a valid value.
  public var kind: Kind?
  public var unknownFields = UnknownFields()

  public init() {}

  public init(_ kind: Kind) { self.kind = kind }

  public static let fields = FieldTable<Self>("google.protobuf.Value") {
    Field.oneof("kind", \.kind) {
      OneofCase.enumeration(1, "null_value", Kind.null) {
        if case .null(let value) = $0 { value } else { nil }
      }
      OneofCase.double(2, "number_value", Kind.number) {
        if case .number(let value) = $0 { value } else { nil }
      }
      OneofCase.string(3, "string_value", Kind.string) {
        if case .string(let value) = $0 { value } else { nil }
      }
      OneofCase.bool(4, "bool_value", Kind.bool) {
        if case .bool(let value) = $0 { value } else { nil }
      }
      OneofCase.message(5, "struct_value", Kind.structure) {
        if case .structure(let value) = $0 { value } else { nil }
      }
      OneofCase.message(6, "list_value", Kind.list) {
        if case .list(let value) = $0 { value } else { nil }
      }
    }
  }
}

/// A JSON array as a message.
public struct ProtoListValue: Message {
  public var values: [ProtoValue] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public init(_ values: [ProtoValue]) { self.values = values }

  public static let fields = FieldTable<Self>("google.protobuf.ListValue") {
    Field.message(1, "values", \.values)
  }
}

/// JSON's null.
public struct ProtoNullValue: ProtoEnum {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }
  public static let null = Self(rawValue: 0)
  public static let type = EnumType("google.protobuf.NullValue", [(0, "NULL_VALUE")])
}

extension SchemaFile {
  public static let structure = SchemaFile(
    "google/protobuf/struct.proto", package: "google.protobuf",
    messages: [ProtoStruct.self, ProtoValue.self, ProtoListValue.self],
    enums: [ProtoNullValue.self])
}
