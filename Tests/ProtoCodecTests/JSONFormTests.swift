import ProtoCodec
import Schema
import Testing

@Suite("JSON form")
struct JSONFormTests {
  private func failure<Root: Message>(_ type: Root.Type, _ json: String) -> JSONDecodingError? {
    #expect(throws: JSONDecodingError.self) { try Root(json: json) as Root }
  }

  @Test("The canonical form, letter by letter")
  func canonical() throws {
    var message = Scalars()
    message.doubleValue = 1.5
    message.floatValue = 100
    message.int32Value = -1
    message.int64Value = .min
    message.uint64Value = .max
    message.boolValue = true
    message.stringValue = "a\"b\\\n\u{1}ä"
    message.bytesValue = [0xFB, 0xFF]
    message.colorValue = .red
    #expect(
      try message.json()
        == #"{"doubleValue":1.5,"floatValue":100,"int32Value":-1,"#
        + #""int64Value":"-9223372036854775808","uint64Value":"18446744073709551615","#
        + #""boolValue":true,"stringValue":"a\"b\\\n\u0001ä","bytesValue":"+/8=","#
        + #""colorValue":"COLOR_RED"}"#)
  }

  @Test("Options: names of the .proto, defaults, enums as numbers, line breaks")
  func encodingOptions() throws {
    var node = Node()
    node.name = "n"
    node.byName = ["b": Node(), "a": Node()]
    var options = JSONEncodingOptions()
    options.usesProtoNames = true
    #expect(try node.json(options) == #"{"name":"n","by_name":{"a":{},"b":{}}}"#)
    options.isPretty = true
    #expect(
      try node.json(options) == """
        {
          "name": "n",
          "by_name": {
            "a": {},
            "b": {}
          }
        }
        """)
    options = JSONEncodingOptions()
    options.writesDefaults = true
    #expect(
      try Node().json(options)
        == #"{"name":"","children":[],"byName":{},"numbers":[],"@custom":0}"#)
    #expect(try Optionals().json(options) == "{}")
    var scalars = Scalars()
    scalars.colorValue = .green
    options = JSONEncodingOptions()
    options.writesEnumsAsNumbers = true
    #expect(try scalars.json(options) == #"{"colorValue":2}"#)
    scalars.colorValue = Color(rawValue: 77)
    #expect(try scalars.json() == #"{"colorValue":77}"#)
  }

  @Test("Maps are written in the order of their keys")
  func sortedMaps() throws {
    var maps = Maps()
    for number in 0..<50 { maps.stringString["\(number)"] = "" }
    let keys = try JSONValue(parsing: maps.json())["stringString"]?.object?.members.map(\.key)
    #expect(keys == keys?.sorted() && keys?.count == 50)
  }

  @Test("What is unknown is refused, or skipped when asked")
  func unknown() throws {
    #expect(failure(Scalars.self, #"{"nothing":1}"#)?.code == .unknownField)
    #expect(failure(Scalars.self, #"{"colorValue":"BLUE"}"#)?.code == .invalidValue)
    var options = JSONDecodingOptions()
    options.ignoresUnknown = true
    let scalars = try Scalars(
      json: #"{"nothing":[{}],"colorValue":"BLUE","int32Value":1}"#, options: options)
    #expect(scalars.int32Value == 1 && scalars.colorValue == .unspecified)
    let optionals = try Optionals(json: #"{"colorValue":"BLUE"}"#, options: options)
    #expect(optionals.colorValue == nil)
    let lists = try Lists(json: #"{"colorValues":["BLUE","COLOR_RED"]}"#, options: options)
    #expect(lists.colorValues == [.red])
    let maps = try Maps(json: #"{"stringColor":{"a":"BLUE","b":"COLOR_RED"}}"#, options: options)
    #expect(maps.stringColor == ["b": .red])
    let choices = try Choices(json: #"{"colorValue":"BLUE"}"#, options: options)
    #expect(choices.choice == nil)
    // A value of the wrong kind is wrong all the same.
    #expect(throws: JSONDecodingError.self) {
      try Scalars(json: #"{"colorValue":true}"#, options: options)
    }
  }

  @Test("A field is given once, a oneof too, in either spelling")
  func duplicates() {
    #expect(failure(Scalars.self, #"{"int32Value":1,"int32_value":1}"#)?.code == .duplicate)
    #expect(failure(Scalars.self, #"{"int32Value":1,"int32Value":1}"#)?.code == .duplicate)
    #expect(
      failure(Choices.self, #"{"int32Value":1,"stringValue":""}"#)?.code == .duplicateOneof)
    #expect(failure(Maps.self, #"{"int64Double":{"1":0,"1e0":0}}"#)?.code == .duplicate)
  }

  @Test("An error says where, and keeps the value to itself")
  func errors() throws {
    let secret = "hunter2hunter2"
    let inputs = [
      #"{"children":[{},{"byName":{"k":{"scalars":{"int64Value":"\#(secret)"}}}}]}"#,
      #"{"scalars":{"bytesValue":"\#(secret)!"}}"#, #"{"scalars":{"colorValue":"\#(secret)"}}"#,
      #"{"scalars":{"doubleValue":"\#(secret)"}}"#, #"{"numbers":"\#(secret)"}"#,
    ]
    for input in inputs {
      let error = try #require(failure(Node.self, input))
      #expect(!error.description.contains(secret), "\(error)")
    }
    #expect(failure(Node.self, inputs[0])?.path == #"children[1].by_name["k"].scalars.int64_value"#)
    #expect(failure(Node.self, "{\"name\":\u{1}}")?.offset == 8)
  }

  @Test("Numbers out of range, and numbers that only look as if they were")
  func numbers() throws {
    for text in ["1e2147483647", "1e-2147483647", "1e99999999999999999999", "0.1", "1.5e0"] {
      #expect(failure(Scalars.self, "{\"int32Value\":\(text)}")?.code == .outOfRange, "\(text)")
    }
    #expect(try Scalars(json: #"{"int32Value":0e99999999999999999999}"#).int32Value == 0)
    #expect(try Scalars(json: #"{"int32Value":1000000e-6}"#).int32Value == 1)
    #expect(try Scalars(json: #"{"uint64Value":1.8446744073709551615e19}"#).uint64Value == .max)
    #expect(failure(Scalars.self, #"{"floatValue":3.5e38}"#)?.code == .outOfRange)
    #expect(failure(Scalars.self, #"{"floatValue":"-1e39"}"#)?.code == .outOfRange)
    #expect(failure(Scalars.self, #"{"doubleValue":1e309}"#)?.code == .outOfRange)
    #expect(failure(Scalars.self, #"{"doubleValue":"inf"}"#)?.code == .invalidValue)
  }

  @Test("Nesting and size are limited")
  func limits() throws {
    func nested(_ levels: Int) -> String {
      String(repeating: #"{"child":"#, count: levels) + "{}" + String(repeating: "}", count: levels)
    }
    #expect(try Node(json: nested(99)).child != nil)
    #expect(failure(Node.self, nested(100))?.code == .tooDeep)
    #expect(failure(Node.self, nested(100_000))?.code == .tooDeep)
    #expect(failure(ProtoValue.self, String(repeating: "[", count: 100_000))?.code == .tooDeep)
    var options = JSONDecodingOptions()
    options.maximumBytes = 10
    #expect(throws: JSONDecodingError.self) {
      try Node(json: #"{"name":"abc"}"#, options: options)
    }
    options = JSONDecodingOptions()
    options.maximumMemory = 1 << 16
    let many = "[" + String(repeating: "{},", count: 10_000) + "{}]"
    #expect(throws: JSONDecodingError.self) {
      try Node(json: "{\"children\":\(many)}", options: options)
    }
  }
}
