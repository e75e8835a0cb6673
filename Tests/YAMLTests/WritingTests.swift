import Testing

@testable import YAML

@Suite("Writing YAML values")
struct WritingTests {
  @Test("A document is written in block style and read back as it was")
  func document() throws {
    let value: YAMLValue = [
      "apiVersion": "v1", "count": 3, "flag": true, "nothing": .null, "empty": [:], "none": [],
      "text": "-----BEGIN X-----\nabc\n-----END X-----\n",
      "list": [["name": "a", "nested": ["x": "z"]], "plain", [["deep"]]],
    ]
    let text = value.document(step: 2)
    #expect(
      text == """
        apiVersion: v1
        count: 3
        flag: true
        nothing: null
        empty: {}
        none: []
        text: |
          -----BEGIN X-----
          abc
          -----END X-----
        list:
          - name: a
            nested:
              x: z
          - plain
          - - - deep

        """)
    #expect(try YAMLParser.parse(text)[0].isEquivalent(to: value.node))
  }

  @Test(
    "Any string survives, as a value, a key, an item and in flow style",
    arguments: [
      "", " ", "a b", "a: b", "a:b", "#x", "a #b", "- x", "-", "?", "true", "yes", "null", "~",
      "12",
      "1.5", "0x10", "1.2.3.4", "999.1.1.1", "https://10.0.0.1:6443", "é", "𝄞", "tab\t", "a\nb",
      "a\nb\n", "a\n\nb\n", "\na", " lead\nx\n", "a\n\n", "trail \nx\n", "a\r\nb", "\u{0}",
      "\u{85}",
      "\u{2028}", "\u{FEFF}", "*x", "&x", "!x", "%x", "@x", "`x", "'", "\"", "\\", "{", "}", "[a]",
      "a,b", "|", ">", "admin@demo", "LS0tLS1CRUdJTiBDRVJU+/==", "=", "<<", "2001-01-01", "x:",
      "a: ",
      "---", "...", "--- x\ny\n", "a\n---\nb\n", "a\n...\nb\n", "\u{7F}x", "line\u{1F}\n",
    ])
  func strings(text: String) throws {
    let value: YAMLValue = .mapping([
      .init("value", .string(text)), .init(text, .string("key")),
      .init("items\(text)x", [.string(text), .string(text)]),
    ])
    guard text != "value" else { return }
    #expect(try YAMLParser.parse(value.document())[0].isEquivalent(to: value.node))
    let flow = YAMLStyle().flow(value)
    #expect(!flow.contains("\n"))
    #expect(try YAMLParser.parse(flow)[0].isEquivalent(to: value.node))
    #expect(try YAMLParser.parse(YAMLValue.string(text).document())[0].text == text)
  }

  @Test("What needs no quotes gets none")
  func plain() {
    for text in ["LS0tLS1CRUdJTg==", "admin@demo", "https://10.0.0.1:6443", "10.0.0.1", "/a/b"] {
      #expect(YAMLStyle().scalar(text, inFlow: false) == text)
    }
  }
}
