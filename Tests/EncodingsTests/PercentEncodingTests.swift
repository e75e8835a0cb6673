import Encodings
import TestSupport
import Testing

@Suite("Percent-encoding")
struct PercentEncodingTests {
  @Test(
    "Each character of ASCII stands for itself or not, by what is kept", arguments: UInt8(0)...0x7F)
  func ascii(byte: UInt8) {
    let text = String(Unicode.Scalar(byte))
    let digits = Hexadecimal.encode([byte]).uppercased()
    let unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
    #expect(
      PercentEncoding.encode(text, keeping: .unreserved)
        == (unreserved.utf8.contains(byte) ? text : "%\(digits)"))
    let isPlain = byte >= 0x20 && byte <= 0x7E && text != "%"
    #expect(
      PercentEncoding.encode("a\(text)b", keeping: .fieldValue)
        == (isPlain ? "a\(text)b" : "a%\(digits)b"))
    for plain in [PercentEncoding.Plain.unreserved, .fieldValue] {
      let encoded = PercentEncoding.encode(text, keeping: plain)
      #expect(PercentEncoding.decode(encoded[...]) == [byte])
      #expect(PercentEncoding.decodeTolerantly(encoded) == text)
    }
  }

  @Test("A field's value has no space at its ends")
  func spaces() {
    #expect(PercentEncoding.encode(" a b ", keeping: .fieldValue) == "%20a b%20")
    #expect(PercentEncoding.encode(" ", keeping: .fieldValue) == "%20")
    #expect(PercentEncoding.encode("  ", keeping: .fieldValue) == "%20%20")
    #expect(PercentEncoding.encode("a b", keeping: .fieldValue) == "a b")
    #expect(PercentEncoding.encode("", keeping: .fieldValue) == "")
  }

  @Test("Texts of all kinds go round, in printable ASCII")
  func round() {
    let seed = RandomSeed()
    var generator = seed.generator
    let pieces = ["a", " ", "%", "%4", "%41", "+", "ü", "節", "🚀", "\n", "\0", "\u{7F}", "e\u{301}"]
    for _ in 0..<2000 {
      let text = (0..<Int.random(in: 0...8, using: &generator)).map { _ in
        pieces[Int.random(in: 0..<pieces.count, using: &generator)]
      }.joined()
      for plain in [PercentEncoding.Plain.unreserved, .fieldValue] {
        let encoded = PercentEncoding.encode(text, keeping: plain)
        #expect(encoded.utf8.allSatisfy { (0x20...0x7E).contains($0) })
        #expect(PercentEncoding.decode(encoded[...]) == Array(text.utf8), "\(seed)")
        #expect(PercentEncoding.decodeTolerantly(encoded) == text, "\(seed)")
      }
    }
  }

  @Test("A % without two digits is refused, or stays where a message is not to be lost over it")
  func malformed() {
    for text in ["%", "%4", "%4g", "%g4", "%%41", "a%", "%é", "100%", "%+1"] {
      #expect(PercentEncoding.decode(text[...]) == nil, "\(text)")
    }
    for (text, plain) in [
      ("%", "%"), ("%4", "%4"), ("%zz%41", "%zzA"), ("%%41", "%A"), ("100%", "100%"),
      ("%c3", "\u{FFFD}"),
      ("%c3%BC", "ü"), ("a+b", "a+b"),
    ] { #expect(PercentEncoding.decodeTolerantly(text) == plain, "\(text)") }
  }

  @Test("In a query + is a space, and elsewhere itself")
  func plus() {
    #expect(PercentEncoding.decode("a+b%2B") == Array("a+b+".utf8))
    #expect(PercentEncoding.decode("a+b%2B", plus: .space) == Array("a b+".utf8))
  }
}
