import Crypto
import TestSupport
import Testing

@Suite("PEM texts, certificates and keys")
struct PEMTests {
  let certificates = [Fixtures.talosOld, Fixtures.talosNew, Fixtures.kubernetesOld].map(
    \.certificate)

  @Test(
    "a bundle is read with or without line breaks between its blocks, and other blocks are skipped")
  func bundles() throws {
    let texts = certificates.map(\.pem)
    let bare = texts.map { String($0.dropLast()) }
    #expect(try Certificate.bundle(pem: texts.joined()) == certificates)
    #expect(try Certificate.bundle(pem: bare.joined()) == certificates)
    #expect(try Certificate.bundle(pem: bare.joined(separator: "\n\n# old\n")) == certificates)
    #expect(
      try Certificate.bundle(pem: texts.joined().replacing("\n", with: "\r\n")) == certificates)
    let withKey = texts[0] + Fixtures.talosOld.key.pem + texts[1]
    #expect(try Certificate.bundle(pem: withKey) == Array(certificates[..<2]))
    #expect(try Certificate.bundle(pem: "no certificates here") == [])
    #expect(texts.allSatisfy { $0.hasSuffix("-----END CERTIFICATE-----\n") })
  }

  @Test("what is no certificate gets a clear error")
  func badCertificates() throws {
    let pem = certificates[0].pem
    let inputs = [
      "", "******", "-----BEGIN CERTIFICATE-----", pem.replacing("END CERT", with: "END CARD"),
      pem.replacing("MII", with: "M!I"), pem.replacing("-----END CERTIFICATE-----", with: ""),
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      Fixtures.talosOld.key.pem,
    ]
    for input in inputs {
      #expect(code { _ = try Certificate(pem: input) } == .malformed, "\(input.prefix(40))")
    }
    #expect(code { _ = try Certificate(der: certificates[0].der + [0]) } == .malformed)
    #expect(code { _ = try Certificate(der: certificates[0].der.dropLast()) } == .malformed)
    #expect(code { _ = try Certificate(der: []) } == .malformed)
    #expect(
      code { _ = try Certificate(der: [UInt8](repeating: 48, count: 1 << 20)) } == .limitExceeded)
    let huge = String(repeating: "x", count: 5 << 20)
    #expect(code { _ = try Certificate.bundle(pem: huge) } == .limitExceeded)
  }

  @Test("random changes to texts and DER are read or refused, never trapped on")
  func fuzz() {
    let text = Array(
      (certificates[0].pem + Fixtures.kubernetesOld.key.pem + certificates[1].pem).utf8)
    // A trap ends the process: the seed is told before.
    let seed = RandomSeed()
    print(seed)
    var generator = seed.generator
    for _ in 0..<3000 {
      var noisy = text
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let index = Int.random(in: 0..<noisy.count, using: &generator)
        switch Int.random(in: 0...2, using: &generator) {
        case 0: noisy[index] = .random(in: 0...255, using: &generator)
        case 1:
          let length = Int.random(in: 1...90, using: &generator)
          noisy.removeSubrange(index..<min(noisy.count, index + length))
        default: noisy.insert(contentsOf: Array("-----".utf8), at: index)
        }
      }
      let changed = String(decoding: noisy, as: UTF8.self)
      _ = try? Certificate.bundle(pem: changed)
      _ = try? PrivateKey(pem: changed)
      var der = certificates[0].der
      for _ in 0..<3 {
        der[Int.random(in: 0..<der.count, using: &generator)] =
          .random(in: 0...255, using: &generator)
      }
      if let read = try? Certificate(der: der) {
        _ = read.isSigned(by: certificates[0])
        _ = code {
          try ChainVerification.verify(read, roots: certificates, purpose: .any, at: nil)
        }
      }
    }
  }

  @Test("every label a key comes under is read, and Talos' label is written")
  func keyLabels() throws {
    let command = try OpenSSLCommand()
    defer { command.remove() }
    try command.run(
      """
      openssl genpkey -algorithm ed25519 -out ed25519
      openssl ecparam -name prime256v1 -genkey -out ec
      openssl pkcs8 -topk8 -nocrypt -in ec -out ec8
      openssl genrsa -traditional -out rsa 2048
      openssl pkcs8 -topk8 -nocrypt -in rsa -out rsa8
      openssl ecparam -name secp384r1 -genkey -noout -out ec384
      openssl pkcs8 -topk8 -passout pass:x -in ec -out encrypted
      openssl rsa -aes128 -passout pass:x -in rsa -traditional -out encryptedrsa
      """)
    let cases: [(String, String, KeyAlgorithm, String)] = [
      ("ed25519", "PRIVATE KEY", .ed25519, "ED25519 PRIVATE KEY"),
      ("ec", "EC PRIVATE KEY", .ecdsaP256, "EC PRIVATE KEY"),
      ("ec8", "PRIVATE KEY", .ecdsaP256, "EC PRIVATE KEY"),
      ("ec384", "EC PRIVATE KEY", .ecdsaP384, "EC PRIVATE KEY"),
      ("rsa", "RSA PRIVATE KEY", .rsa(bits: 2048), "RSA PRIVATE KEY"),
      ("rsa8", "PRIVATE KEY", .rsa(bits: 2048), "RSA PRIVATE KEY"),
    ]
    for (file, label, algorithm, written) in cases {
      let text = try command.read(file)
      #expect(text.contains("-----BEGIN \(label)-----"), "\(file)")
      let key = try PrivateKey(pem: text)
      #expect(key.algorithm == algorithm)
      #expect(key.pem.hasPrefix("-----BEGIN \(written)-----\n"))
      #expect(try PrivateKey(pem: key.pem).pkcs8 == key.pkcs8)
      // What we write is what the program has, seen through its own eyes.
      try command.write(key.pem.replacing("ED25519 PRIVATE", with: "PRIVATE"), to: "ours")
      let ours = try command.run("openssl pkey -in ours -pubout").output
      #expect(try command.run("openssl pkey -in \(file) -pubout").output == ours)
    }
    for file in ["encrypted", "encryptedrsa"] {
      let text = try command.read(file)
      #expect(code { _ = try PrivateKey(pem: text) } == .unsupported)
    }
    for text in ["", "******", certificates[0].pem] {
      #expect(code { _ = try PrivateKey(pem: text) } == .malformed)
    }
  }

  @Test("no description shows a key")
  func descriptions() throws {
    let authority = Fixtures.talosOld
    let secret = authority.key.pem.split(separator: "\n")[1]
    let identity = try authority.issue(.talosClient(), now: now)
    let sealer = try Sealer(masterKey: [UInt8](repeating: 65, count: 32))
    for value in [authority.key, authority, identity, sealer] as [Any] {
      var dumped = ""
      dump(value, to: &dumped)
      for text in ["\(value)", String(reflecting: value), dumped] {
        #expect(!text.contains(secret))
        #expect(!text.contains("65, 65"))
        #expect(!text.contains("0x"))
      }
    }
  }

  @Test("fingerprints agree with the openssl program")
  func fingerprints() throws {
    let command = try OpenSSLCommand()
    defer { command.remove() }
    let certificate = certificates[2]
    try command.write(certificate.pem, to: "c.pem")
    let hash = try command.run("openssl x509 -in c.pem -noout -fingerprint -sha256").output
    let digits = hash.split(separator: "=")[1].filter(\.isHexDigit).lowercased()
    #expect(certificate.fingerprint == digits)
    let spki = try command.run(
      """
      openssl x509 -in c.pem -noout -pubkey | openssl pkey -pubin -outform der | \
      openssl dgst -sha256 -binary | base64
      """
    ).output
    #expect(certificate.publicKeyFingerprint + "\n" == spki)
    let serial = try command.run("openssl x509 -in c.pem -noout -serial").output
    #expect(serial.lowercased().contains(certificate.serialHex))
  }
}
