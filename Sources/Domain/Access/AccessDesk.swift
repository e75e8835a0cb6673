public import Orchestrator
import Rotation

/// Issues what lets callers in from elsewhere, and takes it back.
///
/// Whatever is issued is on record before it is handed out: nothing lets anybody in that could not be revoked.
public actor AccessDesk {
  /// The most grants there may be at once.
  public static let grantLimit = 10_000
  /// How long a grant that has expired stays on record.
  public static let keptAfterExpiry = Duration.seconds(30 * 24 * 3600)
  static let validity = Duration.seconds(60)...Duration.seconds(366 * 24 * 3600)

  public nonisolated let registry: GrantRegistry
  public nonisolated let mint: any CredentialMint
  private let store: any AccessStore
  private let clock: any OrchestratorClock

  public init(
    store: any AccessStore, mint: any CredentialMint, registry: GrantRegistry,
    clock: any OrchestratorClock
  ) {
    self.store = store
    self.mint = mint
    self.registry = registry
    self.clock = clock
  }

  // MARK: - Issuing

  /// - Parameters:
  ///   - request: PKCS#10, PEM: the private key stays with whoever asks.
  ///   - requester: who has it issued, for the record.
  public func issueCertificate(
    _ request: String, name: String, role: Role?, validity: Duration, requester: String
  ) async throws(AccessError) -> (certificate: SignedCertificate, grant: AccessGrant) {
    var arguments = AccessArguments()
    arguments.name(name)
    let role = arguments.role(role)
    arguments.validity(validity)
    arguments.certificateRequest(request)
    try arguments.check()
    guard mint.signsCertificates else {
      throw AccessError(
        .foreignAuthority,
        "clients are let in by certificates of the CA given with --tls-client-ca, which omnid has no key of: have "
          + "that CA issue one with O=\(role.organization), or issue a token")
    }
    try await makeRoom()
    let now = clock.now()
    let certificate = try mint.sign(
      request, name: name, role: role, validity: validity, now: now)
    let grant = AccessGrant(
      id: certificate.serial, kind: .certificate, name: name, role: role, issuedAt: now,
      expiresAt: certificate.expiresAt, issuedBy: requester)
    try await commit([.putGrant(grant)])
    registry.put(grant)
    return (certificate, grant)
  }

  /// - Parameter clusters: what the token is bound to; empty: all clusters.
  public func issueToken(
    name: String, role: Role?, clusters: [String], validity: Duration, requester: String
  ) async throws(AccessError) -> (token: String, grant: AccessGrant) {
    var arguments = AccessArguments()
    arguments.name(name)
    let role = arguments.role(role)
    arguments.clusters(clusters)
    arguments.validity(validity)
    try arguments.check()
    try await makeRoom()
    let now = clock.now()
    let token = mint.makeToken()
    let grant = AccessGrant(
      id: token.id, kind: .token, name: name, role: role, clusters: Set(clusters).sorted(),
      issuedAt: now, expiresAt: now.advanced(by: validity), issuedBy: requester,
      tokenHash: token.hash)
    try await commit([.putGrant(grant)])
    registry.put(grant)
    return (token.text, grant)
  }

  /// Forgets grants that have long expired, and refuses more than there may be.
  private func makeRoom() async throws(AccessError) {
    let end = clock.now().advanced(by: .zero - Self.keptAfterExpiry)
    let old = registry.all.filter { $0.expiresAt < end }
    if !old.isEmpty {
      try await commit(old.map { .removeGrant(id: $0.id) })
      for grant in old { registry.remove(grant.id) }
    }
    guard registry.count < Self.grantLimit else { throw Self.full }
  }

  private static let full = AccessError(
    .tooMany,
    "there are \(grantLimit) certificates and tokens on record, and that is the limit: those that have expired leave "
      + "the record after 30 days")

  // MARK: - What there is

  /// Grants in the order of their ids.
  ///
  /// - Parameter after: the last id of the page before; empty on the first page.
  public func grants(
    after id: String, limit: Int
  ) throws(AccessError) -> (grants: [AccessGrant], hasMore: Bool) {
    let rest = registry.all.drop { $0.id <= id }
    return (Array(rest.prefix(limit)), rest.count > limit)
  }

  /// Takes a grant back. One that was revoked before stays as it is.
  ///
  /// - Parameter isForeign: the id is the serial number of a certificate that another CA has issued.
  /// - Returns: the grant, and how many calls under it were ended.
  public func revoke(
    _ id: String, isForeign: Bool, requester: String
  ) async throws(AccessError) -> (grant: AccessGrant, endedCalls: Int) {
    var arguments = AccessArguments()
    let id = arguments.grant(id, isSerial: isForeign)
    try arguments.check()
    let now = clock.now()
    var grant: AccessGrant
    if let known = registry.grant(id) {
      grant = known
    } else if isForeign {
      // Not refused for want of room as long as that can be helped: it keeps somebody out.
      guard registry.count < 2 * Self.grantLimit else { throw Self.full }
      // Another CA's certificate may be valid for ever, as far as is known here.
      grant = AccessGrant(
        id: id, kind: .certificate, name: "", role: nil, issuedAt: now,
        expiresAt: Instant(nanosecondsSince1970: .max), issuedBy: requester)
    } else {
      throw AccessError(
        .notFound,
        "no certificate or token with the id \(id.debugDescription) was issued here: the list shows them"
      )
    }
    if grant.revokedAt == nil {
      grant.revokedAt = now
      grant.revokedBy = requester
      try await commit([.putGrant(grant)])
    }
    return (grant, registry.put(grant))
  }

  private func commit(_ changes: [AccessChange]) async throws(AccessError) {
    do throws(StoreError) { try await store.commit(changes) } catch { throw AccessError(error) }
  }

  /// Reads what was issued before. Until then nobody is known by a certificate or a token.
  public func load(_ contents: AccessContents) { registry.load(contents.grants) }
}
