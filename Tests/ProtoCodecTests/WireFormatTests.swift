import ProtoCodec
import Testing

/// Bytes from hexadecimal, blanks ignored.
func hex(_ text: String) -> [UInt8] {
  let digits = text.utf8.filter { $0 != UInt8(ascii: " ") }
  return stride(from: 0, to: digits.count, by: 2).map { position in
    UInt8(String(decoding: digits[position..<(position + 2)], as: UTF8.self), radix: 16)!
  }
}

/// A length-delimited field with a number below 16.
func block(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
  var length: [UInt8] = []
  var rest = content.count
  while rest >= 0x80 {
    length.append(UInt8(rest & 0x7F | 0x80))
    rest >>= 7
  }
  return [number << 3 | 2] + length + [UInt8(rest)] + content
}

@Suite("Binary format")
struct WireFormatTests {
  @Test("Zero is left out, minus zero is not")
  func zero() throws {
    var message = Scalars()
    #expect(message.serialized() == [])
    message.doubleValue = -0.0
    message.floatValue = -0.0
    #expect(message.serialized() == hex("09 0000000000000080 15 00000080"))
    let read = try Scalars(serialized: message.serialized())
    #expect(read.doubleValue.sign == .minus && read.floatValue.sign == .minus)
  }

  @Test("What is optional is written when it is set, be it to zero")
  func presence() throws {
    var message = Optionals()
    message.int32Value = 0
    message.stringValue = ""
    message.boolValue = false
    message.bytesValue = []
    message.colorValue = .unspecified
    #expect(message.serialized() == hex("1800 6800 7200 7a00 800100"))
    let read = try Optionals(serialized: message.serialized())
    #expect(read == message)
    #expect(read.int64Value == nil && read.doubleValue == nil)
  }

  @Test("Varints of every length", arguments: 0..<64)
  func varints(_ bit: Int) throws {
    for value in [UInt64(1) << bit, (UInt64(1) << bit) - 1, UInt64.max >> bit] {
      var message = Scalars()
      message.uint64Value = value
      message.int64Value = Int64(bitPattern: value)
      message.sint64Value = Int64(bitPattern: value)
      message.int32Value = Int32(truncatingIfNeeded: value)
      let bytes = message.serialized()
      #expect(try Scalars(serialized: bytes) == message)
      // The same at the end of the buffer, where no whole word can be read, and before more bytes.
      #expect(try Scalars(serialized: bytes + hex("7201 61")).int64Value == message.int64Value)
    }
  }

  @Test("Strings of every length around the sizes that are treated apart", arguments: 0..<70)
  func strings(_ count: Int) throws {
    for character in ["a", "ä"] as [Character] {
      var message = Scalars()
      message.stringValue = String(repeating: character, count: count)
      message.bytesValue = [UInt8](repeating: 7, count: count)
      #expect(try Scalars(serialized: message.serialized()) == message)
    }
  }

  @Test("Messages larger than the first guess at their size")
  func growth() throws {
    var node = Node()
    for size in [10, 500, 1000, 1024, 5000, 100, 70_000, 0] {
      node.name = String(repeating: "x", count: size)
      node.children = (0..<(size / 100)).map { number in
        var child = Node()
        child.numbers = [Int32](repeating: Int32(number), count: number)
        return child
      }
      #expect(try Node(serialized: node.serialized()) == node)
    }
  }

  @Test("Bytes are appended to what the buffer holds")
  func appending() {
    var message = Scalars()
    message.int32Value = 1
    var buffer: [UInt8] = [9, 9]
    message.serialize(into: &buffer)
    #expect(buffer == hex("0909 1801"))
    #expect(message.serializedCount == 2)
  }

  @Test("A program that knows less gives back what it was given")
  func unknownFields() throws {
    var node = Node()
    node.name = "new"
    node.children = [Node()]
    node.numbers = [1, 2, 3]
    var old = try OldNode(serialized: node.serialized())
    #expect(!old.unknownFields.isEmpty)
    #expect(try Node(serialized: old.serialized()) == node)
    old.unknownFields.removeAll()
    #expect(old.serialized() == hex("0a03 6e6577"))
  }

  @Test("A map's entry loses what is unknown in it")
  func unknownInMapEntry() throws {
    let maps = try Maps(serialized: block(1, hex("0a016b 1a013f 120176")))
    #expect(maps.stringString == ["k": "v"])
    #expect(maps.unknownFields.isEmpty)
  }

  @Test("Merging replaces scalars, appends to lists and merges messages")
  func merging() throws {
    var node = Node()
    node.name = "first"
    node.numbers = [1]
    node.scalars = Scalars()
    node.scalars?.int32Value = 1
    var other = Node()
    other.name = "second"
    other.numbers = [2]
    other.scalars = Scalars()
    other.scalars?.stringValue = "s"
    try node.merge(serialized: other.serialized())
    #expect(node.name == "second" && node.numbers == [1, 2])
    #expect(node.scalars?.int32Value == 1 && node.scalars?.stringValue == "s")
  }

  @Test("An error says what and where")
  func errors() {
    let error = #expect(throws: DecodingError.self) {
      try Node(serialized: hex("0a0161 2a03 7201ff"))
    }
    #expect(error?.code == .invalidUTF8)
    #expect(error?.message == "codec.test.v1.Scalars" && error?.field == 14 && error?.offset == 7)
    #expect(
      error?.description
        == "codec.test.v1.Scalars, field 14: a string is not UTF-8 (at byte 7)")
    let expected: [(String, DecodingError.Code)] = [
      ("72", .truncated), ("7205 61", .truncated), ("18 ffffffffffffffffffff01", .malformedVarint),
      ("00", .invalidTag), ("1e", .invalidTag), ("808080808001 00", .invalidTag),
      ("1c", .unbalancedGroup), ("1b", .unbalancedGroup), ("1b 24", .unbalancedGroup),
      ("4d 0102", .truncated),
    ]
    for (bytes, code) in expected {
      let error = #expect(throws: DecodingError.self) { try Scalars(serialized: hex(bytes)) }
      #expect(error?.code == code, "\(bytes)")
    }
    let packed = #expect(throws: DecodingError.self) {
      try Lists(serialized: hex("4a05 0102030405"))
    }
    #expect(packed?.code == .malformedPackedField)
  }
}
