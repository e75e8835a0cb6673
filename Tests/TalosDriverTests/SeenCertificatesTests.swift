import Crypto
import Testing

@testable import TalosDriver

@Suite("Certificates that are parsed once")
struct SeenCertificatesTests {
  private func authority() throws -> Authority {
    try Authority.generate(.talos, now: 1_700_000_000)
  }

  @Test("What is kept is what the bytes say, and keys beside certificates are skipped")
  func same() throws {
    let seen = SeenCertificates(limit: 8)
    let one = try authority()
    let two = try authority()
    let text = one.certificate.pem + (try PrivateKey.generate(.ed25519).pem) + two.certificate.pem
    for _ in 0..<2 {
      #expect(try seen.bundle(pem: text) == [one.certificate, two.certificate])
      #expect(try seen.certificate(der: one.certificate.der) == one.certificate)
    }
  }

  @Test("What is no certificate is refused each time, and the number of those kept is bounded")
  func bounded() throws {
    let seen = SeenCertificates(limit: 2)
    for _ in 0..<2 {
      #expect(throws: CryptoError.self) { try seen.certificate(der: [0x30, 1, 2]) }
    }
    for _ in 0..<5 {
      let made = try authority().certificate
      #expect(try seen.certificate(der: made.der).fingerprint == made.fingerprint)
      #expect(seen.count <= 2)
    }
  }
}
