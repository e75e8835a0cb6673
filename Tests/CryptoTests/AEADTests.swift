import Encodings
import Testing

@testable import Crypto

@Suite("Authenticated encryption")
struct AEADTests {
  @Test("ChaCha20-Poly1305 is that of RFC 8439 section 2.8.2")
  func vector() throws {
    let plaintext = Array(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
        .utf8)
    let key = SecretBytes(copying: [UInt8](0x80...0x9f))
    let nonce: [UInt8] = [7, 0, 0, 0] + [UInt8](0x40...0x47)
    let associated: [UInt8] = [0x50, 0x51, 0x52, 0x53] + [UInt8](0xc0...0xc7)
    let sealed = try AEAD.chaCha20Poly1305.seal(
      plaintext.span, key: key, nonce: nonce, associated: [associated])
    #expect(
      Base64.encode(sealed)
        == "0xqNNGSOYNt7hq+8U+9+wqSt7VEpbgj+qeK1pzbuYtY9vqRejKlnEoL6+2nakn"
        + "KLGnHeCp4GCykF1qW2fs07NpLdvX8td4uMmAOu4ygJG1j6syTk+tZ1lFWFgItIMde8P/Te8I5Lep3ldtJlhs7GS2EW"
        + "GuELWU8J4mp+kC7L0GAGkQ==")
    #expect(
      try AEAD.chaCha20Poly1305.open(sealed, key: key, nonce: nonce, associated: [associated])
        == plaintext)
  }

  @Test(
    "What was changed does not open, nor under another nonce or with other bytes beside it",
    arguments: [AEAD.aes256GCM, .chaCha20Poly1305])
  func changed(algorithm: AEAD) throws {
    let key = SecretBytes(random: 32)
    let nonce = [UInt8](0..<12)
    let plaintext: [UInt8] = [1, 2, 3]
    let sealed = try algorithm.seal(plaintext.span, key: key, nonce: nonce, associated: [[9]])
    #expect(sealed.count == 3 + AEAD.tagSize)
    func open(_ sealed: [UInt8], _ nonce: [UInt8], _ associated: [[UInt8]]) throws -> [UInt8]? {
      try algorithm.open(sealed, key: key, nonce: nonce, associated: associated)
    }
    #expect(try open(sealed, nonce, [[9]]) == plaintext)
    for index in sealed.indices {
      var other = sealed
      other[index] ^= 0x80
      #expect(try open(other, nonce, [[9]]) == nil)
    }
    #expect(try open(sealed, nonce.reversed(), [[9]]) == nil)
    #expect(try open(sealed, nonce, []) == nil)
    for size in 0..<sealed.count {
      #expect(try open(Array(sealed.prefix(size)), nonce, [[9]]) == nil)
    }
    let none: [UInt8] = []
    let empty = try algorithm.seal(none.span, key: key, nonce: nonce)
    #expect(try open(empty, nonce, []) == [] && empty.count == AEAD.tagSize)
  }
}
