import ProtoCodec
import Schema
import Testing

@Suite("JSON form of the well-known types")
struct WellKnownTypeTests {
  @Test("What has no form is an error and not a wrong form")
  func unwritable() {
    #expect(throws: JSONEncodingError.self) { try Timestamp(seconds: 253_402_300_800).json() }
    #expect(throws: JSONEncodingError.self) { try Timestamp(seconds: .min).json() }
    #expect(throws: JSONEncodingError.self) { try Timestamp(seconds: 0, nanos: -1).json() }
    #expect(throws: JSONEncodingError.self) { try ProtoDuration(seconds: .min).json() }
    #expect(throws: JSONEncodingError.self) { try ProtoDuration(seconds: 1, nanos: -1).json() }
    #expect(throws: JSONEncodingError.self) {
      try ProtoDuration(seconds: 0, nanos: .min).json()
    }
    #expect(throws: JSONEncodingError.self) { try ProtoValue().json() }
    #expect(throws: JSONEncodingError.self) { try ProtoValue(.number(.infinity)).json() }
    for path in ["Upper", "a__b", "a_", "a_3", "a._b_"] {
      #expect(throws: JSONEncodingError.self) { try FieldMask(paths: [path]).json() }
    }
    #expect(throws: JSONEncodingError.self) { try AnyMessage(Timestamp()).json() }
  }

  @Test("Texts that are no dates and durations")
  func unreadable() {
    for text in [
      "2000-01-01T00:00:00ZZ", "2000-1-01T00:00:00Z", "2000-01-01 00:00:00Z",
      "2000-02-30T00:00:00Z",
      "2000-01-01T00:00:60Z", "2000-01-01T00:00:00.Z", "2000-01-01T00:00:00+24:00",
      "2000-01-01T00:00:00+0100", "9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01",
      "２000-01-01T00:00:00Z",
    ] { #expect(Timestamp(rfc3339: text) == nil, "\(text)") }
    for text in ["-s", "1.s", ".5s", "+1s", "1.0000000001s", "1,5s", "--1s", "0x1s", "1e1s"] {
      #expect(throws: JSONDecodingError.self) { try ProtoDuration(json: "\"\(text)\"") }
    }
  }

  @Test("Any: by URL, with value for well-known types, in any order")
  func any() throws {
    var options = JSONEncodingOptions()
    options.types = TypeRegistry([Timestamp.self, Node.self, AnyMessage.self])
    var reading = JSONDecodingOptions()
    reading.types = options.types
    var node = Node()
    node.name = "n"
    let json = try AnyMessage(node).json(options)
    #expect(json == #"{"@type":"type.googleapis.com/codec.test.v1.Node","name":"n"}"#)
    let read = try AnyMessage(
      json: #"{"name":"n","@type":"type.googleapis.com/codec.test.v1.Node"}"#, options: reading)
    #expect(try read.unpack(Node.self) == node)
    #expect(try read.unpack(Timestamp.self) == nil)
    #expect(throws: JSONDecodingError.self) {
      try AnyMessage(
        json: #"{"@type":"x/google.protobuf.Timestamp","value":"1970-01-01T00:00:00Z","a":1}"#,
        options: reading)
    }
    // Packed bytes that are not of the type.
    var broken = AnyMessage(node)
    broken.value = [0x07]
    #expect(throws: JSONEncodingError.self) { try broken.json(options) }
  }

  @Test("Any within Any is written to a limited depth")
  func nestedAny() {
    var options = JSONEncodingOptions()
    options.types = TypeRegistry([AnyMessage.self])
    var message = AnyMessage(AnyMessage())
    for _ in 0..<2000 { message = AnyMessage(message) }
    #expect(throws: JSONEncodingError.self) { try message.json(options) }
  }

  @Test("null is a value of Value and NullValue, and the absence of everything else")
  func null() throws {
    #expect(try ProtoValue(json: "null") == ProtoValue(.null(.null)))
    #expect(
      try ProtoListValue(json: "[null]") == ProtoListValue([ProtoValue(.null(.null))]))
    #expect(throws: JSONDecodingError.self) { try Timestamp(json: "null") }
    #expect(throws: JSONDecodingError.self) { try ProtoStruct(json: "null") }
  }

  @Test("NullValue is null, and a number that it has no name for stays that number")
  func nullValue() throws {
    var message = Nulls()
    #expect(try message.json() == "{}")
    message.list = [.null, ProtoNullValue(rawValue: 114)]
    message.value = ProtoNullValue(rawValue: -1)
    let text = try message.json()
    #expect(text == #"{"value":-1,"list":[null,114]}"#)
    #expect(try Nulls(json: text) == message)
    #expect(try Nulls(json: #"{"value":null,"list":[null,"NULL_VALUE",0]}"#).list.count == 3)
  }
}

private struct Nulls: Message {
  var value = ProtoNullValue.null
  var list: [ProtoNullValue] = []
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("codec.test.v1.Nulls") {
    Field.enumeration(1, "value", \.value)
    Field.enumeration(2, "list", \.list)
  }
}
