import RPC
import Testing

@Suite("JSON of Connect")
struct ConnectJSONTests {
  @Test("An escape has four hexadecimal digits, and no sign")
  func escapes() {
    #expect(JSONReader.parse(Array(#""\u0041\ud83d\ude80""#.utf8)) == .string("A🚀"))
    for text in [#""\u+041""#, #""\u-000""#, #""\u 041""#, #""\u004""#, #""\ud83d\u+e80""#] {
      #expect(JSONReader.parse(Array(text.utf8)) == nil, "\(text)")
    }
  }

  @Test("An error's message is one string of JSON, whatever its characters are made of")
  func messages() {
    for message in ["plain", "a \"word\" \\", "\"\u{301}", "a\r\n\0b\u{7F}", "ü🚀"] {
      let text = ConnectJSON.error(RPCError(.internalError, message))
      #expect(JSONReader.parse(Array(text.utf8))?["message"] == .string(message), "\(text)")
    }
  }
}
