import Encodings
import Testing

@Suite("Strings of JSON")
struct JSONTextTests {
  @Test(
    "Each control character becomes an escape, and every other one stands as it is",
    arguments: UInt8(0)...0xFF)
  func written(value: UInt8) {
    let character = String(Unicode.Scalar(value))
    let expected =
      switch value {
      case 0x09: "\\t"
      case 0x0A: "\\n"
      case 0x0D: "\\r"
      case 0x22: "\\\""
      case 0x5C: "\\\\"
      case 0..<0x20, 0x7F: "\\u00" + Hexadecimal.encode([value])
      default: character
      }
    #expect(JSONText.quoted("a\(character)b") == "\"a\(expected)b\"")
    #expect(JSONText.quoted(character) == "\"\(expected)\"")
    var document = Array("[".utf8)
    JSONText.append(character, to: &document)
    #expect(document == Array("[\"\(expected)\"".utf8))
  }

  @Test(
    "A quotation mark under a mark of its own, and a line break of two characters, are escaped too")
  func clusters() {
    #expect(JSONText.quoted("\"\u{301}") == "\"\\\"\u{301}\"")
    #expect(JSONText.quoted("\\\u{301}") == "\"\\\\\u{301}\"")
    #expect(JSONText.quoted("a\r\nb") == "\"a\\r\\nb\"")
  }

  /// What the escape stands for, and how far it reaches; or its fault, and where.
  private func read(_ escape: String) -> (Result<[UInt8], JSONText.EscapeFault>, Int) {
    let bytes = Array(escape.utf8)
    var position = 0
    var out: [UInt8] = [1]
    do throws(JSONText.EscapeFault) {
      try JSONText.readEscape(bytes.span, at: &position, to: &out)
      return (.success(Array(out.dropFirst())), position)
    } catch { return (.failure(error), position) }
  }

  @Test("JSON has eight escapes of one letter, and no others", arguments: UInt8.min ... .max)
  func letters(byte: UInt8) {
    let known: [UInt8: UInt8] = [
      0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x62: 0x08, 0x66: 0x0C, 0x6E: 0x0A, 0x72: 0x0D,
      0x74: 0x09,
    ]
    let text = [byte, UInt8(ascii: "x")]
    var position = 0
    var out: [UInt8] = []
    do throws(JSONText.EscapeFault) {
      try JSONText.readEscape(text.span, at: &position, to: &out)
      #expect(known[byte].map { [$0] } == out && position == 1)
    } catch {
      #expect(known[byte] == nil && out.isEmpty)
      #expect(error == (byte == UInt8(ascii: "u") ? .noHexadecimalDigit : .unknown))
    }
  }

  @Test("Every UTF-16 code unit but the halves of pairs goes round")
  func units() {
    for unit in UInt16.min ... .max {
      let escape = JSONText.escape(unit)
      let (result, end) = read(String(escape.dropFirst()))
      if let scalar = Unicode.Scalar(unit) {
        if result != .success(Array(String(scalar).utf8)) || end != 5 { Issue.record("\(escape)") }
      } else if result != .failure(.halfCharacter) || end != 5 {
        Issue.record("\(escape)")
      }
    }
  }

  @Test("A pair of code units is one character, and half a pair is none")
  func pairs() {
    for (escape, text) in [
      ("ud83d\\ude80", "🚀"), ("uD800\\uDC00", "\u{10000}"), ("udbff\\udfff", "\u{10FFFF}"),
    ] {
      let (result, end) = read(escape)
      #expect(result == .success(Array(text.utf8)) && end == 11)
    }
    for (escape, end) in [
      ("ud83d", 5), ("ud83dx", 5), ("ud83d\\n", 5), ("ud83d\\u0041", 11), ("ud83d\\ud83d", 11),
      ("ude80", 5), ("ude80\\ud83d", 5), ("ud83d\\", 5),
    ] {
      let (result, place) = read(escape)
      #expect(result == .failure(.halfCharacter) && place == end, "\(escape)")
    }
  }

  @Test("Four digits stand behind u, and nothing that a number may begin with otherwise")
  func malformed() {
    for (escape, end) in [
      ("u", 1), ("u0", 2), ("u004", 4), ("u004g", 4), ("u+041", 1), ("u-041", 1), ("u 041", 1),
      ("u0x41", 2), ("ud83d\\u", 7), ("ud83d\\u+e80", 7),
    ] {
      let (result, place) = read(escape)
      #expect(result == .failure(.noHexadecimalDigit) && place == end, "\(escape)")
    }
    let (result, place) = read("")
    #expect(result == .failure(.unknown) && place == 0)
  }
}
