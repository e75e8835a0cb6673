package import ProtoCodec
import Schema

extension TypeRegistry {
  /// The types that the suite puts into `Any`.
  package static let conformance = TypeRegistry([
    TestAllTypesProto3.self, ForeignMessage.self, NestedMessage.self,
    AnyMessage.self, ProtoDuration.self, Timestamp.self, FieldMask.self, Empty.self,
    ProtoStruct.self, ProtoValue.self, ProtoListValue.self,
    BoolValue.self, Int32Value.self, Int64Value.self, UInt32Value.self, UInt64Value.self,
    FloatValue.self, DoubleValue.self, StringValue.self, BytesValue.self,
  ])
}
