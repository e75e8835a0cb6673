import Testing

@testable import Crypto

/// The keys of the specification's examples.
enum AgeExample {
  static let identityText =
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
  static let recipientText = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

  static func identity() throws -> AgeIdentity { try AgeIdentity(Array(identityText.utf8)) }

  /// Another identity each time.
  static func anyIdentity() throws -> AgeIdentity {
    try AgeIdentity(
      Array(Bech32.encode("age-secret-key-", Random.bytes(32)).uppercased().utf8))
  }
}

func cryptoError(_ body: () throws -> Void) -> CryptoError? {
  do {
    try body()
    return nil
  } catch { return error as? CryptoError }
}

@Suite("Keys of age")
struct AgeKeyTests {
  @Test("An identity belongs to its recipient, as in the specification's example")
  func example() throws {
    let identity = try AgeExample.identity()
    #expect("\(identity.recipient)" == AgeExample.recipientText)
    #expect(try AgeRecipient(AgeExample.recipientText) == identity.recipient)
    #expect(!"\(identity)".contains("SECRET") && !String(reflecting: identity).contains("SECRET"))
  }

  @Test(
    "A recipient that is none says what is wrong",
    arguments: [
      ("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwq", "checksum"),
      ("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujw", "checksum"),
      ("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnbjwj", "character 59"),
      ("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj ", "character 63"),
      ("age1ZVKYG2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj", "case"),
      ("age1", "too short"), ("", "age-keygen"),
      ("AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ", "age-keygen"),
      ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN", "SSH"),
    ])
  func badRecipient(text: String, word: String) throws {
    let error = try #require(cryptoError { _ = try AgeRecipient(text) })
    #expect(error.code == .malformed && error.message.contains(word), "\(error)")
  }

  @Test("A recipient of another type is named as one, however long")
  func otherTypes() {
    for (name, count) in [("age1yubikey", 33), ("age1pq", 1216), ("age1tag", 33)] {
      let error = cryptoError { _ = try AgeRecipient(Bech32.encode(name, Random.bytes(count))) }
      #expect(error?.code == .unsupported && error?.message.contains("X25519") == true)
      #expect(error.map { $0.message.utf8.count < 200 } == true)
    }
    let endless = "age1" + String(repeating: "q", count: 1 << 20)
    #expect(cryptoError { _ = try AgeRecipient(endless) }?.code == .malformed)
    #expect(
      cryptoError { _ = try AgeRecipient(Bech32.encode("age", Random.bytes(31))) }?.code
        == .malformed)
  }

  /// The points of Curve25519 and its twist whose order divides 8 (RFC 7748 section 6.1 says what comes of them).
  static let lowOrder: [[UInt8]] = [
    [UInt8](repeating: 0, count: 32), [1] + [UInt8](repeating: 0, count: 31),
    [
      0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
      0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
      0xb8, 0x00,
    ],
    [
      0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
      0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
      0x11, 0x57,
    ],
    [0xec] + [UInt8](repeating: 0xff, count: 30) + [0x7f],
  ]

  @Test("A recipient of low order, to which everybody has the key, is refused", arguments: lowOrder)
  func pointOfLowOrder(point: [UInt8]) throws {
    let error = cryptoError { _ = try AgeRecipient(Bech32.encode("age", point)) }
    #expect(error?.code == .malformed && error?.message.contains("low order") == true)
    #expect(try X25519PrivateKey(SecretBytes(random: 32)).sharedSecret(with: point) == nil)
  }

  @Test(
    "A point that its holder would write otherwise is refused: what is encrypted to it opens for nobody"
  )
  func notReduced() throws {
    var highest = try AgeExample.identity().recipient.publicKey
    highest[31] |= 0x80
    // 9 + 2^255 - 19, the base point once more.
    let above: [UInt8] = [0xf6] + [UInt8](repeating: 0xff, count: 30) + [0x7f]
    for point in [highest, above] {
      let error = cryptoError { _ = try AgeRecipient(Bech32.encode("age", point)) }
      #expect(error?.code == .malformed && error?.message.contains("no point") == true)
    }
    // The largest number below 2^255 - 19 that is of no low order.
    let below: [UInt8] = [0xeb] + [UInt8](repeating: 0xff, count: 30) + [0x7f]
    #expect(try AgeRecipient(Bech32.encode("age", below)).publicKey == below)
  }

  @Test("A secret key in place of a recipient is in no message")
  func secretInPlace() {
    for text in [AgeExample.identityText, AgeExample.identityText.lowercased()] {
      let error = cryptoError { _ = try AgeRecipient(text) }
      #expect(error?.message.contains("age-keygen -y") == true)
      #expect(error?.message.uppercased().contains("GFPYYSJZ") == false)
    }
  }

  @Test("A file of recipients is read as age reads it: comments, empty lines, both ends of lines")
  func recipients() throws {
    let other = try AgeExample.anyIdentity().recipient
    let text = "# ann\n\(AgeExample.recipientText)\r\n\n\(other)\n\(AgeExample.recipientText)"
    let recipients = try AgeRecipient.list(in: Array(text.utf8))
    #expect(recipients.map(\.description) == [AgeExample.recipientText, "\(other)"])
    func message(_ text: String) -> CryptoError? {
      cryptoError { _ = try AgeRecipient.list(in: Array(text.utf8)) }
    }
    #expect(message("")?.message == "there is no recipient in it")
    #expect(message("# none\n")?.code == .malformed)
    #expect(message("# a\n\(other)\n \(other)\n")?.message.hasPrefix("line 3: ") == true)
    let many = try (0..<17).map { _ in "\(try AgeExample.anyIdentity().recipient)\n" }
    #expect(message(many.joined())?.code == .limitExceeded)
    #expect(message(many.dropLast().joined()) == nil)
  }

  @Test("A file of identities is read as age-keygen writes it")
  func identities() throws {
    let text = """
      # created: 2026-11-30T10:00:00Z
      # public key: \(AgeExample.recipientText)
      \(AgeExample.identityText)

      """
    let identities = try AgeIdentity.list(in: Array(text.utf8))
    #expect(identities.map { "\($0.recipient)" } == [AgeExample.recipientText])
  }

  @Test(
    "An identity that is none is told of by its line, and nothing of it",
    arguments: [
      ("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEQ", "checksum"),
      ("age-secret-key-1gfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpq4egaex", "age-keygen"),
      ("AGE-SECRET-KEY-PQ-1GFPYYSJZGFPYYSJZ", "another type"),
      ("AGE-PLUGIN-GFPYYSJZ-1", "another type"),
      ("-----BEGIN OPENSSH PRIVATE KEY-----", "another type"), ("GFPYYSJZ", "age-keygen"),
      ("age-encryption.org/v1", "itself encrypted"),
      ("-----BEGIN AGE ENCRYPTED FILE-----", "itself encrypted"),
    ])
  func badIdentity(line: String, word: String) throws {
    let file = Array("# a\n\(AgeExample.identityText)\n\(line)\n".utf8)
    let error = try #require(cryptoError { _ = try AgeIdentity.list(in: file) })
    #expect(error.message.hasPrefix("line 3: ") && error.message.contains(word), "\(error)")
    #expect(!error.message.uppercased().contains("GFPYYSJZ"))
    #expect(cryptoError { _ = try AgeIdentity.list(in: Array("# a\n".utf8)) }?.code == .malformed)
    let many = Array(String(repeating: "\(AgeExample.identityText)\n", count: 65).utf8)
    #expect(cryptoError { _ = try AgeIdentity.list(in: many) }?.code == .limitExceeded)
  }
}
