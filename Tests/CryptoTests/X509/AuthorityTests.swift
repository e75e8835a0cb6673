import Crypto
import Testing

@Suite("Authorities and leaves")
struct AuthorityTests {
  @Test("the Talos authority is what Talos makes, as the openssl program reads it")
  func talosAuthority() throws {
    let authority = try Authority.generate(.talos, now: now)
    let text = try describe(authority.certificate)
    for line in [
      "Version: 3", "Signature Algorithm: ED25519", "Issuer: O = talos\n", "Subject: O = talos\n",
      "Public Key Algorithm: ED25519",
      "X509v3 Key Usage: critical\n                Digital Signature, Certificate Sign",
      "TLS Web Server Authentication, TLS Web Client Authentication",
      "X509v3 Basic Constraints: critical\n                CA:TRUE",
      "X509v3 Subject Key Identifier:",
    ] {
      #expect(text.contains(line), "\(line)")
    }
    #expect(!text.contains("Authority Key Identifier"))
    #expect(authority.key.pem.hasPrefix("-----BEGIN ED25519 PRIVATE KEY-----\n"))
    try expectCommonTraits(of: authority)
  }

  @Test("the Kubernetes authority is what Talos makes, as the openssl program reads it")
  func kubernetesAuthority() throws {
    let authority = try Authority.generate(.kubernetes, now: now)
    let text = try describe(authority.certificate)
    for line in [
      "Signature Algorithm: ecdsa-with-SHA256", "Issuer: O = kubernetes\n",
      "Subject: O = kubernetes\n", "NIST CURVE: P-256", "CA:TRUE",
    ] {
      #expect(text.contains(line), "\(line)")
    }
    #expect(authority.key.pem.hasPrefix("-----BEGIN EC PRIVATE KEY-----\n"))
    try expectCommonTraits(of: authority)
  }

  private func expectCommonTraits(of authority: Authority) throws {
    let certificate = authority.certificate
    #expect(certificate.notBefore == now - 3600)
    #expect(certificate.notAfter == now + 87_600 * 3600)
    #expect(certificate.isCA)
    #expect(certificate.commonName == nil)
    #expect(certificate.subjectKeyID?.count == 20)
    #expect(certificate.authorityKeyID == nil)
    #expect((31...32).contains(certificate.serialHex.count))
    #expect(certificate.isSigned(by: certificate))
    let other = try Authority.generate(.talos, now: now)
    #expect(other.certificate.subjectKeyID != certificate.subjectKeyID)
    #expect(other.certificate.serialHex != certificate.serialHex)
    #expect(!certificate.isSigned(by: other.certificate))
  }

  @Test("an authority read from its PEM texts issues as before; one that is none is refused")
  func reading() throws {
    let original = Fixtures.kubernetesOld
    let read = try Authority(certificatePEM: original.certificate.pem, keyPEM: original.key.pem)
    let leaf = try read.issue(.kubernetesAdmin(), now: now).certificate
    #expect(leaf.isSigned(by: original.certificate))
    #expect(
      code {
        _ = try Authority(certificate: original.certificate, key: Fixtures.kubernetesNew.key)
      } == .keyMismatch)
    let identity = try original.issue(.kubernetesAdmin(), now: now)
    #expect(
      code {
        _ = try Authority(certificate: identity.certificate, key: identity.key)
      } == .unsupported)
  }

  @Test("leaves say what Talos and Kubernetes look for")
  func leaves() throws {
    let talos = Fixtures.talosOld
    let kubernetes = Fixtures.kubernetesOld
    let roles = ["os:admin", "os:reader"]
    let admin = try talos.issue(.talosClient(roles: roles, validity: 3600), now: now).certificate
    #expect(admin.subjectOrganizations.sorted() == roles)
    #expect(admin.commonName == nil)
    #expect(admin.keyAlgorithm == .ed25519)
    #expect(admin.notAfter == now + 3600)
    #expect(admin.notBefore == now - 3600)
    #expect(admin.authorityKeyID == talos.certificate.subjectKeyID)
    #expect(!admin.isCA)

    let apid = try talos.issue(
      .apidServer(dnsNames: ["n1"], ipAddresses: ["10.0.0.1", "fd00::1"]), now: now)
    #expect(apid.certificate.dnsNames == ["n1"])
    #expect(apid.certificate.ipAddresses == ["10.0.0.1", "fd00::1"])
    #expect(apid.certificate.notAfter == now + 86_400)
    #expect(try talos.issue(.apidClient(), now: now).certificate.subject == "O=os:impersonator")

    let subjects: [(LeafRequest, String)] = [
      (.kubernetesAdmin(), "O=system:masters, CN=admin"),
      (
        .kubeAPIServer(dnsNames: ["kubernetes"], ipAddresses: []),
        "O=kube-master, CN=kube-apiserver"
      ),
      (.apiServerKubeletClient(), "O=system:masters, CN=apiserver-kubelet-client"),
      (.kubeletClient(nodeName: "w1"), "O=system:nodes, CN=system:node:w1"),
      (
        .kubeletServer(nodeName: "w1", dnsNames: ["w1"], ipAddresses: []),
        "O=system:nodes, CN=system:node:w1"
      ),
    ]
    for (request, subject) in subjects {
      let leaf = try kubernetes.issue(request, now: now).certificate
      #expect(leaf.subject == subject)
      #expect(leaf.keyAlgorithm == .ecdsaP256)
      let isClient = request.usages == [.client]
      try ChainVerification.verify(
        leaf, roots: [kubernetes.certificate], purpose: isClient ? .client : .server, at: now)
      #expect(
        code {
          try ChainVerification.verify(
            leaf, roots: [kubernetes.certificate], purpose: isClient ? .server : .client, at: now)
        } == .verificationFailed)
    }
  }

  @Test("the openssl program verifies our chains, for the purpose they have")
  func verifiedByTheProgram() throws {
    let command = try OpenSSLCommand()
    defer { command.remove() }
    for kind in KeyKind.allCases {
      let authority = kind.authority
      try command.write(authority.certificate.pem, to: "ca.pem")
      let client = try authority.issue(.talosClient(), now: now)
      try command.write(client.chainPEM, to: "client.pem")
      let verify = "openssl verify -x509_strict -CAfile ca.pem"
      #expect(try command.run("\(verify) -purpose sslclient client.pem").status == 0)
      #expect(try command.run("\(verify) -purpose sslserver client.pem").status != 0)
      try command.write(Fixtures.talosNew.certificate.pem, to: "ca.pem")
      #expect(try command.run("\(verify) client.pem").status != 0)
    }
  }

  @Test("names that no certificate may have are refused", arguments: ["", "a b", "x\u{7f}", "ü"])
  func badNames(name: String) {
    #expect(
      code {
        _ = try Fixtures.talosOld.issue(
          .apidServer(dnsNames: ["ok", name], ipAddresses: []), now: now)
      } == .malformed)
    #expect(
      code {
        _ = try Fixtures.talosOld.issue(
          .apidServer(dnsNames: ["ok"], ipAddresses: [name]), now: now)
      } == .malformed)
  }

  @Test("a leaf never outlives its authority, and an expired authority issues nothing")
  func clamped() throws {
    let authority = try Authority.generate(
      organizations: ["talos"], keyAlgorithm: .ed25519, validity: 1000, now: now)
    let leaf = try authority.issue(.talosClient(validity: 999), now: now).certificate
    #expect(leaf.notAfter == now + 999)
    let long = try authority.issue(.talosClient(), now: now).certificate
    #expect(long.notAfter == authority.certificate.notAfter)
    for late in [1000, 5000] as [Int64] {
      do {
        _ = try authority.issue(.talosClient(), now: now + late)
        Issue.record("issued")
      } catch {
        #expect(error.code == .expired)
        #expect(error.message.contains("has expired on 20"), "\(error.message)")
      }
    }
  }

  @Test("an authority begins at a time that the machines share")
  func sharedBeginning() throws {
    #expect(try Authority.generate(.talos, now: now).certificate.notBefore == now - 3600)
    let slow = try Authority.generate(.talos, now: now, notBefore: now - 9000)
    #expect(slow.certificate.notBefore == now - 9000)
    #expect(slow.certificate.notAfter == now + Authority.validity)
    let fast = try Authority.generate(.talos, now: now, notBefore: now + 9000)
    #expect(fast.certificate.notBefore == now - 3600)
  }

  @Test("a time that no certificate can hold is refused")
  func badTime() {
    #expect(code { _ = try Authority.generate(.talos, now: 1 << 50) } == .malformed)
  }

  @Test("validity beyond 2049 is written as the standard asks")
  func lateValidity() throws {
    let late: Int64 = 2_900_000_000
    let authority = try Authority.generate(.talos, now: late)
    #expect(authority.certificate.notBefore == late - 3600)
    #expect(authority.certificate.notAfter == late + Authority.validity)
  }

  private func describe(_ certificate: Certificate) throws -> String {
    let command = try OpenSSLCommand()
    defer { command.remove() }
    try command.write(certificate.pem, to: "certificate.pem")
    return try command.run("openssl x509 -in certificate.pem -noout -text").output
  }
}
