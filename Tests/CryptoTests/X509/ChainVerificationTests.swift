import Crypto
import Testing

@Suite("Chain verification")
struct ChainVerificationTests {
  /// What the program signs during a test is not valid before it.
  private let later = now + 600

  private func message(_ body: () throws -> Void) -> String? {
    do { try body() } catch { return (error as? CryptoError)?.message }
    return nil
  }

  @Test("time, purpose and issuer each have their words")
  func reasons() throws {
    let authority = Fixtures.talosOld
    let root = authority.certificate
    let leaf = try authority.issue(.talosClient(validity: 1000), now: now).certificate
    func words(
      _ roots: [Certificate], _ purpose: ChainVerification.Purpose, _ time: Int64?
    ) -> String {
      message { try ChainVerification.verify(leaf, roots: roots, purpose: purpose, at: time) }
        ?? "ok"
    }
    #expect(words([root], .client, now) == "ok")
    #expect(words([root], .any, nil) == "ok")
    #expect(words([root], .client, now + 2000).contains("has expired"))
    #expect(words([root], .client, now + 2000).contains("subject O=os:admin, issuer O=talos"))
    #expect(words([root], .client, nil) == "ok")
    #expect(words([root], .client, now - 4000).contains("is not yet valid"))
    #expect(words([root], .server, now).contains("not meant for this use"))
    #expect(words([Fixtures.talosNew.certificate], .client, now).contains("unknown issuer"))
    #expect(words([], .client, now).contains("unknown issuer"))
    #expect(words([Fixtures.talosNew.certificate, root], .client, now) == "ok")
  }

  @Test("roots with the same subject are told apart by signature where no key identifier helps")
  func withoutKeyIdentifiers() throws {
    let command = try OpenSSLCommand()
    defer { command.remove() }
    for name in ["old", "new"] {
      try command.run(
        """
        openssl req -x509 -newkey ed25519 -nodes -keyout \(name).key -out \(name).crt -subj /O=talos \
        -days 30 -addext subjectKeyIdentifier=none -addext authorityKeyIdentifier=none
        openssl req -new -newkey ed25519 -nodes -keyout leaf.key -out leaf.csr -subj /O=os:admin
        openssl x509 -req -in leaf.csr -CA \(name).crt -CAkey \(name).key -CAcreateserial \
        -days 10 -out \(name)-leaf.crt
        """)
    }
    let roots = try ["old", "new"].map { try Certificate(pem: command.read("\($0).crt")) }
    for name in ["old", "new"] {
      let leaf = try Certificate(pem: command.read("\(name)-leaf.crt"))
      #expect(leaf.authorityKeyID == nil)
      for order in [roots, roots.reversed()] {
        try ChainVerification.verify(leaf, roots: order, purpose: .client, at: later)
      }
    }
  }

  @Test(
    "a root that is signed by another may be trusted alone, and a leaf does not become an authority"
  )
  func anchors() throws {
    let root = Fixtures.kubernetesOld
    let command = try OpenSSLCommand()
    defer { command.remove() }
    try command.write(root.certificate.pem, to: "root.pem")
    try command.write(root.key.pem, to: "root.key")
    try command.run(
      """
      printf 'basicConstraints=critical,CA:TRUE\\nsubjectKeyIdentifier=hash\\nkeyUsage=keyCertSign' > ext
      openssl ecparam -name prime256v1 -genkey -noout -out cross.key
      openssl req -new -key cross.key -subj /O=kubernetes -out cross.csr
      openssl x509 -req -in cross.csr -CA root.pem -CAkey root.key -CAcreateserial -days 30 \
      -extfile ext -out cross.pem
      """)
    let cross = try Authority(
      certificatePEM: command.read("cross.pem"), keyPEM: command.read("cross.key"))
    #expect(cross.certificate.isSigned(by: root.certificate))
    let leaf = try cross.issue(.kubernetesAdmin(), now: now).certificate
    try ChainVerification.verify(leaf, roots: [cross.certificate], purpose: .client, at: later)
    try ChainVerification.verify(
      leaf, intermediates: [cross.certificate], roots: [root.certificate], purpose: .client,
      at: later
    )
    #expect(
      code {
        try ChainVerification.verify(leaf, roots: [root.certificate], purpose: .client, at: later)
      } == .verificationFailed)

    // A leaf that signs another leaf.
    let false1 = try root.issue(.kubernetesAdmin(), now: now)
    try command.write(false1.chainPEM, to: "false.pem")
    try command.write(false1.keyPEM, to: "false.key")
    try command.run(
      """
      openssl req -new -newkey ed25519 -nodes -keyout x.key -out x.csr -subj /CN=x
      openssl x509 -req -in x.csr -CA false.pem -CAkey false.key -CAcreateserial -days 1 -out x.pem
      """)
    let forged = try Certificate(pem: command.read("x.pem"))
    #expect(forged.isSigned(by: false1.certificate))
    #expect(
      code {
        try ChainVerification.verify(
          forged, intermediates: [false1.certificate], roots: [root.certificate], purpose: .client,
          at: later)
      } == .verificationFailed)
  }
}
