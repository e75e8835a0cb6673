import Encodings
import TestSupport
import Testing

@Suite("Base64")
struct Base64Tests {
  /// Every choice of rules.
  static let everyRules: [Base64.Rules] = [.standard, .standardAndURL].flatMap { digits in
    [.required, .optional, .upToTwo].flatMap { padding in
      [.zero, .any].flatMap { bits in
        [.refused, .skipped].map {
          Base64.Rules(digits: digits, padding: padding, trailingBits: bits, whiteSpace: $0)
        }
      }
    }
  }

  @Test(
    "The values of RFC 4648 go both ways",
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
      ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
  func vectors(plain: String, text: String) {
    #expect(Base64.encode(plain) == text)
    #expect(Base64.encode(Array(plain.utf8)) == text)
    for rules in Self.everyRules {
      #expect(Base64.decode(text, rules) == Array(plain.utf8), "\(rules)")
    }
    let bare = text.filter { $0 != "=" }
    #expect(Base64.encode(Array(plain.utf8), padded: false) == bare)
    #expect(Base64.decode(bare, Base64.Rules(padding: .optional)) == Array(plain.utf8))
    #expect(Base64.decode(bare) == (bare == text ? Array(plain.utf8) : nil))
  }

  @Test("Each of the 64 digits has its value, and no other byte has one")
  func digits() {
    let standard = Array(
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    for byte in UInt8.min ... .max {
      // Three digits 0 and this one: the last six bits of three bytes.
      let text = Array("AAA".utf8) + [byte]
      let value = standard.firstIndex(of: byte).map { [0, 0, UInt8($0)] }
      // The padding of two bytes.
      let expected = byte == UInt8(ascii: "=") ? [0, 0] : value
      #expect(Base64.decode(text) == expected, "\(byte)")
      let url: [UInt8]? =
        byte == UInt8(ascii: "-") ? [0, 0, 62] : byte == UInt8(ascii: "_") ? [0, 0, 63] : expected
      #expect(Base64.decode(text, Base64.Rules(digits: .standardAndURL)) == url, "\(byte)")
    }
    for value in UInt8(0)..<64 {
      #expect(
        Array(Base64.encode([0, 0, value]).utf8) == Array("AAA".utf8) + [standard[Int(value)]])
    }
    #expect(Base64.encode([0xFB, 0xFF], alphabet: .url) == "-_8=")
    #expect(Base64.encode([0xFB, 0xFF], alphabet: .url, padded: false) == "-_8")
  }

  @Test("Bytes of every length up to 64 go round in both alphabets, with padding and without")
  func everyLength() {
    let seed = RandomSeed()
    var generator = seed.generator
    for count in 0...64 {
      for _ in 0..<20 {
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        for alphabet in [Base64.Alphabet.standard, .url] {
          for padded in [true, false] {
            let text = Base64.encode(bytes, alphabet: alphabet, padded: padded)
            #expect(text.utf8.count == (padded ? (count + 2) / 3 * 4 : (count * 4 + 2) / 3))
            let rules = Base64.Rules(
              digits: alphabet == .url ? .standardAndURL : .standard,
              padding: padded ? .required : .optional)
            #expect(Base64.decode(text, rules) == bytes, "\(seed)")
            #expect(Base64.decode(Array(text.utf8)[...], rules) == bytes, "\(seed)")
            var appended: [UInt8] = [1]
            Base64.append(bytes, to: &appended, alphabet: alphabet, padded: padded)
            #expect(appended == [1] + Array(text.utf8), "\(seed)")
          }
        }
      }
    }
  }

  @Test(
    "Of all texts of two digits exactly those are read whose last bits are 0, one for each byte")
  func everyPair() {
    var seen: Set<[UInt8]> = []
    for first in UInt8.min ... .max {
      for second in UInt8.min ... .max {
        let text = [first, second] + Array("==".utf8)
        guard let bytes = Base64.decode(text) else { continue }
        if Base64.encodedBytes(bytes) != text || !seen.insert(bytes).inserted {
          Issue.record("\(text) is read as \(bytes)")
        }
      }
    }
    #expect(seen.count == 256)
  }

  @Test(
    "Strict rules refuse whatever is not written so",
    arguments: [
      "Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm8=Zm8=", "Zm 8", "Zm9v\n", "=", "==", "====", "Zm9_",
      "Z===", "Zm9v=", "Zm9v==", "Zm8==", "=m9v", "Zg==\0", "Zé==",
    ])
  func strict(text: String) { #expect(Base64.decode(text) == nil) }

  @Test("Padding that is optional is whole or missing, and up to two let pass any that is short")
  func padding() {
    let optional = Base64.Rules(padding: .optional)
    let upToTwo = Base64.Rules(padding: .upToTwo)
    for text in ["Zg", "Zg==", "Zm8", "Zm8=", "Zm9v", ""] {
      #expect(Base64.decode(text, optional) != nil, "\(text)")
      #expect(Base64.decode(text, upToTwo) == Base64.decode(text, optional), "\(text)")
    }
    for text in ["Zg=", "Zm8==", "Zm9v=", "=", "=="] {
      #expect(Base64.decode(text, optional) == nil, "\(text)")
      #expect(Base64.decode(text, upToTwo) != nil, "\(text)")
    }
    for text in ["Z", "Z=", "Zg===", "Zm9v===", "===", "Zg==Zg==", "Z=g="] {
      #expect(Base64.decode(text, optional) == nil, "\(text)")
      #expect(Base64.decode(text, upToTwo) == nil, "\(text)")
    }
  }

  @Test("Bits behind the last byte do not matter where that is asked for, as Go lets them pass")
  func trailingBits() {
    let rules = Base64.Rules(trailingBits: .any)
    for (text, bytes) in [("Zm9=", "fo"), ("Zh==", "f"), ("Zm9v", "foo")] {
      #expect(Base64.decode(text, rules) == Array(bytes.utf8))
    }
    for text in ["Zg=", "Z===", "Zm9v\n", "=m9v"] {
      #expect(Base64.decode(text, rules) == nil, "\(text)")
    }
  }

  @Test("White space is skipped wherever it stands where that is asked for, and nothing else is")
  func whiteSpace() {
    #expect(Base64.decode("aGVs\n  bG8=\r\n", .folded) == Array("hello".utf8))
    #expect(Base64.decode("\taGVs bG8 =", .folded) == Array("hello".utf8))
    #expect(Base64.decode(" \n", .folded) == [])
    #expect(Base64.decode("a!==", .folded) == nil)
    for byte in UInt8.min ... .max {
      let text = Array("Zm".utf8) + [byte] + Array("9v".utf8)
      let isSkipped = [0x20, 0x09, 0x0A, 0x0D].contains(byte)
      #expect((Base64.decode(text, .folded) == Array("foo".utf8)) == isSkipped, "\(byte)")
    }
  }
}
