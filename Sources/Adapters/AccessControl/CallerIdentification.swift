public import Access
internal import Crypto
public import RPC
import Rotation
internal import Synchronization

/// Who the users of processes on the same machine are.
public struct LocalUsers: Sendable, Equatable {
  /// The user that omnid runs as: an admin, as root is.
  public var owner: UInt32
  /// The group whose members are operators; nil: none.
  public var operators: UInt32?

  public init(owner: UInt32, operators: UInt32? = nil) {
    self.owner = owner
    self.operators = operators
  }

  /// - Returns: nil for a user who may reach the socket and has no rights.
  public func role(_ process: Peer.Process) -> Role? {
    if process.userID == 0 || process.userID == owner { return .admin }
    guard let operators else { return nil }
    return process.groupID == operators || process.groups.contains(operators) ? .operator : nil
  }
}

/// Says who calls: by the token that a call shows, else by the cookie of a browser's session, else by the client
/// certificate of its connection, else by the user of the process at the other end of a Unix socket.
///
/// A token or a cookie that is not good makes its caller unknown, whatever else could be known of the caller: whoever
/// shows a token means to be nobody else.
public final class CallerIdentification: Sendable {
  private let users: LocalUsers
  private let registry: GrantRegistry
  private let mint: any CredentialMint
  private let sessions: DashboardSessions
  private let cookie: SessionCookie
  private let now: @Sendable () -> Int64
  /// What the client certificates say that were seen last, by their DER bytes.
  private let seen = Mutex<[[UInt8]: Subject]>([:])

  private static let seenLimit = 1024

  /// The one who calls most, made once.
  private let owner: Identification

  /// What a certificate says of its holder.
  private struct Subject {
    var name: String
    var role: Role?
    var serial: String
    var notAfter: Int64
  }

  /// - Parameter now: Unix seconds.
  public init(
    users: LocalUsers, registry: GrantRegistry, mint: any CredentialMint,
    sessions: DashboardSessions, cookie: SessionCookie, now: @escaping @Sendable () -> Int64
  ) {
    self.users = users
    owner = .caller(Caller(name: "uid:\(users.owner)", role: .admin))
    self.registry = registry
    self.mint = mint
    self.sessions = sessions
    self.cookie = cookie
    self.now = now
  }

  @Sendable public func identify(_ call: ServerCall) -> Identification {
    identify(call.peer, call.fields)
  }

  /// - Parameter fields: those of the call's head.
  @Sendable public func identify(_ peer: Peer, _ fields: HeaderFields) -> Identification {
    if let authorization = fields.first("authorization") { return bearer(authorization) }
    if fields.first("cookie") != nil, let session = session(BrowserRequest(fields, cookie: cookie))
    {
      return session
    }
    return identify(peer)
  }

  /// - Returns: nil when the request shows no cookie of a session.
  private func session(_ request: BrowserRequest) -> Identification? {
    guard let secret = request.secrets.first else { return nil }
    guard request.secrets.count == 1 else {
      return .unknown(reason: "the call shows more than one session of the dashboard")
    }
    guard request.isSameOrigin else {
      return .unknown(reason: "the call with the dashboard's cookie comes from another page")
    }
    return sessions.identify(secret)
  }

  /// Who is at the other end of a connection.
  @Sendable public func identify(_ peer: Peer) -> Identification {
    if let process = peer.process {
      if process.userID == users.owner { return owner }
      return .caller(Caller(name: "uid:\(process.userID)", role: users.role(process)))
    }
    guard let leaf = peer.certificates.first else {
      return .unknown(reason: "no client certificate and no token was shown")
    }
    guard let subject = subject(leaf) else {
      return .unknown(reason: "the client certificate cannot be read")
    }
    // One that omnid's own CA has signed is on record, whatever store that comes from: one that is not was taken out, or
    // issued after the backup that was restored.
    if mint.signsCertificates, registry.grant(subject.serial)?.kind != .certificate {
      return .unknown(reason: "the client certificate \(subject.serial) is not on record")
    }
    if registry.isRevoked(subject.serial) {
      return .unknown(reason: "the client certificate \(subject.serial) is revoked")
    }
    guard now() <= subject.notAfter else {
      return .unknown(reason: "the client certificate \(subject.serial) has expired")
    }
    return .caller(
      Caller(
        name: subject.name, role: subject.role, grant: subject.serial, expiresAt: subject.notAfter))
  }

  /// The serial number of the client certificate of a connection, in lower-case hexadecimal.
  public func serial(_ peer: Peer) -> String? {
    peer.certificates.first.flatMap { subject($0)?.serial }
  }

  // MARK: - Tokens

  private func bearer(_ field: String) -> Identification {
    let words = field.split(separator: " ")
    guard words.count == 2, words[0].lowercased() == "bearer" else {
      return .unknown(reason: "the call's authorization is not written 'Bearer TOKEN'")
    }
    guard let hash = mint.hash(ofToken: String(words[1])),
      let grant = registry.grant(tokenHash: hash)
    else { return .unknown(reason: "the token is none that was issued here") }
    guard grant.revokedAt == nil else {
      return .unknown(reason: "the token \(grant.id) is revoked")
    }
    let end = grant.expiresAt.secondsSince1970
    guard now() <= end else { return .unknown(reason: "the token \(grant.id) has expired") }
    return .caller(
      Caller(
        name: "token:\(grant.name)/\(grant.id)", role: grant.role,
        clusters: grant.clusters.isEmpty ? nil : Set(grant.clusters), grant: grant.id,
        expiresAt: end))
  }

  // MARK: - Certificates

  /// TLS has verified the certificate. To read it costs as much as a signature.
  private func subject(_ der: [UInt8]) -> Subject? {
    if let known = seen.withLock({ $0[der] }) { return known }
    guard let leaf = try? Certificate(der: der) else { return nil }
    let name =
      if let commonName = leaf.commonName, Self.isPlain(commonName) {
        "cn:\(commonName)/\(leaf.serialHex.prefix(8))"
      } else {
        "sha256:\(leaf.fingerprint)"
      }
    let subject = Subject(
      name: name, role: leaf.subjectOrganizations.compactMap(Role.init(organization:)).max(),
      serial: leaf.serialHex, notAfter: leaf.notAfter)
    seen.withLock { seen in
      if seen.count >= Self.seenLimit { seen = [:] }
      seen[der] = subject
    }
    return subject
  }

  /// Whether a name can stand in records and logs without pretending to be something else.
  private static func isPlain(_ name: String) -> Bool {
    (1...200).contains(name.utf8.count)
      && name.unicodeScalars.allSatisfy { $0.isASCII && $0.value > 0x20 && $0.value < 0x7F }
  }
}
