import ProtoCodec
import Testing

@Suite("Messages as values")
struct MessageTests {
  @Test("A message within itself is a value like any other")
  func indirect() {
    var node = Node()
    #expect(node.child == nil)
    node.child = Node()
    node.child?.name = "a"
    let copy = node
    node.child?.name = "b"
    node.child?.child = copy
    #expect(copy.child?.name == "a" && node.child?.name == "b")
    #expect(node.child?.child == copy && node != copy)
    node.child = nil
    #expect(node == Node())
  }

  @Test("Enums keep numbers that have no name")
  func enums() {
    #expect(Color.red.protoName == "COLOR_RED" && Color(protoName: "COLOR_GREEN") == .green)
    #expect(Color(rawValue: 9).protoName == nil && Color(protoName: "BLUE") == nil)
    #expect("\(Color.negative) \(Color(rawValue: 9))" == "COLOR_NEGATIVE 9")
    #expect(Color() == .unspecified && !Color.type.hasAliases)
    let aliased = EnumType("E", [(0, "A"), (0, "B")])
    #expect(aliased.name(of: 0) == "A" && aliased.number(of: "B") == 0 && aliased.hasAliases)
  }

  @Test("The declaration can be read back")
  func schema() throws {
    let schema = Node.schema
    #expect(schema.name == "codec.test.v1.Node" && schema.fields.count == 7)
    #expect(schema.fields.map(\.jsonName).last == "@custom")
    let map = try #require(schema.fields.first { $0.name == "by_name" })
    #expect(map.mapEntry?.name == "ByNameEntry" && map.mapEntry?.isMapEntry == true)
    #expect(map.mapEntry?.fields[1].typeName == "codec.test.v1.Node" && map.isRepeated)
    #expect(schema.fields.first { $0.name == "numbers" }?.isPacked == true)
    #expect(Unpacked.schema.fields.allSatisfy { $0.isRepeated && !$0.isPacked })
    #expect(Optionals.schema.fields.allSatisfy { $0.isOptional })
    #expect(Choices.schema.fields.count { $0.oneof == "choice" } == 18)
  }

  @Test("Tables are linked once, from many threads at a time")
  func threads() async {
    var node = Node()
    node.children = [Node(), Node()]
    node.byName = ["k": Node()]
    let message = node
    await withTaskGroup { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<50 { #expect((try? Node(serialized: message.serialized())) == message) }
        }
      }
    }
  }
}
