import TestSupport
import Testing

@testable import Crypto

@Suite("Bech32")
struct Bech32Tests {
  @Test(
    "The good texts of BIP 173 are read, and written the same",
    arguments: [
      "a12uel5l",
      "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
      "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "?1ezyfcl",
    ])
  func good(text: String) throws {
    let (name, bytes) = try Bech32.decode(Array(text.utf8))
    #expect(Bech32.encode(name, bytes) == text)
    let (upper, same) = try Bech32.decode(Array(text.uppercased().utf8))
    #expect(upper == name.uppercased() && same == bytes)
  }

  @Test("The bad texts of BIP 173 are refused, with the place where there is one")
  func bad() {
    let texts: [(String, Bech32.Failure)] = [
      (" 1nwldj5", .character(at: 1)), ("\u{7f}1axkwrx", .character(at: 1)),
      ("pzry9x0s0muk", .noSeparator), ("1pzry9x0s0muk", .noSeparator),
      ("x1b4n0q5v", .character(at: 3)), ("li1dgmt3", .noSeparator),
      ("A1G7SGD8", .checksum), ("10a06t8", .noSeparator), ("1qzzfhee", .noSeparator),
      ("A12uEL5L", .mixedCase), ("a12uel5k", .checksum), ("", .noSeparator),
      // One group too many behind a byte, and bits that are set behind it.
      ("a1qqqd87cpp", .padding), ("a1qpamnt9j", .padding),
    ]
    for (text, failure) in texts {
      #expect(throws: failure, "\(text)") { try Bech32.decode(Array(text.utf8)) }
    }
  }

  @Test("A text of which any one character is another one is refused")
  func typing() throws {
    let seed = RandomSeed()
    var generator = seed.generator
    let key: [UInt8] = (0..<32).map { _ in .random(in: 0...255, using: &generator) }
    let text = Array(Bech32.encode("age", key).utf8)
    for index in text.indices {
      for other in "qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8 where other != text[index] {
        var changed = text
        changed[index] = other
        #expect(throws: Bech32.Failure.self, "\(seed): \(String(decoding: changed, as: UTF8.self))")
        {
          try Bech32.decode(changed)
        }
      }
    }
  }

  @Test("Bytes of any length come back")
  func roundTrip() throws {
    let seed = RandomSeed()
    var generator = seed.generator
    for count in 0..<70 {
      let bytes: [UInt8] = (0..<count).map { _ in .random(in: 0...255, using: &generator) }
      let (name, read) = try Bech32.decode(Array(Bech32.encode("age", bytes).utf8))
      #expect(name == "age" && read == bytes, "\(seed)")
    }
  }
}
