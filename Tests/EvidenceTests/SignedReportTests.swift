import Crypto
import Encodings
import Evidence
import Testing

@Suite("Signed reports")
struct SignedReportTests {
  private static func key(_ byte: UInt8) throws -> SigningKey {
    try SigningKey(seed: SecretBytes(copying: [UInt8](repeating: byte, count: 32)))
  }

  private let text = "omnid rotation report\n\nmachine a: refused\n"

  private func problem(_ document: String) -> String? {
    do throws(SignedReport.Invalid) {
      _ = try SignedReport(verifying: document)
      return nil
    } catch { return error.reason }
  }

  @Test("What was signed is verified, and says whose key it was")
  func roundTrip() throws {
    let report = try SignedReport(signing: text, with: try Self.key(1))
    #expect(report.document.hasPrefix(text))
    let read = try SignedReport(verifying: report.document)
    #expect(read == report && read.text == text)
    let other = try SignedReport(signing: text, with: try Self.key(2))
    #expect(read.keyFingerprint.count == 64 && read.keyFingerprint != other.keyFingerprint)
    // Blank lines behind the block are no part of what was signed.
    #expect(try SignedReport(verifying: report.document + "\n\n") == report)
  }

  @Test("Every byte that is changed shows")
  func everyByte() throws {
    let document = Array(try SignedReport(signing: text, with: try Self.key(1)).document.utf8)
    for index in document.indices {
      for change in [UInt8(1), 0x20] {
        var changed = document
        changed[index] ^= change
        guard let text = String(validating: changed, as: UTF8.self) else { continue }
        let isBehind = index == document.count - 1
        #expect(problem(text) != nil || isBehind, "byte \(index)")
      }
    }
  }

  @Test(
    "A report that was cut, extended, or carried over to another text is refused with the reason")
  func refused() throws {
    let report = try SignedReport(signing: text, with: try Self.key(1))
    let document = report.document
    #expect(problem(text) == "has no signature")
    #expect(problem("") == "has no signature")
    #expect(problem(document.replacing("\n", with: "\r\n"))?.contains("line breaks") == true)
    #expect(problem(document + "and more\n")?.contains("goes on behind") == true)
    #expect(problem("x" + document)?.contains("was changed") == true)
    let lines = document.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(problem(lines.dropLast(2).joined(separator: "\n")) != nil)
    #expect(problem(lines.dropLast(3).joined(separator: "\n")) != nil)
    #expect(problem(document.replacing("signature: ", with: "sig: ")) != nil)
    let other = try SignedReport(signing: text, with: try Self.key(2))
    let foreign = document.replacing(
      Base64.encode(report.publicKey), with: Base64.encode(other.publicKey))
    #expect(problem(foreign)?.contains("was changed") == true)
  }

  @Test("A text cannot bring a signature's first line along")
  func injection() throws {
    let key = try Self.key(1)
    #expect(throws: CryptoError.self) {
      try SignedReport(signing: "a\n-----BEGIN OMNID SIGNATURE-----\nb\n", with: key)
    }
  }

  @Test("Signatures are those of RFC 8032, section 7.1, test 2")
  func vector() throws {
    let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    let key = try SigningKey(seed: SecretBytes(copying: seed))
    #expect(
      key.publicKey == hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"))
    #expect(
      try key.signature(of: [0x72])
        == hex(
          "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"))
  }

  @Test("A key or signature of another size is not accepted, and no crash")
  func sizes() throws {
    #expect(throws: CryptoError.self) { try SigningKey(seed: SecretBytes(copying: [1, 2, 3])) }
    #expect(!SigningKey.accepts([], of: [], by: []))
    #expect(!SigningKey.accepts([1], of: [], by: [UInt8](repeating: 0, count: 32)))
  }

  @Test("The chain's hash is made of each part and its length")
  func chain() {
    let parts = ["1", "2", "0", "a", "b", "c", "d", "e", "f"]
    let hash = AuditChain.hash(of: parts, after: [])
    #expect(hash.count == 32)
    for index in parts.indices {
      var changed = parts
      changed[index] += "x"
      #expect(AuditChain.hash(of: changed, after: []) != hash)
    }
    var moved = parts
    moved[3] = "ab"
    moved[4] = ""
    #expect(AuditChain.hash(of: moved, after: []) != hash)
    #expect(AuditChain.hash(of: parts, after: [0]) != hash)
    #expect(
      hash
        == SHA256.digest(Array("13:omnid audit 11:11:21:01:a1:b1:c1:d1:e1:f".utf8)))
  }
}

private func hex(_ text: String) -> [UInt8] {
  let digits = text.compactMap(\.hexDigitValue).map(UInt8.init)
  return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
