import Encodings
import TestSupport
import Testing

@Suite("Hexadecimal")
struct HexadecimalTests {
  @Test("Every byte goes round, in both cases")
  func everyByte() {
    let all = Array(UInt8.min ... .max)
    let text = Hexadecimal.encode(all)
    #expect(text.hasPrefix("000102030405060708090a0b0c0d0e0f10") && text.hasSuffix("fdfeff"))
    #expect(Hexadecimal.decode(text) == all)
    #expect(Hexadecimal.decode(text, .lower) == all)
    #expect(Hexadecimal.decode(text.uppercased()) == all)
    #expect(Hexadecimal.decode(text.uppercased(), .lower) == nil)
    for byte in all {
      #expect(Hexadecimal.encode([byte]) == Hexadecimal.encode([0, byte, 0][1..<2]))
      #expect(UInt8(Hexadecimal.encode([byte]), radix: 16) == byte)
      var upper: [UInt8] = []
      Hexadecimal.append(byte, to: &upper, letters: .upper)
      #expect(String(decoding: upper, as: UTF8.self) == Hexadecimal.encode([byte]).uppercased())
    }
    #expect(Hexadecimal.encode([UInt8]()) == "" && Hexadecimal.decode("") == [])
  }

  @Test("The 22 digits have their values, and no other byte has one", arguments: UInt8.min ... .max)
  func digits(byte: UInt8) {
    let value = UInt8(String(decoding: [byte], as: UTF8.self), radix: 16)
    #expect(Hexadecimal.value(of: byte) == value)
    if let value {
      #expect(Hexadecimal.digit(value) == byte || Hexadecimal.digit(value, .upper) == byte)
    }
    #expect(
      Hexadecimal.decode(String(decoding: [byte, 0x30], as: UTF8.self)) == value.map { [$0 << 4] })
  }

  @Test(
    "A text that is not two digits for each byte is refused",
    arguments: [
      "0", "000", "0x", "+1", "-1", " 1", "1 ", "g0", "0g", "é0", "00\n", "０0",
    ])
  func refused(text: String) { #expect(Hexadecimal.decode(text) == nil) }

  @Test("A number has at least the digits that were asked for")
  func numbers() {
    for (number, digits, text): (UInt64, Int, String) in [
      (0, 1, "0"), (0, 0, "0"), (0, 4, "0000"), (0xA, 2, "0a"), (0xABC, 2, "abc"),
      (.max, 1, "ffffffffffffffff"), (.max, 16, "ffffffffffffffff"), (1, 16, "0000000000000001"),
      (1, 20, "00000000000000000001"),
    ] { #expect(Hexadecimal.encode(number, digits: digits) == text) }
    let seed = RandomSeed()
    var generator = seed.generator
    for _ in 0..<1000 {
      let number =
        UInt64.random(in: 0 ... .max, using: &generator)
        >> UInt64.random(in: 0...63, using: &generator)
      #expect(Hexadecimal.encode(number, digits: 1) == String(number, radix: 16), "\(seed)")
      #expect(UInt64(Hexadecimal.encode(number, digits: 16), radix: 16) == number, "\(seed)")
    }
  }
}
