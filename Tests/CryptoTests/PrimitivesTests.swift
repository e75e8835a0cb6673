import Crypto
import Encodings
import Testing

@Suite("Digests and randomness")
struct PrimitivesTests {
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
