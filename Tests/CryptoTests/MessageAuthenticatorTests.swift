import Crypto
import Encodings
import Testing

@Suite("Message authentication and derived keys")
struct MessageAuthenticatorTests {
  private func hex(_ text: String) -> [UInt8] {
    Hexadecimal.decode(text) ?? []
  }

  @Test("HMAC-SHA256 is that of RFC 4231, cases 1 and 2")
  func codes() {
    let one = MessageAuthenticator(key: SecretBytes(copying: [UInt8](repeating: 0x0b, count: 20)))
    #expect(
      one.code(for: Array("Hi There".utf8))
        == hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"))
    let two = MessageAuthenticator(key: SecretBytes(copying: Array("Jefe".utf8)))
    let message = Array("what do ya want for nothing?".utf8)
    let code = two.code(for: message)
    #expect(code == hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"))
    #expect(two.accepts(code, for: message))
    #expect(!two.accepts(code, for: message + [0]))
    #expect(!two.accepts(Array(code.dropLast()), for: message))
    #expect(!two.accepts([], for: message))
    #expect(!one.accepts(code, for: message))
  }

  @Test("Keys are derived as in RFC 5869, cases 1 and 3")
  func derivation() throws {
    let input = SecretBytes(copying: [UInt8](repeating: 0x0b, count: 22))
    let first = try KeyDerivation.key(
      from: input, purpose: hex("f0f1f2f3f4f5f6f7f8f9"), salt: hex("000102030405060708090a0b0c"),
      count: 42)
    #expect(
      first.copy()
        == hex(
          "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"))
    let third = try KeyDerivation.key(from: input, purpose: [], count: 42)
    #expect(
      third.copy()
        == hex(
          "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"))
  }

  @Test("A sealer's authenticators are for one purpose and one master key each")
  func purposes() throws {
    let key = [UInt8](1...32)
    let message = Array("message".utf8)
    let code = try Sealer(masterKey: key).authenticator(for: "a").code(for: message)
    #expect(try Sealer(masterKey: key).authenticator(for: "a").accepts(code, for: message))
    #expect(try !Sealer(masterKey: key).authenticator(for: "b").accepts(code, for: message))
    #expect(
      try !Sealer(masterKey: key.reversed()).authenticator(for: "a").accepts(code, for: message))
  }
}
