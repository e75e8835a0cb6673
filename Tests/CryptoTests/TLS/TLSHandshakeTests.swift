import Crypto
import Testing

@Suite("TLS handshakes")
struct TLSHandshakeTests {
  static let versions: [TLSConfiguration.Version] = [.tls12, .tls13]
  static let old = Fixtures.talosOld
  static let new = Fixtures.talosNew

  private func error(of result: TLSEngine.HandshakeResult) -> TLSError? {
    if case .failed(let error) = result { return error }
    return nil
  }

  @Test("both sides agree, whatever kinds of key they have", arguments: versions, KeyKind.allCases)
  func keyKinds(version: TLSConfiguration.Version, serverKey: KeyKind) throws {
    for clientKey in KeyKind.allCases {
      let pair = try TLSPair(
        client: .client(of: clientKey.authority, trusting: [serverKey.authority], version),
        server: .server(of: serverKey.authority, trusting: [clientKey.authority]),
        serverName: "127.0.0.1")
      let results = pair.handshake()
      #expect(results.client == .complete)
      #expect(results.server == .complete)
      #expect(pair.client.protocolVersion == (version == .tls12 ? "TLSv1.2" : "TLSv1.3"))
      #expect(pair.server.peerCertificates.map(\.subjectOrganizations) == [["os:admin"]])
      #expect(pair.client.peerCertificates.map(\.commonName) == ["node.local"])
      try pair.client.write(Array("ping".utf8))
      pair.deliver(from: pair.client, to: pair.server)
      #expect(pair.server.readAll().bytes == Array("ping".utf8))
    }
  }

  @Test(
    "of old and new authority with the same subject the right one is found, in either order",
    arguments: versions)
  func sameSubject(version: TLSConfiguration.Version) throws {
    for roots in [[Self.old, Self.new], [Self.new, Self.old]] {
      for serverAuthority in [Self.old, Self.new] {
        for clientAuthority in [Self.old, Self.new] {
          let pair = try TLSPair(
            client: .client(of: clientAuthority, trusting: roots, version),
            server: .server(of: serverAuthority, trusting: roots), serverName: "node.local")
          let results = pair.handshake()
          #expect(results.client == .complete)
          #expect(results.server == .complete)
        }
      }
    }
  }

  @Test(
    "a server that dropped the client's authority says so in the alert, and the client hears it",
    arguments: versions)
  func refusedClient(version: TLSConfiguration.Version) throws {
    let pair = try TLSPair(
      client: .client(of: Self.old, trusting: [Self.new], version),
      server: .server(of: Self.new, trusting: [Self.new]), serverName: "127.0.0.1")
    let results = pair.handshake()
    let own = try #require(error(of: results.server))
    #expect(own.code == .peerNotTrusted)
    #expect(own.message == "certificate verify failed: unknown issuer")
    // Under TLS 1.3 the client's handshake was complete before the server judged it.
    if version == .tls13 { #expect(results.client == .complete) }
    guard case .failed(let heard) = pair.client.readAll().end else {
      Issue.record("the client did not hear of its refusal")
      return
    }
    #expect(heard.code == .remoteAlert)
    #expect(heard.alert == 48)
    #expect(heard.message == "remote error: tls: unknown certificate authority")
    #expect(heard.isCertificateRefusal)
  }

  @Test("a client refuses a server of an authority it does not know", arguments: versions)
  func refusedServer(version: TLSConfiguration.Version) throws {
    let pair = try TLSPair(
      client: .client(of: Self.old, trusting: [Self.old], version),
      server: .server(of: Self.new, trusting: [Self.old]), serverName: "127.0.0.1")
    let results = pair.handshake()
    #expect(error(of: results.client)?.message == "certificate verify failed: unknown issuer")
    let heard = try #require(error(of: results.server))
    #expect(heard.message == "remote error: tls: unknown certificate authority")
    #expect(heard.isCertificateRefusal)
  }

  @Test(
    "the server's name must be in its certificate, as DNS name or IP address", arguments: versions)
  func names(version: TLSConfiguration.Version) throws {
    func connect(_ name: String) throws -> TLSEngine.HandshakeResult {
      let pair = try TLSPair(
        client: .client(of: Self.old, trusting: [Self.old], version),
        server: .server(of: Self.old, trusting: [Self.old]), serverName: name)
      return pair.handshake().client
    }
    for name in ["node.local", "NODE.local", "node.local.", "127.0.0.1", "fd00::1", "fd00:0::0:1"] {
      #expect(try connect(name) == .complete, "\(name)")
    }
    for name in ["other.local", "local", "127.0.0.2", "fd00::2", "os"] {
      #expect(
        error(of: try connect(name))?.message
          == "certificate verify failed: certificate is not valid for \(name)")
    }
    for name in ["", "a b", "[fd00::1]", "exa\0mple", String(repeating: "x", count: 254)] {
      #expect(throws: CryptoError.self) { try connect(name) }
    }
  }

  @Test(
    "a certificate outside its validity, or for the other side, is refused with the reason",
    arguments: versions)
  func unsuitable(version: TLSConfiguration.Version) throws {
    let day: Int64 = 86_400
    var expired = LeafRequest.talosClient(validity: -day)
    expired.backdating = 2 * day
    var early = LeafRequest.talosClient()
    early.backdating = -day
    let wrongSide = LeafRequest(organizations: ["os:admin"], usages: [.server], validity: day)
    let cases: [(LeafRequest, String, UInt8)] = [
      (expired, "certificate has expired", 45), (early, "certificate is not yet valid", 45),
      (wrongSide, "certificate is not meant for this use", 43),
    ]
    for (leaf, words, alert) in cases {
      var client = try TLSConfiguration.client(of: nil, trusting: [Self.old], version)
      client.identity = try Self.old.issue(leaf, now: now)
      let pair = try TLSPair(client: client, server: .server(of: Self.old, trusting: [Self.old]))
      let results = pair.handshake()
      #expect(error(of: results.server)?.message == "certificate verify failed: \(words)")
      guard case .failed(let heard) = pair.client.readAll().end else {
        Issue.record("the client did not hear of its refusal: \(words)")
        continue
      }
      #expect(heard.alert == alert)
    }
  }

  @Test("certificates are judged by the clock that the configuration has")
  func clock() throws {
    for (offset, fault): (Int64, VerificationFailure?) in [
      (0, nil), (-86_400, .notYetValid), (3_650 * 86_400, .expired),
    ] {
      var server = try TLSConfiguration.server(of: Self.old, trusting: [Self.old])
      server.clock = { now + offset }
      let client = try TLSConfiguration.client(of: Self.old, trusting: [Self.old], .tls13)
      let pair = try TLSPair(client: client, server: server)
      #expect(error(of: pair.handshake().server)?.verification == fault)
    }
  }

  @Test(
    "a client without a certificate is refused, taken or not asked, as configured",
    arguments: versions)
  func anonymous(version: TLSConfiguration.Version) throws {
    let modes: [(TLSConfiguration.PeerVerification, Bool)] = [
      (.required, false), (.optional, true), (.requestUnverified, true), (.none, true),
    ]
    for (mode, isTaken) in modes {
      let pair = try TLSPair(
        client: .client(of: nil, trusting: [Self.old], version),
        server: .server(of: Self.old, trusting: [Self.old], mode))
      let results = pair.handshake()
      if isTaken {
        #expect(results.server == .complete)
        #expect(pair.server.peerCertificateBytes.isEmpty)
        continue
      }
      #expect(error(of: results.server)?.code == .peerWithoutCertificate)
      guard case .failed(let heard) = pair.client.readAll().end else {
        Issue.record("the client did not hear of its refusal")
        continue
      }
      #expect(heard.alert == (version == .tls13 ? 116 : 40))
    }
  }

  @Test(
    "a client presents its certificate although the server names other authorities",
    arguments: versions)
  func unlistedIssuer(version: TLSConfiguration.Version) throws {
    let pair = try TLSPair(
      client: .client(of: Self.old, trusting: [Fixtures.kubernetesOld], version),
      server: .server(
        of: Fixtures.kubernetesOld, trusting: [Fixtures.kubernetesOld], .requestUnverified))
    #expect(pair.handshake().server == .complete)
    let leaf = try #require(pair.server.peerCertificates.first)
    #expect(leaf.isSigned(by: Self.old.certificate))
    #expect(
      code {
        try ChainVerification.verify(
          leaf, roots: [Fixtures.kubernetesOld.certificate], purpose: .client, at: now)
      } == .verificationFailed)
  }

  @Test("an optional client certificate is still verified", arguments: versions)
  func optionalButWrong(version: TLSConfiguration.Version) throws {
    let pair = try TLSPair(
      client: .client(of: Self.new, trusting: [Self.old], version),
      server: .server(of: Self.old, trusting: [Self.old], .optional))
    #expect(error(of: pair.handshake().server)?.code == .peerNotTrusted)
  }

  @Test("the application protocol is agreed on, absent, or refused", arguments: versions)
  func applicationProtocol(version: TLSConfiguration.Version) throws {
    func connect(_ client: [String], _ server: [String]) throws -> TLSPair {
      let pair = try TLSPair(
        client: .client(of: Self.old, trusting: [Self.old], version, alpn: client),
        server: .server(of: Self.old, trusting: [Self.old], alpn: server))
      pair.handshake()
      return pair
    }
    let agreed: [([String], [String], String?)] = [
      (["h2"], ["h2"], "h2"), (["http/1.1", "h2"], ["h2"], "h2"),
      (["http/1.1", "h2"], ["h2", "http/1.1"], "h2"), ([], ["h2"], nil), (["h2"], [], nil),
    ]
    for (offer, choice, expected) in agreed {
      let pair = try connect(offer, choice)
      #expect(pair.client.isHandshakeComplete && pair.server.isHandshakeComplete)
      #expect(pair.server.negotiatedProtocol == expected)
      #expect(pair.client.negotiatedProtocol == expected)
    }
    let refused = try connect(["http/1.1", "h"], ["h2"])
    #expect(
      error(of: refused.client.handshake())?.message == "remote error: tls: no application protocol"
    )
    #expect(error(of: refused.server.handshake())?.code == .protocolViolation)
  }

  @Test("versions that do not overlap end in a clear error on both sides")
  func versionMismatch() throws {
    var server = try TLSConfiguration.server(of: Self.old, trusting: [Self.old])
    server.minimumVersion = .tls13
    let pair = try TLSPair(
      client: .client(of: Self.old, trusting: [Self.old], .tls12), server: server)
    let results = pair.handshake()
    #expect(error(of: results.server)?.code == .protocolViolation)
    #expect(
      error(of: results.client)?.message == "remote error: tls: protocol version not supported")
  }

  @Test("nothing is resumed: no tickets are sent")
  func noTickets() throws {
    let pair = try TLSPair(
      client: .client(of: Self.old, trusting: [Self.old]),
      server: .server(of: Self.old, trusting: [Self.old]))
    _ = pair.client.handshake()
    pair.deliver(from: pair.client, to: pair.server)
    _ = pair.server.handshake()
    pair.deliver(from: pair.server, to: pair.client)
    _ = pair.client.handshake()
    pair.deliver(from: pair.client, to: pair.server)
    #expect(pair.server.handshake() == .complete)
    #expect(!pair.server.pendingCiphertext)
  }

  @Test(
    "a chain with an intermediate authority is verified as far as it leads to a root",
    arguments: versions)
  func apiServerChain(version: TLSConfiguration.Version) throws {
    let leaf = LeafRequest.kubeAPIServer(dnsNames: ["kubernetes"], ipAddresses: ["10.96.0.1"])
    var server = try TLSConfiguration.server(of: Fixtures.kubernetesOld, trusting: [], .none)
    server.identity = try Fixtures.kubernetesOld.issue(leaf, now: now, includesAuthority: true)
    let pair = try TLSPair(
      client: .client(of: nil, trusting: [Fixtures.kubernetesOld], version), server: server,
      serverName: "10.96.0.1")
    #expect(pair.handshake().client == .complete)
    #expect(pair.client.peerCertificates.count == 2)
    #expect(pair.client.peerCertificates.last == Fixtures.kubernetesOld.certificate)
    let distrusting = try TLSPair(
      client: .client(of: nil, trusting: [Fixtures.kubernetesNew], version), server: server)
    #expect(
      error(of: distrusting.handshake().client)?.message
        == "certificate verify failed: self-signed certificate in chain is not a trusted root")
  }

  @Test("a server without an identity, or an identity with another's key, is refused at once")
  func misconfiguration() throws {
    #expect(code { _ = try TLSContext(TLSConfiguration(role: .server)) } == .malformed)
    #expect(
      code {
        _ = try Identity(certificates: [Self.old.certificate], key: Self.new.key)
      } == .keyMismatch)
    #expect(code { _ = try Identity(certificates: [], key: Self.new.key) } == .malformed)
    #expect(
      code {
        _ = try TLSContext(TLSConfiguration(role: .client, alpn: [""]))
      } == .malformed)
  }
}
