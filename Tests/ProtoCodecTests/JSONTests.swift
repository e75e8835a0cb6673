import ProtoCodec
import Schema
import Testing

@Suite("JSON form of messages")
struct MessageJSONTests {
  @Test("every scalar has its canonical form")
  func scalars() throws {
    var message = Scalars()
    message.doubleValue = 1.5
    message.floatValue = -0.25
    message.int32Value = -1
    message.int64Value = .min
    message.uint64Value = .max
    message.boolValue = true
    message.stringValue = "a\"b\\\n\u{1}ä"
    message.bytesValue = [0xFB, 0xFF]
    message.colorValue = .red
    let json = try message.json()
    #expect(
      json == #"{"doubleValue":1.5,"floatValue":-0.25,"int32Value":-1,"#
        + #""int64Value":"-9223372036854775808","uint64Value":"18446744073709551615","#
        + #""boolValue":true,"stringValue":"a\"b\\\n\u0001ä","bytesValue":"+/8=","#
        + #""colorValue":"COLOR_RED"}"#)
    #expect(try Scalars(json: json) == message)
  }

  @Test("messages, lists, maps and oneofs go round")
  func structures() throws {
    var node = Node()
    node.child = Node()
    node.child?.name = "inner"
    node.children = [Node(), node]
    node.byName = ["b": node, "a": Node()]
    node.numbers = [1, 2]
    node.customJSON = 3
    #expect(try Node(json: node.json()) == node)
    #expect(try Node(json: node.json(.readable)) == node)
    var choices = Choices()
    choices.choice = .nodeValue(node)
    #expect(try Choices(json: choices.json()) == choices)
    var maps = Maps()
    maps.boolInt32 = [true: 1, false: 0]
    maps.int64Double = [.min: .infinity]
    maps.stringColor = ["x": .green]
    #expect(try Maps(json: maps.json()) == maps)
    #expect(try maps.json().contains(#""boolInt32":{"false":0,"true":1}"#))
  }

  @Test("well-known types have their own forms")
  func wellKnown() throws {
    var options = JSONEncodingOptions()
    options.types = TypeRegistry([Timestamp.self, Scalars.self])
    #expect(try Timestamp(seconds: -1, nanos: 500_000_000).json() == "\"1969-12-31T23:59:59.500Z\"")
    #expect(try ProtoDuration(seconds: -1, nanos: -1).json() == "\"-1.000000001s\"")
    #expect(
      try AnyMessage(Timestamp(seconds: 0)).json(options)
        == #"{"@type":"type.googleapis.com/google.protobuf.Timestamp","value":"1970-01-01T00:00:00Z"}"#
    )
  }
}
