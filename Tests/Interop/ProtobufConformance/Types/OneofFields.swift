import ProtoCodec
import Schema

extension TestAllTypesProto3 {
  indirect enum Choice: Sendable, Equatable {
    case uint32(UInt32)
    case nestedMessage(NestedMessage)
    case string(String)
    case bytes([UInt8])
    case bool(Bool)
    case uint64(UInt64)
    case float(Float)
    case double(Double)
    case enumeration(NestedEnum)
    case nullValue(ProtoNullValue)
  }

  @FieldTableBuilder<Self> static var oneofFields: [Field<Self>] {
    Field.oneof("oneof_field", \.choice) {
      OneofCase.uint32(111, "oneof_uint32", Choice.uint32) {
        if case .uint32(let value) = $0 { value } else { nil }
      }
      OneofCase.message(112, "oneof_nested_message", Choice.nestedMessage) {
        if case .nestedMessage(let value) = $0 { value } else { nil }
      }
      OneofCase.string(113, "oneof_string", Choice.string) {
        if case .string(let value) = $0 { value } else { nil }
      }
      OneofCase.bytes(114, "oneof_bytes", Choice.bytes) {
        if case .bytes(let value) = $0 { value } else { nil }
      }
      OneofCase.bool(115, "oneof_bool", Choice.bool) {
        if case .bool(let value) = $0 { value } else { nil }
      }
      OneofCase.uint64(116, "oneof_uint64", Choice.uint64) {
        if case .uint64(let value) = $0 { value } else { nil }
      }
      OneofCase.float(117, "oneof_float", Choice.float) {
        if case .float(let value) = $0 { value } else { nil }
      }
      OneofCase.double(118, "oneof_double", Choice.double) {
        if case .double(let value) = $0 { value } else { nil }
      }
      OneofCase.enumeration(119, "oneof_enum", Choice.enumeration) {
        if case .enumeration(let value) = $0 { value } else { nil }
      }
      OneofCase.enumeration(120, "oneof_null_value", Choice.nullValue) {
        if case .nullValue(let value) = $0 { value } else { nil }
      }
    }
  }
}
