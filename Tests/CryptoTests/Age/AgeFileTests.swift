import Encodings
import TestSupport
import Testing

@testable import Crypto

@Suite("Files of age")
struct AgeFileTests {
  private let payload = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }

  private func code(_ file: [UInt8], _ identities: [AgeIdentity]? = nil) throws -> CryptoError.Code?
  {
    let identities = try identities ?? [AgeExample.identity()]
    return cryptoError { _ = try AgeFile.decrypted(file, by: identities) }?.code
  }

  @Test("What age 1.1.1 has encrypted opens")
  func foreign() throws {
    let text =
      "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSAwa1NvNHJGcSs3ZVp3Y1doK0JqZ0hqS0N2ck1PNnBwdUN5"
      + "ckxMdHhRY2hVCjRqRzhzMm42anBkMU9JUGc2UzBSMFYweWN1Tk5YMjlZaGpmNnFsdU82emcKLS0tIHh6VWxmYjdT"
      + "UXBKQmREdXVTK2JJRkJ1ZTQvdHcwOWdVQ2hlY3BMQktHVFUKRQNmdj6FX0w0Lvp0RrHMgB/uVF+e0OoI/pE4mjkA"
      + "0XNQnwbjiDbC"
    let file = try #require(Base64.decode(text))
    #expect(AgeFile.isOne(file))
    #expect(try AgeFile.decrypted(file, by: [AgeExample.identity()]) == Array("a store".utf8))
  }

  @Test(
    "What was encrypted opens as it was, also at the edges of its pieces",
    arguments: [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000])
  func roundTrip(size: Int) throws {
    let identity = try AgeExample.anyIdentity()
    let whole = Array(payload.prefix(size))
    let file = try AgeFile.encrypted([whole], to: [identity.recipient])
    #expect(try AgeFile.decrypted(file, by: [identity]) == whole)
    let seed = RandomSeed()
    var generator = seed.generator
    var parts: [[UInt8]] = []
    var rest = whole[...]
    while !rest.isEmpty {
      let count = [0, 1, 60_000, 65_536, 70_000].randomElement(using: &generator) ?? 1
      parts.append(Array(rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
    let pieces = try AgeFile.encrypted(parts + [[]], to: [identity.recipient])
    #expect(try AgeFile.decrypted(pieces, by: [identity]) == whole, "\(seed)")
    #expect(pieces.count == file.count)
  }

  @Test("Each of sixteen recipients opens the file alone, and nobody else does")
  func recipients() throws {
    let identities = try (0..<AgeRecipient.limit).map { _ in try AgeExample.anyIdentity() }
    let file = try AgeFile.encrypted([[1, 2, 3]], to: identities.map(\.recipient))
    for identity in identities {
      #expect(try AgeFile.decrypted(file, by: [identity]) == [1, 2, 3])
    }
    let other = try AgeExample.anyIdentity()
    #expect(try code(file, [other]) == .keyMismatch)
    #expect(try AgeFile.decrypted(file, by: [other, identities[7]]) == [1, 2, 3])
    #expect(try code(file, []) == .keyMismatch)
  }

  @Test(
    "Two files of the same bytes have nothing in common but their form, and hold nothing in clear")
  func secrecy() throws {
    let identity = try AgeExample.identity()
    let text = Array("a record that would be read".utf8)
    let one = try AgeFile.encrypted([text], to: [identity.recipient])
    let two = try AgeFile.encrypted([text], to: [identity.recipient])
    #expect(one.suffix(59) != two.suffix(59))
    #expect(!one.indices.contains { one[$0...].starts(with: text) })
  }

  @Test("A file of which any bit was changed is refused")
  func tampering() throws {
    let identity = try AgeExample.identity()
    let file = try AgeFile.encrypted([Array("store".utf8)], to: [identity.recipient])
    for index in file.indices {
      for bit in 0..<8 {
        var changed = file
        changed[index] ^= 1 << bit
        #expect(try code(changed, [identity]) != nil, "byte \(index), bit \(bit)")
      }
    }
    #expect(try code(file + [0], [identity]) == .sealBroken)
  }

  @Test("A file that was cut off at any byte is refused")
  func truncation() throws {
    let identity = try AgeExample.identity()
    let file = try AgeFile.encrypted([Array("store".utf8)], to: [identity.recipient])
    for end in file.indices {
      #expect(try code(Array(file.prefix(end)), [identity]) != nil, "\(end)")
    }
    // Behind each whole piece, and beside it.
    let long = try AgeFile.encrypted([payload], to: [identity.recipient])
    let begin = long.count - 200_000 - 4 * AEAD.tagSize
    for piece in 0..<4 {
      for end in [-1, 0, 1, 15, 16, 17] {
        let cut = Array(long.prefix(begin + piece * (AgePayload.chunkSize + AEAD.tagSize) + end))
        #expect(try code(cut, [identity]) == .sealBroken, "\(piece) \(end)")
      }
    }
    let atEdge = Array(long.prefix(begin + AgePayload.chunkSize + AEAD.tagSize))
    let error = cryptoError { _ = try AgeFile.decrypted(atEdge, by: [identity]) }
    #expect(error?.message.contains("ends before it is whole") == true)
  }
}
