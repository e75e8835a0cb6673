public import Rotation

/// A credential that omnid has handed out, as far as that is worth knowing until it ends: who holds it, not what it is.
public struct HeldCredential: Sendable, Hashable {
  public var component: SecretComponent
  /// The fingerprint of the authority that has issued it.
  public var authority: String
  /// Who asked for it, as the audit log has the caller.
  public var holder: String
  /// The roles, or groups, that it is good for.
  public var roles: [String]
  /// The serial number of its certificate, in lower-case hexadecimal.
  public var serial: String
  public var issuedAt: Instant
  public var expiresAt: Instant

  /// How long before its end its holder is told of it.
  public static let notice = Duration.seconds(7 * 86_400)

  public init(
    component: SecretComponent, authority: String, holder: String, roles: [String], serial: String,
    issuedAt: Instant, expiresAt: Instant
  ) {
    self.component = component
    self.authority = authority
    self.holder = holder
    self.roles = roles
    self.serial = serial
    self.issuedAt = issuedAt
    self.expiresAt = expiresAt
  }
}

extension ClusterRecord {
  /// The credentials whose holders need others one day: those that were issued for longer than the notice before their end.
  /// Shorter ones are the rule, and their holders have new ones issued each time. What an authority has issued that is no
  /// longer on record is refused already. The first to end stands first.
  public func lastingCredentials(at now: Instant) -> [HeldCredential] {
    credentials.listed.filter {
      $0.expiresAt > now && $0.issuedAt.duration(to: $0.expiresAt) > HeldCredential.notice
        && authorities[$0.component]?.fingerprint == $0.authority
    }.sorted { ($0.expiresAt, $0.serial) < ($1.expiresAt, $1.serial) }
  }
}

/// The credentials of a cluster that have not ended yet, each until it ends. Of very many those that end last are kept one
/// by one, and the others are counted.
public struct HeldCredentials: Sendable, Hashable {
  /// Credentials of one authority that are not kept one by one.
  public struct Unlisted: Sendable, Hashable {
    public var authority: String
    public var count: Int
    /// When the last of them ends.
    public var endBy: Instant

    public init(authority: String, count: Int, endBy: Instant) {
      self.authority = authority
      self.count = count
      self.endBy = endBy
    }
  }

  /// How many are kept one by one.
  public static let limit = 128
  /// Of how many authorities others are counted.
  public static let authorityLimit = 8

  /// In the order in which they were issued.
  public private(set) var listed: [HeldCredential]
  public private(set) var unlisted: [Unlisted]

  public init(_ listed: [HeldCredential] = [], unlisted: [Unlisted] = []) {
    self.listed = listed
    self.unlisted = unlisted
  }

  public var isEmpty: Bool { listed.isEmpty && unlisted.isEmpty }

  /// Takes one in, and lets those go that have ended.
  mutating func add(_ credential: HeldCredential, at now: Instant) {
    listed.removeAll { $0.expiresAt <= now }
    unlisted.removeAll { $0.endBy <= now }
    listed.append(credential)
    guard listed.count > Self.limit,
      let first = listed.indices.min(by: { listed[$0].expiresAt < listed[$1].expiresAt })
    else { return }
    count(listed.remove(at: first))
  }

  private mutating func count(_ credential: HeldCredential) {
    if let known = unlisted.firstIndex(where: { $0.authority == credential.authority }) {
      unlisted[known].count += 1
      unlisted[known].endBy = max(unlisted[known].endBy, credential.expiresAt)
      return
    }
    unlisted.append(
      Unlisted(authority: credential.authority, count: 1, endBy: credential.expiresAt))
    if unlisted.count > Self.authorityLimit { unlisted.removeFirst() }
  }

  /// Those of one authority.
  func of(_ authority: String) -> HeldCredentials {
    HeldCredentials(
      listed.filter { $0.authority == authority },
      unlisted: unlisted.filter { $0.authority == authority })
  }
}
