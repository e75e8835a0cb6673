import Testing

@testable import Crypto

/// Files that a holder of the file key has written, and that are no age files all the same: what they say is authentic.
@Suite("Forged files of age")
struct AgeForgedFileTests {
  private let fileKey = SecretBytes(random: AgeFile.keySize)
  private let identity: AgeIdentity
  /// The stanza that wraps the file key for the identity, in two lines.
  private let share: String
  private let body: String

  init() throws {
    identity = try AgeExample.identity()
    let stanza = try identity.recipient.stanza(wrapping: fileKey)
    share = stanza.arguments[0]
    body = AgeHeader.base64(stanza.body)
  }

  private var stanza: String { "-> X25519 \(share)\n\(body)\n" }

  private func code(of text: String) throws -> String {
    let key = try KeyDerivation.key(from: fileKey, purpose: Array("header".utf8))
    return AgeHeader.base64(MessageAuthenticator(key: key).code(for: Array("\(text)---".utf8)))
  }

  /// - Parameters:
  ///   - text: of the header, without its last line.
  ///   - end: the last line; nil: as it should be.
  private func file(
    _ text: String, end: String? = nil, pieces: [(bytes: [UInt8], isLast: Bool)] = [([7], true)]
  ) throws -> [UInt8] {
    let nonce = Random.bytes(AgePayload.nonceSize)
    let payload = try AgePayload(fileKey: fileKey, nonce: nonce)
    let end = try end ?? "--- \(code(of: text))\n"
    var file = Array((text + end).utf8) + nonce
    for (index, piece) in pieces.enumerated() {
      file += try payload.sealed(piece.bytes, UInt64(index), isLast: piece.isLast)
    }
    return file
  }

  private func error(_ file: [UInt8]) -> CryptoError? {
    cryptoError { _ = try AgeFile.decrypted(file, by: [identity]) }
  }

  private let first = "age-encryption.org/v1\n"

  @Test("What stands beside the stanza for an identity does not matter")
  func others() throws {
    let grease = "-> grease !\"#$%&'()*+,-./ {|}~ 0123456789:;<=>?@\n\n"
    let full = "-> example.com/enigma\n\(String(repeating: "A", count: 64))\n\n"
    for text in [stanza, grease + stanza, stanza + full, full + grease + stanza + grease] {
      #expect(try AgeFile.decrypted(file(first + text), by: [identity]) == [7], "\(text)")
    }
  }

  /// The text with one of the bits set that its last character has beside those of the last byte.
  private func withTrailingBit(_ text: String) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    let last = text.last.flatMap { alphabet.firstIndex(of: $0) } ?? 0
    return String(text.dropLast()) + String(alphabet[last | 1])
  }

  @Test("A header that is not written in its one way is refused")
  func form() throws {
    let good = stanza
    let texts = [
      "the share's base64 is not canonical": "-> X25519 \(withTrailingBit(share))\n\(body)\n",
      "the body's base64 is not canonical": "-> X25519 \(share)\n\(withTrailingBit(body))\n",
      "the share's base64 is padded": "-> X25519 \(share)=\n\(body)\n",
      "the body's base64 is padded": "-> X25519 \(share)\n\(body)=\n",
      "one argument too many": "-> X25519 \(share) \(share)\n\(body)\n",
      "no share": "-> X25519\n\(body)\n", "an empty argument": "-> X25519  \(share)\n\(body)\n",
      "a space at the end": "-> X25519 \(share) \n\(body)\n", "no arguments": "-> \n\n\(good)",
      "no space": "->X25519 \(share)\n\(body)\n",
      "another beginning": "-- X25519 \(share)\n\(body)\n",
      "a control character": "-> a\u{1}b\n\n\(good)", "a letter beyond ASCII": "-> ä\n\n\(good)",
      "a carriage return": "-> X25519 \(share)\r\n\(body)\r\n", "no body": "-> X25519 \(share)\n",
      "a body in short lines": "-> X25519 \(share)\n\(body.prefix(20))\n\(body.dropFirst(20))\n",
      "a long line": "-> long\n\(String(repeating: "A", count: 68))\n\n\(good)",
      "no last line": "-> long\n\(String(repeating: "A", count: 64))\n\(good)",
      "no stanza": "", "an empty line": "\n\(good)",
      "a passphrase among others": "\(good)-> scrypt AAAAAAAAAAAAAAAAAAAAAA 10\n\(body)\n",
      "two passphrases": String(
        repeating: "-> scrypt AAAAAAAAAAAAAAAAAAAAAA 10\n\(body)\n", count: 2),
      "a short share": "-> X25519 \(AgeHeader.base64(Random.bytes(31)))\n\(body)\n",
      "a long share": "-> X25519 \(AgeHeader.base64(Random.bytes(33)))\n\(body)\n",
    ]
    for (name, text) in texts {
      #expect(error(try file(first + text))?.code == .malformed, "\(name)")
    }
    for point in AgeKeyTests.lowOrder {
      let text = "-> X25519 \(AgeHeader.base64(point))\n\(body)\n"
      #expect(error(try file(first + text))?.code == .malformed, "\(point)")
    }
    let long = try identity.recipient.stanza(wrapping: SecretBytes(random: 17))
    let text = "-> X25519 \(long.arguments[0])\n\(AgeHeader.base64(long.body))\n"
    #expect(error(try file(first + text))?.code == .malformed)
  }

  @Test("A last line that is not written in its one way is refused")
  func end() throws {
    let text = first + stanza
    let code = try code(of: text)
    for end in [
      "---\(code)\n", "---  \(code)\n", "--- \(code) \n", "--- \(code)=\n", "--- \(code)AAAA\n",
      "--- \(withTrailingBit(code))\n", "--- \(code.dropLast())\n", "---\n", "--- \n",
      "-- \(code)\n",
      "--- \(code)\r\n", "",
    ] {
      #expect(error(try file(text, end: end))?.code == .malformed, "\(end)")
    }
    let other = AgeHeader.base64(Random.bytes(32))
    #expect(error(try file(text, end: "--- \(other)\n"))?.code == .sealBroken)
  }

  @Test("Files of other types and versions, and in other forms, are named as such")
  func unsupported() throws {
    let texts = [
      ("age-encryption.org/v2\n\(stanza)", "later version"),
      ("age-encryption.org/v1\r\n\(stanza)", "later version"),
      ("\(first)-> scrypt AAAAAAAAAAAAAAAAAAAAAA 10\n\(body)\n", "passphrase"),
      ("\(first)-> ssh-ed25519 AAAAAA \(share)\n\(body)\n", "X25519"),
      ("\(first)-> x25519 \(share)\n\(body)\n", "X25519"),
      ("-----BEGIN AGE ENCRYPTED FILE-----\n", "armored"),
    ]
    for (text, word) in texts {
      let error = try #require(error(try file(text)))
      #expect(error.code == .unsupported && error.message.contains(word), "\(error)")
    }
    #expect(error(Array("omnid backup 1\n".utf8))?.code == .malformed)
    #expect(error([])?.code == .malformed)
  }

  @Test("A header has 64 stanzas and 16 KiB at most")
  func limits() throws {
    let grease = "-> grease\n\n"
    func repeated(_ count: Int) -> String { first + String(repeating: grease, count: count) }
    #expect(error(try file(repeated(63) + stanza)) == nil)
    #expect(error(try file(repeated(64) + stanza))?.code == .limitExceeded)
    let wide = "-> grease \(String(repeating: "a", count: 16_000))\n\n"
    #expect(error(try file(first + wide + stanza)) == nil)
    #expect(error(try file(first + wide + grease + wide + stanza))?.code == .limitExceeded)
    let endless = Array(first.utf8) + [UInt8](repeating: UInt8(ascii: "A"), count: 1 << 20)
    #expect(error(endless)?.code == .limitExceeded)
  }

  @Test("Pieces that are missing, added, empty or marked otherwise are refused")
  func pieces() throws {
    let full = [UInt8](repeating: 1, count: AgePayload.chunkSize)
    let text = first + stanza
    let wrong: [[(bytes: [UInt8], isLast: Bool)]] = [
      [], [([], false)], [([7], false)], [(full, false)], [(full, false), ([], true)],
      [(full, false), (full, false)], [(full, true), (full, true)], [([7], true), ([7], true)],
      [([7], false), ([7], true)], [(full, true), ([7], true)], [(full, false), ([7], false)],
    ]
    for pieces in wrong {
      #expect(
        error(try file(text, pieces: pieces))?.code == .sealBroken,
        "\(pieces.map { ($0.bytes.count, $0.isLast) })")
    }
    for good in [[([], true)], [(full, true)], [(full, false), (full, true)]]
      as [[(bytes: [UInt8], isLast: Bool)]]
    {
      let opened = try AgeFile.decrypted(file(text, pieces: good), by: [identity])
      #expect(opened == good.flatMap(\.bytes))
      #expect(error(try file(text, pieces: good) + [0])?.code == .sealBroken)
    }
    // In another order.
    var swapped = try file(
      text, pieces: [(full, false), (full.map { $0 + 1 }, false), ([7], true)])
    let size = AgePayload.chunkSize + AEAD.tagSize
    let begin = swapped.count - 2 * size - AEAD.tagSize - 1
    let one = swapped[begin..<(begin + size)]
    let two = swapped[(begin + size)..<(begin + 2 * size)]
    swapped.replaceSubrange(begin..<(begin + 2 * size), with: Array(two) + Array(one))
    #expect(error(swapped)?.code == .sealBroken)
  }
}
