public import Rotation

/// What lets a browser in: the rights of whoever had the link made, and when they end.
public struct DashboardSession: Sendable, Hashable {
  /// Says nothing of the secret by which the session is known.
  public var id: String
  /// Who had the link made.
  public var creator: Caller
  public var endsAt: Instant

  /// The most that a session may do, whoever had the link made: a browser needs no more, and what hands credentials out
  /// stays with the command line.
  public static let highestRole = Role.operator

  public init(id: String, creator: Caller, endsAt: Instant) {
    self.id = id
    self.creator = creator
    self.endsAt = endsAt
  }

  /// Who calls under the session, as it is recorded with what the caller does.
  public var caller: Caller {
    var caller = creator
    caller.name += " via dashboard"
    caller.role = creator.role.map { min($0, Self.highestRole) }
    caller.session = id
    caller.expiresAt = endsAt.secondsSince1970
    return caller
  }
}

/// Makes the secrets of links and sessions.
public protocol DashboardMint: Sendable {
  /// A new secret: random, 32 bytes.
  func makeSecret(_ kind: DashboardSecret) -> MintedToken

  /// SHA-256 of a secret as its holder shows it; nil for what cannot be one.
  func hash(of secret: String, _ kind: DashboardSecret) -> [UInt8]?
}

/// The two secrets of a dashboard. Each looks different from the other and from a token, so that none can be taken for
/// another.
public enum DashboardSecret: Sendable, Hashable, CaseIterable {
  /// What a link holds. It opens one session.
  case code
  /// What a browser's cookie holds.
  case session

  /// What the text of the secret begins with.
  public var prefix: String {
    switch self {
    case .code: "omnidlink_"
    case .session: "omnidsession_"
    }
  }
}
