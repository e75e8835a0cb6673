import Crypto
import Encodings
import TestSupport
import Testing

@Suite("Sealed secrets")
struct SealerTests {
  private let sealer: Sealer
  private let secret = Array("-----BEGIN EC PRIVATE KEY-----".utf8)

  init() throws { sealer = try Sealer(masterKey: Random.bytes(32)) }

  @Test("a sealed secret opens for its context, and looks different each time")
  func roundTrip() throws {
    for plaintext in [[], [7], secret, [UInt8](repeating: 3, count: 100_000)] {
      let sealed = try sealer.seal(plaintext, context: "demo/talos-ca")
      #expect(sealed.count == plaintext.count + Sealer.overhead)
      #expect(try sealer.open(sealed, context: "demo/talos-ca").copy() == plaintext)
      #expect(try sealer.seal(plaintext, context: "demo/talos-ca") != sealed)
      #expect(Sealer.keyID(of: sealed) == sealer.keyID)
    }
  }

  @Test("another context or another master key does not open it, and the other key is named")
  func wrongKeyOrContext() throws {
    let sealed = try sealer.seal(secret, context: "demo/talos-ca")
    for context in ["demo/kubernetes-ca", "", "demo/talos-ca "] {
      #expect(code { _ = try sealer.open(sealed, context: context) } == .sealBroken)
    }
    let other = try Sealer(masterKey: Random.bytes(32))
    #expect(other.keyID != sealer.keyID)
    do {
      _ = try other.open(sealed, context: "demo/talos-ca")
      Issue.record("opened under another key")
    } catch {
      #expect(error.code == .sealBroken)
      #expect(error.message.contains(sealer.keyID))
    }
  }

  @Test("a change of any byte, or a cut at any place, is noticed")
  func tampering() throws {
    let seed = RandomSeed()
    var generator = seed.generator
    let sealed = try sealer.seal(secret, context: "c")
    for index in sealed.indices {
      var changed = sealed
      changed[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      #expect(code { _ = try sealer.open(changed, context: "c") } == .sealBroken, "\(seed)")
      #expect(code { _ = try sealer.open(Array(sealed[..<index]), context: "c") } == .sealBroken)
    }
    #expect(code { _ = try sealer.open(sealed + [0], context: "c") } == .sealBroken)
    // Context and header are kept apart.
    let key = [UInt8](repeating: 1, count: 32)
    let one = try Sealer(masterKey: key).seal(secret, context: "ab")
    #expect(try Sealer(masterKey: key).open(one, context: "ab").copy() == secret)
  }

  @Test("a master key has 32 bytes, and a secret has a limit")
  func sizes() throws {
    for size in [0, 16, 31, 33] {
      #expect(code { _ = try Sealer(masterKey: [UInt8](repeating: 1, count: size)) } == .malformed)
    }
    let huge = [UInt8](repeating: 0, count: Sealer.maximumSize + 1)
    #expect(code { _ = try sealer.seal(huge, context: "c") } == .limitExceeded)
  }

  @Test("the format is AES-256-GCM as the standard has it: another implementation's value opens")
  func knownValue() throws {
    // Made with Python's cryptography package: key 00..1f, nonce 00..0b, context "demo".
    let sealer = try Sealer(masterKey: Array(0..<32))
    #expect(sealer.keyID == "538da716cf5b9a57")
    let sealed = try #require(
      Base64.decode("AVONpxbPW5pXAAECAwQFBgcICQoLL2e6d6qZll9GtdehZpadsmfsZRpX"))
    #expect(try sealer.open(sealed, context: "demo").copy() == Array("hello".utf8))
  }
}
