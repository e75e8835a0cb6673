import Access
import AccessControl
import Crypto
import Orchestrator
import RPC
import Rotation
import Synchronization
import Testing

@Suite("Who calls")
struct CallerIdentificationTests {
  private static let now: Int64 = 1_800_000_000

  /// Keeps nothing.
  private struct NoStore: AccessStore {
    func accessContents() async throws(StoreError) -> AccessContents { AccessContents() }
    func commit(_ changes: [AccessChange]) async throws(StoreError) {}
  }

  private struct StillClock: OrchestratorClock {
    func now() -> Instant { Instant(secondsSince1970: CallerIdentificationTests.now) }
    func uptime() -> Duration { .zero }
    func sleep(for duration: Duration) async throws(CancellationError) {}
  }

  /// Clients are let in by another CA's certificates.
  private let authority: APIAuthority
  /// Clients are let in by its own.
  private let own: APIAuthority
  private let desk: AccessDesk

  init() async throws {
    let sealer = try Sealer(masterKey: SecretBytes(random: Sealer.keySize))
    let sealed = try APIAuthority.make(sealer, now: StillClock().now())
    authority = try APIAuthority(sealed, sealer: sealer, signsCertificates: false)
    own = try APIAuthority(sealed, sealer: sealer, signsCertificates: true)
    desk = AccessDesk(
      store: NoStore(), mint: authority, registry: GrantRegistry(), clock: StillClock())
    await desk.load(AccessContents())
  }

  private func identification(
    operators: UInt32? = nil, after seconds: Int64 = 0
  ) -> CallerIdentification {
    CallerIdentification(
      users: LocalUsers(owner: 1000, operators: operators), registry: desk.registry,
      mint: authority, sessions: sessions(), cookie: SessionCookie(server: "0a1b2c3d"),
      now: { Self.now + seconds })
  }

  private func sessions() -> DashboardSessions {
    DashboardSessions(mint: DashboardSecrets(), registry: desk.registry, clock: StillClock())
  }

  private static func process(_ user: UInt32, group: UInt32 = 9, groups: [UInt32] = []) -> Peer {
    Peer(
      address: "unix:",
      process: Peer.Process(userID: user, groupID: group, processID: 1, groups: groups))
  }

  private func certificate(
    _ organizations: [String], name: String? = "alice"
  ) throws -> Certificate {
    let key = try PrivateKey.generate(.ecdsaP256)
    let issuer = try Authority.generate(
      organizations: ["x"], keyAlgorithm: .ecdsaP256, now: Self.now)
    return try issuer.sign(
      CertificateRequest(key: key),
      as: LeafRequest(
        organizations: organizations, commonName: name, usages: [.client], validity: 60),
      now: Self.now)
  }

  private static func peer(_ certificate: Certificate) -> Peer {
    Peer(address: "192.0.2.1:1", certificates: [certificate.der])
  }

  @Test("Root and the owner are admins, members of the group operators, everybody else has no role")
  func users() {
    let told = identification(operators: 7)
    func role(_ peer: Peer) -> Role? { told.identify(peer).caller?.role }
    #expect(role(Self.process(0)) == .admin && role(Self.process(1000)) == .admin)
    #expect(role(Self.process(5, group: 7)) == .operator)
    #expect(role(Self.process(5, groups: [1, 7])) == .operator)
    #expect(role(Self.process(5)) == nil)
    #expect(told.identify(Self.process(5)).caller?.name == "uid:5")
    // Without a group nobody else has a role, also not the members of group 0.
    #expect(identification().identify(Self.process(5, group: 0)).caller?.role == nil)
  }

  @Test("A certificate's role stands in its organizations, the highest of several")
  func organizations() throws {
    for (organizations, role) in [
      (["omni:reader"], Role.reader), (["omni:reader", "omni:admin"], .admin),
      (["x", "omni:operator"], .operator), (["omni:root"], nil), ([], nil), (["omni:Admin"], nil),
    ] as [([String], Role?)] {
      let certificate = try certificate(organizations)
      let caller = try #require(identification().identify(Self.peer(certificate)).caller)
      #expect(caller.role == role)
      #expect(caller.name == "cn:alice/\(certificate.serialHex.prefix(8))")
      #expect(caller.grant == certificate.serialHex && caller.clusters == nil)
    }
  }

  @Test("A name that pretends to be something else does not stand in records")
  func names() throws {
    for name in ["a b", "a\nuid:0", "\u{202E}x", nil] as [String?] {
      let certificate = try certificate(["omni:reader"], name: name)
      #expect(
        identification().identify(Self.peer(certificate)).caller?.name
          == "sha256:\(certificate.fingerprint)")
    }
  }

  @Test("A certificate of omnid's own CA is good only while it is on record")
  func onRecord() async throws {
    let desk = AccessDesk(
      store: NoStore(), mint: own, registry: GrantRegistry(), clock: StillClock())
    await desk.load(AccessContents())
    let told = CallerIdentification(
      users: LocalUsers(owner: 1000), registry: desk.registry, mint: own,
      sessions: sessions(), cookie: SessionCookie(server: "0a1b2c3d"), now: { Self.now })
    let key = try PrivateKey.generate(.ecdsaP256)
    let request = try CertificateRequest(key: key, commonName: "ann").pem
    let issued = try await desk.issueCertificate(
      request, name: "ann", role: .admin, validity: .seconds(3600), requester: "uid:0")
    let peer = Self.peer(try Certificate(pem: issued.certificate.pem))
    #expect(told.identify(peer).caller?.role == .admin)
    // As from a store that was restored from before, or whose record of it was forgotten.
    let stranger = CallerIdentification(
      users: LocalUsers(owner: 1000), registry: GrantRegistry(), mint: own,
      sessions: sessions(), cookie: SessionCookie(server: "0a1b2c3d"), now: { Self.now })
    #expect(stranger.identify(peer).caller == nil)
  }

  @Test("Nobody is known without a certificate, by one that is revoked, or by one that is over")
  func unknown() async throws {
    func isUnknown(_ identity: Identification) -> Bool { identity.caller == nil }
    #expect(isUnknown(identification().identify(Peer(address: "192.0.2.1:1"))))
    #expect(
      isUnknown(
        identification().identify(Peer(address: "192.0.2.1:1", certificates: [[1, 2, 3]]))))
    let certificate = try certificate(["omni:admin"])
    let peer = Self.peer(certificate)
    #expect(!isUnknown(identification(after: 60).identify(peer)))
    #expect(isUnknown(identification(after: 61).identify(peer)))
    _ = try await desk.revoke(certificate.serialHex, isForeign: true, requester: "x")
    #expect(isUnknown(identification().identify(peer)))
  }

  /// Who a call with this metadata is of.
  private func identity(
    _ authorization: String?, peer: Peer, after seconds: Int64 = 0
  ) async throws -> Identification {
    let told = identification(after: seconds)
    let seen = Mutex<Identification?>(nil)
    let method = Method<[UInt8], [UInt8]>(
      service: "test.S", name: "M", kind: .unary, request: .bytes, response: .bytes)
    var router = ServiceRouter()
    router.handle(method) { (request: [UInt8], call) in
      seen.withLock { $0 = told.identify(call) }
      return request
    }
    var options = CallOptions()
    if let authorization { options.metadata.append("authorization", authorization) }
    _ = try await RPCClient(InProcessChannel(router, peer: peer)).unary(
      method, [], options: options)
    return try #require(seen.withLock { $0 })
  }

  @Test("A token says who calls, whatever else could be known of the caller")
  func tokens() async throws {
    let (text, grant) = try await desk.issueToken(
      name: "ci", role: .reader, clusters: ["a"], validity: .seconds(60), requester: "x")
    let root = Self.process(0)
    let expected = Identification.caller(
      Caller(
        name: "token:ci/\(grant.id)", role: .reader, clusters: ["a"], grant: grant.id,
        expiresAt: Self.now + 60))
    for written in ["Bearer \(text)", "bearer \(text)", "BEARER  \(text)"] {
      #expect(try await identity(written, peer: root) == expected)
    }
    for wrong in [
      "Bearer \(text)x", "Bearer \(text.dropLast())", "Bearer", "", text, "Basic \(text)",
      "Bearer \(text) \(text)", "Bearer \(text.uppercased())",
    ] {
      #expect(try await identity(wrong, peer: root).caller == nil, "\(wrong)")
    }
    #expect(try await identity(nil, peer: root).caller?.role == .admin)
    #expect(try await identity("Bearer \(text)", peer: root, after: 61).caller == nil)
    _ = try await desk.revoke(grant.id, isForeign: false, requester: "x")
    #expect(try await identity("Bearer \(text)", peer: root).caller == nil)
  }
}
