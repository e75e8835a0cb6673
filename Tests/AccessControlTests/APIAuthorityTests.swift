import Access
import AccessControl
import Crypto
import Rotation
import Testing

@Suite("omnid's own CA")
struct APIAuthorityTests {
  private static let now = Instant(secondsSince1970: 1_800_000_000)

  private func authority() throws -> (APIAuthority, SealedAPIAuthority, Sealer) {
    let sealer = try Sealer(masterKey: SecretBytes(random: Sealer.keySize))
    let sealed = try APIAuthority.make(sealer, now: Self.now)
    return (try APIAuthority(sealed, sealer: sealer, signsCertificates: true), sealed, sealer)
  }

  @Test("The key is sealed, and opens under the same master key and for the same certificate only")
  func sealed() throws {
    let (_, first, sealer) = try authority()
    let (_, second, other) = try authority()
    #expect(throws: CryptoError.self) {
      try APIAuthority(first, sealer: other, signsCertificates: true)
    }
    let mixed = SealedAPIAuthority(
      certificatePEM: first.certificatePEM,
      sealedKey: try APIAuthority.make(sealer, now: Self.now).sealedKey)
    #expect(throws: CryptoError.self) {
      try APIAuthority(mixed, sealer: sealer, signsCertificates: true)
    }
    #expect(first != second)
  }

  @Test("A client certificate bears the role that was granted, whatever the request asks for")
  func client() throws {
    let (authority, _, _) = try authority()
    let key = try PrivateKey.generate(.ecdsaP256)
    let request = try CertificateRequest(
      key: key, organizations: ["omni:admin"], commonName: "root", dnsNames: ["omnid"])
    let signed = try authority.sign(
      request.pem, name: "alice", role: .reader, validity: .seconds(3600), now: Self.now)
    let certificate = try Certificate(pem: signed.pem)
    #expect(certificate.subject == "O=omni:reader, CN=alice")
    #expect(certificate.dnsNames.isEmpty && !certificate.isCA)
    #expect(certificate.serialHex == signed.serial)
    #expect(signed.expiresAt == Self.now.advanced(by: .seconds(3600)))
    let seconds = Self.now.secondsSince1970
    try ChainVerification.verify(
      certificate, roots: [authority.certificate], purpose: .client, at: seconds)
    #expect(throws: CryptoError.self) {
      try ChainVerification.verify(
        certificate, roots: [authority.certificate], purpose: .server, at: seconds)
    }
  }

  @Test("What is no request, or was signed by another key, is refused")
  func malformed() throws {
    let (authority, _, _) = try authority()
    let request = try CertificateRequest(key: try PrivateKey.generate(.ecdsaP256))
    var broken = request.der
    broken[broken.count - 1] ^= 1
    for text in ["", "x", try PrivateKey.generate(.ecdsaP256).pem] {
      #expect(throws: AccessError.self) {
        try authority.sign(
          text, name: "a", role: .reader, validity: .seconds(60), now: Self.now)
      }
    }
    #expect(throws: CryptoError.self) { try CertificateRequest(der: broken) }
  }

  @Test("The server's own certificate is for its names, and lasts 90 days")
  func server() throws {
    let (authority, _, _) = try authority()
    let identity = try authority.serverIdentity(
      dnsNames: ["omnid.example"], ipAddresses: ["192.0.2.1"], now: Self.now)
    #expect(identity.certificate.dnsNames == ["omnid.example"])
    #expect(identity.certificate.ipAddresses == ["192.0.2.1"])
    #expect(identity.certificate.notAfter == Self.now.secondsSince1970 + 90 * 86_400)
  }

  @Test("Tokens are long, different, and known by their hash")
  func tokens() throws {
    let (authority, _, _) = try authority()
    let tokens = (0..<100).map { _ in authority.makeToken() }
    #expect(Set(tokens.map(\.text)).count == 100 && Set(tokens.map(\.id)).count == 100)
    for token in tokens {
      #expect(token.text.hasPrefix("omni_") && token.text.count == 5 + 43)
      #expect(authority.hash(ofToken: token.text) == token.hash && token.hash.count == 32)
      #expect(!token.id.contains(token.text.suffix(8)))
    }
    for text in ["", "omni", "Omni_x", "omni_" + String(repeating: "x", count: 200)] {
      #expect(authority.hash(ofToken: text) == nil)
    }
  }
}
