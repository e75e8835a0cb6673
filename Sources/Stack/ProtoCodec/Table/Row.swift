/// What the engine needs of one field. Plain data without references, so that walking a table costs
/// no reference counting.
@usableFromInline struct Row {
  /// The field's own tag: number and wire type.
  var tag: UInt32
  /// The tag's bytes on the wire, the first in the lowest byte.
  var tagBytes: UInt64
  /// The same at the upper end of the word, the last in the highest byte, as they are written.
  var tagWord: UInt64
  var tagCount: UInt8
  var code: RowCode
  var type: FieldType
  /// For a list of numbers, its packed form is written.
  var isPacked: Bool
  /// For `access` rows of oneofs: how the payload is coded once it is at hand.
  var payload: RowCode
  /// For a list of packable elements: the tag of the form that is not written.
  var otherTag: UInt32
  /// Bytes from the start of the message.
  var offset: Int
  /// The table of a message field. Set when the layout is linked.
  var table: UnsafePointer<CodingTable>?
  /// Kept alive by the layout.
  var access: Unmanaged<FieldAccess>?
  /// Position in the layout's list of fields.
  var index: Int

  var number: Int { Int(tag >> 3) }

  init(_ field: FieldDefinition, index: Int) {
    let number = UInt32(field.number)
    let element = number << 3 | field.type.wireType.rawValue
    let packed = number << 3 | WireType.lengthDelimited.rawValue
    let isList = field.isRepeated && field.type.isPackable
    isPacked = isList && field.isPacked
    tag = isPacked ? packed : element
    otherTag = !isList ? tag : isPacked ? element : packed
    (tagBytes, tagCount) = Row.bytes(of: tag)
    type = field.type
    tagWord = tagBytes << (8 * (8 - UInt64(tagCount)))
    code = RowCode(field.shape, field.type.coding)
    payload = RowCode(.always, field.type.coding)
    offset = field.offset
    table = nil
    access = field.access.map { Unmanaged.passUnretained($0) }
    self.index = index
  }

  private static func bytes(of tag: UInt32) -> (UInt64, UInt8) {
    var rest = tag
    var bytes: UInt64 = 0
    var count: UInt8 = 0
    while rest >= 0x80 {
      bytes |= UInt64(rest & 0x7F | 0x80) << (8 * UInt64(count))
      rest >>= 7
      count += 1
    }
    return (bytes | UInt64(rest) << (8 * UInt64(count)), count + 1)
  }
}

/// The rows of one message type, as the engine walks them. Lives as long as the program, as the
/// layout that owns it does.
@usableFromInline struct CodingTable {
  /// In the order of the field numbers.
  let rows: UnsafeMutablePointer<Row>
  let count: Int
  /// Rows by field number, for the numbers below `directCount`; the usual case.
  let direct: UnsafeMutablePointer<UnsafePointer<Row>?>
  let directCount: Int
  /// Where `unknownFields` stands in the message; -1 in map entries, which drop them.
  let unknownOffset: Int
  /// The message's name and cold data.
  let layout: Unmanaged<MessageLayout>

  /// The row of a field number that is not in `direct`.
  func search(_ number: UInt32) -> UnsafePointer<Row>? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if rows[middle].tag >> 3 < number { low = middle + 1 } else { high = middle }
    }
    return low < count && rows[low].tag >> 3 == number ? UnsafePointer(rows + low) : nil
  }
}
