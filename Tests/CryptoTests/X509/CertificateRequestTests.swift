import Crypto
import TestSupport
import Testing

@Suite("Certificate requests")
struct CertificateRequestTests {
  @Test(
    "a request says what was asked, and its key is the one that gets signed",
    arguments: KeyKind.allCases)
  func roundTrip(kind: KeyKind) throws {
    let key = try PrivateKey.generate(kind.authority.key.algorithm)
    let request = try CertificateRequest(
      key: key, organizations: ["system:nodes"], commonName: "system:node:w1", dnsNames: ["w1"],
      ipAddresses: ["10.0.0.7", "fd00::7"])
    let read = try CertificateRequest(pem: request.pem)
    #expect(read == request)
    #expect(read.subjectOrganizations == ["system:nodes"])
    #expect(read.commonName == "system:node:w1")
    #expect(read.dnsNames == ["w1"])
    #expect(read.ipAddresses == ["10.0.0.7", "fd00::7"])
    let authority = Fixtures.talosOld
    let leaf = LeafRequest(following: read, usages: [.client, .server], validity: 3600)
    let certificate = try authority.sign(read, as: leaf, now: now)
    #expect(key.matches(certificate))
    #expect(certificate.ipAddresses == read.ipAddresses)
    #expect(certificate.subject == "O=system:nodes, CN=system:node:w1")
    for purpose in [ChainVerification.Purpose.client, .server] {
      try ChainVerification.verify(
        certificate, roots: [authority.certificate], purpose: purpose, at: now)
    }
  }

  @Test("an authority may grant other names than were asked for")
  func otherNames() throws {
    let key = try PrivateKey.generate(.ed25519)
    let request = try CertificateRequest(key: key, organizations: ["os:admin"])
    let certificate = try Fixtures.talosOld.sign(
      request, as: .apidServer(dnsNames: ["w1"], ipAddresses: []), now: now)
    #expect(certificate.subjectOrganizations.isEmpty)
    #expect(certificate.dnsNames == ["w1"])
  }

  @Test("the openssl program reads our requests, and we read its")
  func matchesTheProgram() throws {
    let command = try OpenSSLCommand()
    defer { command.remove() }
    let request = try CertificateRequest(
      key: PrivateKey.generate(.ecdsaP256), organizations: ["a"], commonName: "b", dnsNames: ["w1"])
    try command.write(request.pem, to: "r.pem")
    let text = try command.run("openssl req -in r.pem -noout -text -verify").output
    #expect(text.contains("verify OK"))
    #expect(text.contains("DNS:w1"))
    try command.run(
      """
      openssl req -new -newkey rsa:2048 -nodes -keyout k.pem -out theirs.pem -subj "/O=x/CN=y" \
      -addext "subjectAltName=DNS:z,IP:1.2.3.4,email:a@b.c"
      """)
    let theirs = try CertificateRequest(pem: command.read("theirs.pem"))
    #expect(theirs.commonName == "y")
    #expect(theirs.dnsNames == ["z"])
    #expect(theirs.ipAddresses == ["1.2.3.4"])
    #expect(theirs.keyAlgorithm == .rsa(bits: 2048))
  }

  @Test("a request that its key did not sign, or that is none, is refused")
  func badRequests() throws {
    let request = try CertificateRequest(key: PrivateKey.generate(.ed25519), organizations: ["abc"])
    var der = request.der
    der[der.count - 3] ^= 1
    #expect(code { _ = try CertificateRequest(der: der) } == .verificationFailed)
    #expect(code { _ = try CertificateRequest(der: request.der + [0]) } == .malformed)
    #expect(code { _ = try CertificateRequest(pem: "") } == .malformed)
    // A trap ends the process: the seed is told before.
    let seed = RandomSeed()
    print(seed)
    var generator = seed.generator
    for _ in 0..<500 {
      var noisy = request.der
      noisy[Int.random(in: 0..<noisy.count, using: &generator)] =
        .random(in: 0...255, using: &generator)
      _ = try? CertificateRequest(der: noisy)
    }
  }
}
