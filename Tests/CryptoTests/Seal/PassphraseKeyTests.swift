import Crypto
import Testing

@Suite struct PassphraseKeyTests {
  /// RFC 7914 section 12 has one vector with r = 8, p = 1: N = 16384, "pleaseletmein", "SodiumChloride".
  @Test("The key is the beginning of what RFC 7914 has")
  func vector() throws {
    let key = try PassphraseKey.derive(
      SecretBytes(copying: Array("pleaseletmein".utf8)), salt: Array("SodiumChloride".utf8),
      cost: 14)
    #expect(
      key.copy() == [
        0x70, 0x23, 0xbd, 0xcb, 0x3a, 0xfd, 0x73, 0x48, 0x46, 0x1c, 0x06, 0xcd, 0x81, 0xfd, 0x38,
        0xeb, 0xfd, 0xa8, 0xfb, 0xba, 0x90, 0x4f, 0x8e, 0x3e, 0xa9, 0xb5, 0x43, 0xf6, 0x54, 0x5d,
        0xa1, 0xf2,
      ])
  }

  @Test("Costs out of bounds and an empty passphrase are refused")
  func bounds() {
    let passphrase = SecretBytes(copying: [1])
    for cost: UInt8 in [0, 13, 21, 255] {
      #expect(throws: CryptoError.self) {
        try PassphraseKey.derive(passphrase, salt: [1], cost: cost)
      }
    }
    #expect(throws: CryptoError.self) {
      try PassphraseKey.derive(SecretBytes(copying: []), salt: [1], cost: 14)
    }
  }
}
