import ProtoCodec
import Schema

/// `TestAllTypesProto3.NestedMessage`.
struct NestedMessage: Message {
  var a: Int32 = 0
  @Indirect var corecursive: TestAllTypesProto3?
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>(
    "protobuf_test_messages.proto3.TestAllTypesProto3.NestedMessage"
  ) {
    Field.int32(1, "a", \.a)
    Field.message(2, "corecursive", \._corecursive)
  }
}

struct ForeignMessage: Message {
  var c: Int32 = 0
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("protobuf_test_messages.proto3.ForeignMessage") {
    Field.int32(1, "c", \.c)
  }
}

/// `TestAllTypesProto3.NestedEnum`.
struct NestedEnum: ProtoEnum {
  var rawValue: Int32
  static let type = EnumType(
    "protobuf_test_messages.proto3.TestAllTypesProto3.NestedEnum",
    [(0, "FOO"), (1, "BAR"), (2, "BAZ"), (-1, "NEG")])
}

struct ForeignEnum: ProtoEnum {
  var rawValue: Int32
  static let type = EnumType(
    "protobuf_test_messages.proto3.ForeignEnum",
    [(0, "FOREIGN_FOO"), (1, "FOREIGN_BAR"), (2, "FOREIGN_BAZ")])
}

/// `TestAllTypesProto3.AliasedEnum`.
struct AliasedEnum: ProtoEnum {
  var rawValue: Int32
  static let type = EnumType(
    "protobuf_test_messages.proto3.TestAllTypesProto3.AliasedEnum",
    [
      (0, "ALIAS_FOO"), (1, "ALIAS_BAR"), (2, "ALIAS_BAZ"), (2, "MOO"), (2, "moo"), (2, "bAz"),
    ])
}
