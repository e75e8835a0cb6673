package import ProtoCodec
import Schema

/// The binding of `protobuf_test_messages.proto3.TestAllTypesProto3`, the message that protobuf's
/// conformance suite sends. How its fields are declared stands in the extensions.
package struct TestAllTypesProto3: Message {
  // Singular.
  var optionalInt32: Int32 = 0
  var optionalInt64: Int64 = 0
  var optionalUint32: UInt32 = 0
  var optionalUint64: UInt64 = 0
  var optionalSint32: Int32 = 0
  var optionalSint64: Int64 = 0
  var optionalFixed32: UInt32 = 0
  var optionalFixed64: UInt64 = 0
  var optionalSfixed32: Int32 = 0
  var optionalSfixed64: Int64 = 0
  var optionalFloat: Float = 0
  var optionalDouble: Double = 0
  var optionalBool = false
  var optionalString = ""
  var optionalBytes: [UInt8] = []
  var optionalNestedMessage: NestedMessage?
  var optionalForeignMessage: ForeignMessage?
  var optionalNestedEnum = NestedEnum(rawValue: 0)
  var optionalForeignEnum = ForeignEnum(rawValue: 0)
  var optionalAliasedEnum = AliasedEnum(rawValue: 0)
  var optionalStringPiece = ""
  var optionalCord = ""
  @Indirect var recursiveMessage: TestAllTypesProto3?

  // Lists in the default form.
  var repeatedInt32: [Int32] = []
  var repeatedInt64: [Int64] = []
  var repeatedUint32: [UInt32] = []
  var repeatedUint64: [UInt64] = []
  var repeatedSint32: [Int32] = []
  var repeatedSint64: [Int64] = []
  var repeatedFixed32: [UInt32] = []
  var repeatedFixed64: [UInt64] = []
  var repeatedSfixed32: [Int32] = []
  var repeatedSfixed64: [Int64] = []
  var repeatedFloat: [Float] = []
  var repeatedDouble: [Double] = []
  var repeatedBool: [Bool] = []
  var repeatedString: [String] = []
  var repeatedBytes: [[UInt8]] = []
  var repeatedNestedMessage: [NestedMessage] = []
  var repeatedForeignMessage: [ForeignMessage] = []
  var repeatedNestedEnum: [NestedEnum] = []
  var repeatedForeignEnum: [ForeignEnum] = []
  var repeatedStringPiece: [String] = []
  var repeatedCord: [String] = []

  // Maps.
  var mapInt32Int32: [Int32: Int32] = [:]
  var mapInt64Int64: [Int64: Int64] = [:]
  var mapUint32Uint32: [UInt32: UInt32] = [:]
  var mapUint64Uint64: [UInt64: UInt64] = [:]
  var mapSint32Sint32: [Int32: Int32] = [:]
  var mapSint64Sint64: [Int64: Int64] = [:]
  var mapFixed32Fixed32: [UInt32: UInt32] = [:]
  var mapFixed64Fixed64: [UInt64: UInt64] = [:]
  var mapSfixed32Sfixed32: [Int32: Int32] = [:]
  var mapSfixed64Sfixed64: [Int64: Int64] = [:]
  var mapInt32Float: [Int32: Float] = [:]
  var mapInt32Double: [Int32: Double] = [:]
  var mapBoolBool: [Bool: Bool] = [:]
  var mapStringString: [String: String] = [:]
  var mapStringBytes: [String: [UInt8]] = [:]
  var mapStringNestedMessage: [String: NestedMessage] = [:]
  var mapStringForeignMessage: [String: ForeignMessage] = [:]
  var mapStringNestedEnum: [String: NestedEnum] = [:]
  var mapStringForeignEnum: [String: ForeignEnum] = [:]

  // Lists said to be packed.
  var packedInt32: [Int32] = []
  var packedInt64: [Int64] = []
  var packedUint32: [UInt32] = []
  var packedUint64: [UInt64] = []
  var packedSint32: [Int32] = []
  var packedSint64: [Int64] = []
  var packedFixed32: [UInt32] = []
  var packedFixed64: [UInt64] = []
  var packedSfixed32: [Int32] = []
  var packedSfixed64: [Int64] = []
  var packedFloat: [Float] = []
  var packedDouble: [Double] = []
  var packedBool: [Bool] = []
  var packedNestedEnum: [NestedEnum] = []

  // Lists said not to be packed.
  var unpackedInt32: [Int32] = []
  var unpackedInt64: [Int64] = []
  var unpackedUint32: [UInt32] = []
  var unpackedUint64: [UInt64] = []
  var unpackedSint32: [Int32] = []
  var unpackedSint64: [Int64] = []
  var unpackedFixed32: [UInt32] = []
  var unpackedFixed64: [UInt64] = []
  var unpackedSfixed32: [Int32] = []
  var unpackedSfixed64: [Int64] = []
  var unpackedFloat: [Float] = []
  var unpackedDouble: [Double] = []
  var unpackedBool: [Bool] = []
  var unpackedNestedEnum: [NestedEnum] = []

  // Well-known types.
  var optionalBoolWrapper: BoolValue?
  var optionalInt32Wrapper: Int32Value?
  var optionalInt64Wrapper: Int64Value?
  var optionalUint32Wrapper: UInt32Value?
  var optionalUint64Wrapper: UInt64Value?
  var optionalFloatWrapper: FloatValue?
  var optionalDoubleWrapper: DoubleValue?
  var optionalStringWrapper: StringValue?
  var optionalBytesWrapper: BytesValue?
  var repeatedBoolWrapper: [BoolValue] = []
  var repeatedInt32Wrapper: [Int32Value] = []
  var repeatedInt64Wrapper: [Int64Value] = []
  var repeatedUint32Wrapper: [UInt32Value] = []
  var repeatedUint64Wrapper: [UInt64Value] = []
  var repeatedFloatWrapper: [FloatValue] = []
  var repeatedDoubleWrapper: [DoubleValue] = []
  var repeatedStringWrapper: [StringValue] = []
  var repeatedBytesWrapper: [BytesValue] = []
  var optionalDuration: ProtoDuration?
  var optionalTimestamp: Timestamp?
  var optionalFieldMask: FieldMask?
  var optionalStruct: ProtoStruct?
  var optionalAny: AnyMessage?
  var optionalValue: ProtoValue?
  var optionalNullValue = ProtoNullValue(rawValue: 0)
  var optionalEmpty: Empty?
  var repeatedDuration: [ProtoDuration] = []
  var repeatedTimestamp: [Timestamp] = []
  var repeatedFieldmask: [FieldMask] = []
  var repeatedAny: [AnyMessage] = []
  var repeatedValue: [ProtoValue] = []
  var repeatedListValue: [ProtoListValue] = []
  var repeatedEmpty: [Empty] = []
  var repeatedStruct: [ProtoStruct] = []

  // Names that test the rule for JSON names.
  var jsonName1: Int32 = 0
  var jsonName2: Int32 = 0
  var jsonName3: Int32 = 0
  var jsonName4: Int32 = 0
  var jsonName5: Int32 = 0
  var jsonName6: Int32 = 0
  var jsonName7: Int32 = 0
  var jsonName8: Int32 = 0
  var jsonName9: Int32 = 0
  var jsonName10: Int32 = 0
  var jsonName11: Int32 = 0
  var jsonName12: Int32 = 0
  var jsonName13: Int32 = 0
  var jsonName14: Int32 = 0
  var jsonName15: Int32 = 0
  var jsonName16: Int32 = 0
  var jsonName17: Int32 = 0
  var jsonName18: Int32 = 0

  var choice: Choice?
  package var unknownFields = UnknownFields()

  package init() {}

  package static let fields = FieldTable<Self>("protobuf_test_messages.proto3.TestAllTypesProto3") {
    singularFields
    Field.message(27, "recursive_message", \._recursiveMessage)
    repeatedFields
    mapFields
    packedFields
    unpackedFields
    oneofFields
    wellKnownFields
    namingFields
  }
}
