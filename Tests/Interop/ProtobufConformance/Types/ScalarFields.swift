import ProtoCodec
import Schema

extension TestAllTypesProto3 {
  @FieldTableBuilder<Self> static var singularFields: [Field<Self>] {
    Field.int32(1, "optional_int32", \.optionalInt32)
    Field.int64(2, "optional_int64", \.optionalInt64)
    Field.uint32(3, "optional_uint32", \.optionalUint32)
    Field.uint64(4, "optional_uint64", \.optionalUint64)
    Field.sint32(5, "optional_sint32", \.optionalSint32)
    Field.sint64(6, "optional_sint64", \.optionalSint64)
    Field.fixed32(7, "optional_fixed32", \.optionalFixed32)
    Field.fixed64(8, "optional_fixed64", \.optionalFixed64)
    Field.sfixed32(9, "optional_sfixed32", \.optionalSfixed32)
    Field.sfixed64(10, "optional_sfixed64", \.optionalSfixed64)
    Field.float(11, "optional_float", \.optionalFloat)
    Field.double(12, "optional_double", \.optionalDouble)
    Field.bool(13, "optional_bool", \.optionalBool)
    Field.string(14, "optional_string", \.optionalString)
    Field.bytes(15, "optional_bytes", \.optionalBytes)
    Field.message(18, "optional_nested_message", \.optionalNestedMessage)
    Field.message(19, "optional_foreign_message", \.optionalForeignMessage)
    Field.enumeration(21, "optional_nested_enum", \.optionalNestedEnum)
    Field.enumeration(22, "optional_foreign_enum", \.optionalForeignEnum)
    Field.enumeration(23, "optional_aliased_enum", \.optionalAliasedEnum)
    Field.string(24, "optional_string_piece", \.optionalStringPiece)
    Field.string(25, "optional_cord", \.optionalCord)
  }
}

extension TestAllTypesProto3 {
  @FieldTableBuilder<Self> static var namingFields: [Field<Self>] {
    Field.int32(401, "fieldname1", \.jsonName1)
    Field.int32(402, "field_name2", \.jsonName2)
    Field.int32(403, "_field_name3", \.jsonName3)
    Field.int32(404, "field__name4_", \.jsonName4)
    Field.int32(405, "field0name5", \.jsonName5)
    Field.int32(406, "field_0_name6", \.jsonName6)
    Field.int32(407, "fieldName7", \.jsonName7)
    Field.int32(408, "FieldName8", \.jsonName8)
    Field.int32(409, "field_Name9", \.jsonName9)
    Field.int32(410, "Field_Name10", \.jsonName10)
    Field.int32(411, "FIELD_NAME11", \.jsonName11)
    Field.int32(412, "FIELD_name12", \.jsonName12)
    Field.int32(413, "__field_name13", \.jsonName13)
    Field.int32(414, "__Field_name14", \.jsonName14)
    Field.int32(415, "field__name15", \.jsonName15)
    Field.int32(416, "field__Name16", \.jsonName16)
    Field.int32(417, "field_name17__", \.jsonName17)
    Field.int32(418, "Field_name18__", \.jsonName18)
  }
}
