/// One received header block, in wire order, pseudo-header fields included.
///
/// Flat: all names and values in one array, with their ends. `ends[2i]` is where name `i` ends and
/// `ends[2i + 1]` where its value ends.
public struct HeaderBlock: Sendable {
  public var bytes: [UInt8] = []
  public var ends: [UInt32] = []
  /// The index of `:method`, and of `:path`; -1 where there is none.
  public var methodField = -1
  public var pathField = -1
  /// For a response: `:status` begins with 1, more heads will follow.
  public var isInformational = false

  mutating func append(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
    let index = ends.count / 2
    if unsafe name.count == 7 && name[0] == 0x3a && name[1] == 0x6d { methodField = index }
    if unsafe name.count == 5 && name[0] == 0x3a && name[1] == 0x70 { pathField = index }
    if unsafe name.count == 7 && name[0] == 0x3a && name[1] == 0x73 && value.first == 0x31
      && name[2] == 0x74
    {
      isInformational = true
    }
    unsafe bytes.append(contentsOf: name)
    ends.append(UInt32(bytes.count))
    unsafe bytes.append(contentsOf: value)
    ends.append(UInt32(bytes.count))
  }
}

/// Fields to send, in the same flat form as a `HeaderBlock`, or constant ones that need no copy.
public enum OutgoingHeaders: Sendable {
  case fields(bytes: [UInt8], ends: [UInt32])
  case constant(ConstantHeaders)
}
