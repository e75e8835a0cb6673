import ProtoCodec
import Testing

@Suite("JSON values")
struct JSONValueTests {
  @Test("Everything that JSON has, parsed and printed")
  func roundTrip() throws {
    let text = #"{"a":[1,-2.5e+10,true,false,null,"x\"y"],"b":{},"c":[],"":{"nested":"ä€🔒"}}"#
    let value = try JSONValue(parsing: text)
    #expect(value.text() == text)
    #expect(value["a"]?[0]?.integer == 1)
    #expect(value["a"]?[5]?.string == "x\"y")
    #expect(value["a"]?[6] == nil && value["a"]?["x"] == nil && value["z"] == nil)
    #expect(try JSONValue(parsing: value.text(pretty: true)) == value)
    #expect(
      value.text(pretty: true).hasPrefix("{\n  \"a\": [\n    1,\n    -2.5e+10,"))
  }

  @Test("Numbers keep every digit")
  func numbers() throws {
    let text = "123456789012345678901234567890.12345678901234567890e-10"
    #expect(try JSONValue(parsing: text).text() == text)
    #expect(try JSONValue(parsing: "-0").text() == "-0")
    #expect(JSONNumber(parsing: "1e3")?.int64 == 1000)
    #expect(JSONNumber(parsing: "-9223372036854775808.0")?.int64 == .min)
    #expect(JSONNumber(parsing: "9223372036854775808")?.int64 == nil)
    #expect(JSONNumber(parsing: "9223372036854775808")?.uint64 == 1 << 63)
    #expect(JSONNumber(parsing: "-1")?.uint64 == nil)
    #expect(JSONNumber(parsing: "1e400")?.double == nil)
    #expect(JSONNumber(.infinity) == nil && JSONNumber(0.1)?.text == "0.1")
    for text in ["", "-", "01", "1.", ".1", "1e", "1e+", "0x1", "1 ", " 1", "NaN", "+1", "１"] {
      #expect(JSONNumber(parsing: text) == nil, "\(text)")
    }
  }

  @Test(
    "What RFC 8259 does not allow is refused",
    arguments: [
      "", " ", "nul", "truee", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
      "{1:2}", "{a:1}",
      "'a'", "\"\t\"", "\"\n\"", "\"\\a\"", "\"\\u12g4\"", "\"\\u123\"", "\"", "\"\\",
      "\"\\ud800\"", "[", "{", "]",
      "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800x\"", "01", "-01", "1.e1", "--1", "/**/1",
      "1//", "\u{FEFF}1",
      "{\"a\":1,\"a\":2}", "{\"a\":1}}", "[1]]", "1 1", "Infinity", "NaN", "\u{0}",
    ])
  func refused(_ text: String) {
    #expect(throws: JSONDecodingError.self) { try JSONValue(parsing: text) }
  }

  @Test("Bytes that are not UTF-8 are refused")
  func encoding() {
    for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] {
      let text = [0x22] + bytes + [0x22]
      let error = #expect(throws: JSONDecodingError.self) { try JSONValue(parsing: text) }
      #expect(error?.code == .invalidUTF8)
    }
  }

  @Test("Escapes and characters beyond the first plane")
  func escapes() throws {
    #expect(
      try JSONValue(parsing: #""\u0041\u00e4\ud83d\udd12\/\b\f\n\r\t\u0000""#).string
        == "Aä🔒/\u{8}\u{C}\n\r\t\u{0}")
    #expect(JSONValue.string("\u{0}\u{1F}\u{7F}\"\\").text() == #""\u0000\u001f\u007f\"\\""#)
  }

  @Test("A key that stands twice is refused, or the last value counts")
  func duplicateKeys() throws {
    let lenient = JSONValue.ParsingLimits(allowsDuplicateKeys: true)
    let value = try JSONValue(parsing: #"{"a":1,"b":2,"a":3}"#, limits: lenient)
    #expect(value.text() == #"{"a":3,"b":2}"#)
    let members = (0..<100).map { "\"k\($0)\":0" } + ["\"k7\":1"]
    let text = "{\(members.joined(separator: ","))}"
    let error = #expect(throws: JSONDecodingError.self) { try JSONValue(parsing: text) }
    #expect(error?.code == .duplicate)
    #expect(try JSONValue(parsing: text, limits: lenient)["k7"]?.integer == 1)
  }

  @Test("Depth and size are limited")
  func limits() throws {
    let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
    #expect(try JSONValue(parsing: deep).array != nil)
    let error = #expect(throws: JSONDecodingError.self) { try JSONValue(parsing: "[\(deep)]") }
    #expect(error?.code == .tooDeep)
    let size = JSONValue.ParsingLimits(maximumBytes: 3)
    #expect(throws: JSONDecodingError.self) { try JSONValue(parsing: "1234", limits: size) }
    #expect(try JSONValue(parsing: "123", limits: size).integer == 123)
  }

  @Test("Objects: members by key, in order, removed and replaced, equal in any order")
  func objects() {
    var object = JSONObject()
    for number in 0..<20 { object["k\(number)"] = .number(JSONNumber(Int64(number))) }
    object["k3"] = nil
    object["k5"] = "five"
    #expect(object.count == 19 && object["k3"] == nil && object["k19"]?.integer == 19)
    #expect(object.members[4].key == "k5" && object["k5"] == "five")
    for number in 6..<20 { object["k\(number)"] = nil }
    #expect(object.members.map(\.key) == ["k0", "k1", "k2", "k4", "k5"])
    let one: JSONValue = ["a": 1, "b": [true, nil, 1.5]]
    let two: JSONValue = ["b": [true, nil, 1.5], "a": 1]
    #expect(one == two && one.hashValue == two.hashValue)
    #expect(one.text() == #"{"a":1,"b":[true,null,1.5]}"#)
  }
}
