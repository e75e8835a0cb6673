import ProtoCodec
import Testing

@Suite("Binary format")
struct BinaryTests {
  @Test("an empty message takes no bytes")
  func emptyMessage() throws {
    #expect(Scalars().serialized() == [])
    #expect(try Scalars(serialized: []) == Scalars())
  }

  @Test("every scalar is written under its tag and read back")
  func scalars() throws {
    var message = Scalars()
    message.doubleValue = 1.5
    message.floatValue = -2.5
    message.int32Value = -1
    message.int64Value = .min
    message.uint32Value = .max
    message.uint64Value = .max
    message.sint32Value = -2
    message.sint64Value = .min
    message.fixed32Value = 7
    message.fixed64Value = 8
    message.sfixed32Value = -7
    message.sfixed64Value = -8
    message.boolValue = true
    message.stringValue = "an umlaut: ä, and enough of it to be no small string"
    message.bytesValue = [0, 255]
    message.colorValue = .negative
    #expect(try Scalars(serialized: message.serialized()) == message)
  }

  @Test("recursion, maps, oneofs")
  func nested() throws {
    var node = Node()
    node.child = Node()
    node.child?.child = Node()
    node.child?.child?.name = "deep"
    node.children = [Node(), node]
    node.byName = ["a": node, "": Node()]
    node.numbers = [1, -1, 1000]
    #expect(try Node(serialized: node.serialized()) == node)
    var choices = Choices()
    choices.before = "b"
    choices.farAfter = "f"
    choices.choice = .nodeValue(node)
    #expect(try Choices(serialized: choices.serialized()) == choices)
    choices.choice = .doubleValue(0)
    #expect(try Choices(serialized: choices.serialized()) == choices)
    let old = try OldNode(serialized: node.serialized())
    #expect(try Node(serialized: old.serialized()) == node)
  }
}
