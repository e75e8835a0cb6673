/// Writes the fields of a protobuf message one after another, for whoever needs one message and no codec.
public enum FieldWriter {
  /// Appends a string, bytes or a message, also an empty one.
  ///
  /// - Parameter number: 1 to 536,870,911.
  public static func append(_ number: Int, _ bytes: [UInt8], to message: inout [UInt8]) {
    appendVarint(UInt64(number) << 3 | 2, to: &message)
    appendVarint(UInt64(bytes.count), to: &message)
    message.append(contentsOf: bytes)
  }

  /// Appends an integer, also 0.
  ///
  /// - Parameter number: 1 to 536,870,911.
  public static func append(_ number: Int, varint value: UInt64, to message: inout [UInt8]) {
    appendVarint(UInt64(number) << 3, to: &message)
    appendVarint(value, to: &message)
  }

  private static func appendVarint(_ value: UInt64, to message: inout [UInt8]) {
    var value = value
    while value >= 0x80 {
      message.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    message.append(UInt8(value))
  }
}
