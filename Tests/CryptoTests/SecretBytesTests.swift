import Foundation
import Testing

@testable import Crypto

@Suite("Secrets in memory")
struct SecretBytesTests {
  /// The lines of `/proc/self/smaps` about the mapping that holds an address. The kernel gives the file piece
  /// by piece, and one that other threads change meanwhile may lack a line: it is read a few times.
  private static func mapping(at address: UInt) throws -> [String] {
    for _ in 0..<9 {
      if let found = try lines(at: address) { return found }
    }
    return try #require(try lines(at: address))
  }

  private static func lines(at address: UInt) throws -> [String]? {
    // To its end: the file has no size of its own, and many mappings make it long.
    let file = try #require(FileHandle(forReadingAtPath: "/proc/self/smaps"))
    let text = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
    let lines = text.split(separator: "\n").map(String.init)
    func range(_ line: String) -> ClosedRange<UInt>? {
      let ends = line.prefix { $0 != " " }.split(separator: "-").map { UInt($0, radix: 16) }
      guard ends.count == 2, let low = ends[0], let high = ends[1], low < high else { return nil }
      return low...high - 1
    }
    guard let first = lines.firstIndex(where: { range($0)?.contains(address) == true }) else {
      return nil
    }
    return Array(lines[first...].prefix { $0 == lines[first] || range($0) == nil })
  }

  @Test("A secret lies in pages that are kept out of dumps and locked where that is allowed")
  func pages() throws {
    let secret = SecretBytes(copying: Array("precious".utf8))
    let address = secret.withPointer { UInt(bitPattern: $0) }
    let mapping = try withExtendedLifetime(secret) { try Self.mapping(at: address) }
    let flags = try #require(mapping.last { $0.hasPrefix("VmFlags:") })
    #expect(flags.contains(" dd"), "not left out of dumps: \(flags)")
    #expect(flags.contains(" lo") || SecretBytes.lockRefusal != nil, "\(flags)")
  }

  @Test("A secret gives back what was put in, also when it is larger than a page")
  func contents() {
    for count in [0, 1, 32, 4096, 10_000] {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
      let secret = SecretBytes(copying: bytes)
      #expect(secret.copy() == bytes)
      #expect(secret.withSpan { span in span.count } == count)
      #expect(secret.isEqual(to: SecretBytes(copying: bytes)))
      #expect(!secret.isEqual(to: SecretBytes(copying: bytes + [0])))
    }
    #expect(!SecretBytes(random: 32).isEqual(to: SecretBytes(random: 32)))
  }

  @Test("What is taken over is wiped where it was")
  func taking() {
    var bytes = Array("precious".utf8)
    let secret = SecretBytes(taking: &bytes)
    #expect(bytes.isEmpty && secret.copy() == Array("precious".utf8))
    var others = Array("precious".utf8)
    others.wipe()
    #expect(others == [UInt8](repeating: 0, count: 8))
  }

  @Test("A secret does not show in descriptions")
  func description() {
    let secret = SecretBytes(copying: Array("precious".utf8))
    #expect("\(secret) \(String(reflecting: secret))" == "secret of 8 bytes secret of 8 bytes")
    #expect(Mirror(reflecting: secret).children.isEmpty)
  }

  @Test("A key goes through protected memory and back")
  func keys() throws {
    for algorithm in [KeyAlgorithm.ed25519, .ecdsaP256, .rsa(bits: 2048)] {
      let key = try PrivateKey.generate(algorithm)
      #expect(String(decoding: key.secretPEM.copy(), as: UTF8.self) == key.pem)
      #expect(try PrivateKey(pem: key.secretPEM).pem == key.pem)
    }
    #expect(code { _ = try PrivateKey(pem: SecretBytes(copying: [1])) } == .malformed)
  }
}
