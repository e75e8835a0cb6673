import ProtoCodec
import Schema

extension TestAllTypesProto3 {
  @FieldTableBuilder<Self> static var mapFields: [Field<Self>] {
    Field.map(56, "map_int32_int32", key: .int32, value: .int32, \.mapInt32Int32)
    Field.map(57, "map_int64_int64", key: .int64, value: .int64, \.mapInt64Int64)
    Field.map(58, "map_uint32_uint32", key: .uint32, value: .uint32, \.mapUint32Uint32)
    Field.map(59, "map_uint64_uint64", key: .uint64, value: .uint64, \.mapUint64Uint64)
    Field.map(60, "map_sint32_sint32", key: .sint32, value: .sint32, \.mapSint32Sint32)
    Field.map(61, "map_sint64_sint64", key: .sint64, value: .sint64, \.mapSint64Sint64)
    Field.map(62, "map_fixed32_fixed32", key: .fixed32, value: .fixed32, \.mapFixed32Fixed32)
    Field.map(63, "map_fixed64_fixed64", key: .fixed64, value: .fixed64, \.mapFixed64Fixed64)
    Field.map(64, "map_sfixed32_sfixed32", key: .sfixed32, value: .sfixed32, \.mapSfixed32Sfixed32)
    Field.map(65, "map_sfixed64_sfixed64", key: .sfixed64, value: .sfixed64, \.mapSfixed64Sfixed64)
    Field.map(66, "map_int32_float", key: .int32, value: .float, \.mapInt32Float)
    Field.map(67, "map_int32_double", key: .int32, value: .double, \.mapInt32Double)
    Field.map(68, "map_bool_bool", key: .bool, value: .bool, \.mapBoolBool)
    Field.map(69, "map_string_string", key: .string, value: .string, \.mapStringString)
    Field.map(70, "map_string_bytes", key: .string, value: .bytes, \.mapStringBytes)
    Field.map(
      71, "map_string_nested_message", key: .string, value: .message, \.mapStringNestedMessage)
    Field.map(
      72, "map_string_foreign_message", key: .string, value: .message, \.mapStringForeignMessage)
    Field.map(
      73, "map_string_nested_enum", key: .string, value: .enumeration, \.mapStringNestedEnum)
    Field.map(
      74, "map_string_foreign_enum", key: .string, value: .enumeration, \.mapStringForeignEnum)
  }
}
