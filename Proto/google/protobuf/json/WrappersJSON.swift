public import ProtoCodec

// In JSON a wrapper is its value.

extension DoubleValue: WrapperMessage {}
extension FloatValue: WrapperMessage {}
extension Int64Value: WrapperMessage {}
extension UInt64Value: WrapperMessage {}
extension Int32Value: WrapperMessage {}
extension UInt32Value: WrapperMessage {}
extension BoolValue: WrapperMessage {}
extension StringValue: WrapperMessage {}
extension BytesValue: WrapperMessage {}
