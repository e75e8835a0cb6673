import Crypto
import TestSupport
import Testing

@Suite("Digests, base64 and randomness")
struct PrimitivesTests {
  @Test("base64 has the values of RFC 4648 both ways")
  func base64() {
    let vectors = [
      "": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE=",
      "foobar": "Zm9vYmFy",
    ]
    for (plain, text) in vectors {
      #expect(Base64.encode(Array(plain.utf8)) == text)
      #expect(Base64.decode(text) == Array(plain.utf8))
    }
    let seed = RandomSeed()
    var generator = seed.generator
    for _ in 0..<200 {
      let bytes = (0..<Int.random(in: 0...100, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      #expect(Base64.decode(Base64.encode(bytes)) == bytes, "\(seed)")
    }
  }

  @Test(
    "base64 that is not strict is refused",
    arguments: [
      "Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm8=Zm8=", "Zm 8", "Zm9v\n", "=", "====", "Zm9_", "Z===",
    ])
  func badBase64(text: String) { #expect(Base64.decode(text) == nil) }

  @Test("Set bits behind the last byte are let pass where that is asked for, as Go lets them pass")
  func trailingBits() {
    for (text, bytes) in [("Zm9=", "fo"), ("Zh==", "f"), ("Zm9v", "foo")] {
      #expect(Base64.decode(Array(text.utf8), ignoresTrailingBits: true) == Array(bytes.utf8))
    }
    for text in ["Zg=", "Z===", "Zm9v\n", "=m9v"] {
      #expect(Base64.decode(Array(text.utf8), ignoresTrailingBits: true) == nil, "\(text)")
    }
  }

  @Test("SHA-256 has the standard's values")
  func digest() {
    #expect(
      Base64.encode(SHA256.digest([])) == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    #expect(
      Base64.encode(SHA256.digest(Array("abc".utf8)))
        == "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")
  }

  @Test("random bytes come in the asked number and do not repeat")
  func random() {
    #expect(Random.bytes(0).isEmpty)
    #expect(Random.bytes(33).count == 33)
    #expect(Random.bytes(16) != Random.bytes(16))
  }
}
