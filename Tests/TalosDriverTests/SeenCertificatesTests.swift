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
    let seen = SeenCertificates(limit: 8, bytes: 1 << 20)
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
    let seen = SeenCertificates(limit: 2, bytes: 1 << 20)
    for _ in 0..<2 {
      #expect(throws: CryptoError.self) { try seen.certificate(der: [0x30, 1, 2]) }
    }
    for _ in 0..<5 {
      let made = try authority().certificate
      #expect(try seen.certificate(der: made.der).fingerprint == made.fingerprint)
      #expect(seen.count <= 2)
    }
    let size = try authority().certificate.der.count
    let few = SeenCertificates(limit: 100, bytes: size * 3)
    for _ in 0..<9 {
      _ = try few.certificate(der: try authority().certificate.der)
      #expect(few.count <= 3)
    }
    let none = SeenCertificates(limit: 100, bytes: 10)
    _ = try none.certificate(der: try authority().certificate.der)
    #expect(none.count == 0)
  }
}
