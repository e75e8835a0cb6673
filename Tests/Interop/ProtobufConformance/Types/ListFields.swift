import ProtoCodec
import Schema

extension TestAllTypesProto3 {
  @FieldTableBuilder<Self> static var repeatedFields: [Field<Self>] {
    Field.int32(31, "repeated_int32", \.repeatedInt32)
    Field.int64(32, "repeated_int64", \.repeatedInt64)
    Field.uint32(33, "repeated_uint32", \.repeatedUint32)
    Field.uint64(34, "repeated_uint64", \.repeatedUint64)
    Field.sint32(35, "repeated_sint32", \.repeatedSint32)
    Field.sint64(36, "repeated_sint64", \.repeatedSint64)
    Field.fixed32(37, "repeated_fixed32", \.repeatedFixed32)
    Field.fixed64(38, "repeated_fixed64", \.repeatedFixed64)
    Field.sfixed32(39, "repeated_sfixed32", \.repeatedSfixed32)
    Field.sfixed64(40, "repeated_sfixed64", \.repeatedSfixed64)
    Field.float(41, "repeated_float", \.repeatedFloat)
    Field.double(42, "repeated_double", \.repeatedDouble)
    Field.bool(43, "repeated_bool", \.repeatedBool)
    Field.string(44, "repeated_string", \.repeatedString)
    Field.bytes(45, "repeated_bytes", \.repeatedBytes)
    Field.message(48, "repeated_nested_message", \.repeatedNestedMessage)
    Field.message(49, "repeated_foreign_message", \.repeatedForeignMessage)
    Field.enumeration(51, "repeated_nested_enum", \.repeatedNestedEnum)
    Field.enumeration(52, "repeated_foreign_enum", \.repeatedForeignEnum)
    Field.string(54, "repeated_string_piece", \.repeatedStringPiece)
    Field.string(55, "repeated_cord", \.repeatedCord)
  }
}

extension TestAllTypesProto3 {
  @FieldTableBuilder<Self> static var packedFields: [Field<Self>] {
    Field.int32(75, "packed_int32", \.packedInt32)
    Field.int64(76, "packed_int64", \.packedInt64)
    Field.uint32(77, "packed_uint32", \.packedUint32)
    Field.uint64(78, "packed_uint64", \.packedUint64)
    Field.sint32(79, "packed_sint32", \.packedSint32)
    Field.sint64(80, "packed_sint64", \.packedSint64)
    Field.fixed32(81, "packed_fixed32", \.packedFixed32)
    Field.fixed64(82, "packed_fixed64", \.packedFixed64)
    Field.sfixed32(83, "packed_sfixed32", \.packedSfixed32)
    Field.sfixed64(84, "packed_sfixed64", \.packedSfixed64)
    Field.float(85, "packed_float", \.packedFloat)
    Field.double(86, "packed_double", \.packedDouble)
    Field.bool(87, "packed_bool", \.packedBool)
    Field.enumeration(88, "packed_nested_enum", \.packedNestedEnum)
  }
}

extension TestAllTypesProto3 {
  @FieldTableBuilder<Self> static var unpackedFields: [Field<Self>] {
    Field.int32(89, "unpacked_int32", \.unpackedInt32, packed: false)
    Field.int64(90, "unpacked_int64", \.unpackedInt64, packed: false)
    Field.uint32(91, "unpacked_uint32", \.unpackedUint32, packed: false)
    Field.uint64(92, "unpacked_uint64", \.unpackedUint64, packed: false)
    Field.sint32(93, "unpacked_sint32", \.unpackedSint32, packed: false)
    Field.sint64(94, "unpacked_sint64", \.unpackedSint64, packed: false)
    Field.fixed32(95, "unpacked_fixed32", \.unpackedFixed32, packed: false)
    Field.fixed64(96, "unpacked_fixed64", \.unpackedFixed64, packed: false)
    Field.sfixed32(97, "unpacked_sfixed32", \.unpackedSfixed32, packed: false)
    Field.sfixed64(98, "unpacked_sfixed64", \.unpackedSfixed64, packed: false)
    Field.float(99, "unpacked_float", \.unpackedFloat, packed: false)
    Field.double(100, "unpacked_double", \.unpackedDouble, packed: false)
    Field.bool(101, "unpacked_bool", \.unpackedBool, packed: false)
    Field.enumeration(102, "unpacked_nested_enum", \.unpackedNestedEnum, packed: false)
  }
}
