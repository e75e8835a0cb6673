/// Reads the fields of a protobuf message one after another, for whoever needs one message and no codec.
///
/// A peer's malformed bytes give the fields that stand before the fault.
public struct FieldCursor {
  public enum Content: Hashable {
    case varint(UInt64)
    /// Eight bytes, little-endian.
    case fixed64(UInt64)
    /// Four bytes, little-endian.
    case fixed32(UInt32)
    /// A string, bytes or a message.
    case bytes(ArraySlice<UInt8>)
  }

  public struct Field: Hashable {
    public var number: Int
    public var content: Content

    /// The bytes of a field that has some.
    public var bytes: ArraySlice<UInt8>? {
      if case .bytes(let bytes) = content { return bytes }
      return nil
    }
  }

  private var rest: ArraySlice<UInt8>

  public init(_ message: ArraySlice<UInt8>) { rest = message }

  /// The next field; nil at the end of the message, and from the first fault on.
  public mutating func next() -> Field? {
    guard let tag = readVarint(), (1...536_870_911).contains(tag >> 3),
      let content = readContent(wireType: tag & 7)
    else {
      rest = []
      return nil
    }
    return Field(number: Int(tag >> 3), content: content)
  }

  private mutating func readContent(wireType: UInt64) -> Content? {
    switch wireType {
    case 0: return readVarint().map { .varint($0) }
    case 1: return readFixed(8).map { .fixed64($0) }
    case 2:
      guard let length = readVarint(), length <= UInt64(rest.count) else { return nil }
      let bytes = rest.prefix(Int(length))
      rest = rest.dropFirst(Int(length))
      return .bytes(bytes)
    case 5: return readFixed(4).map { .fixed32(UInt32(truncatingIfNeeded: $0)) }
    // Groups, which proto3 has not, and the two numbers that nothing has.
    default: return nil
    }
  }

  /// At most ten bytes; bits beyond the 64th are dropped.
  private mutating func readVarint() -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = rest.popFirst() else { return nil }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    return nil
  }

  private mutating func readFixed(_ count: Int) -> UInt64? {
    guard rest.count >= count else { return nil }
    let value = rest.prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    rest = rest.dropFirst(count)
    return value
  }
}
