/// What a caller may do. Each role may do what the roles before it may.
public enum Role: Int, Sendable, Hashable, CaseIterable, Comparable {
  /// Looks at clusters and rotations.
  case reader
  /// Rotates, aborts, locks, and reads the audit log.
  case `operator`
  /// Takes clusters in, gives them up, hands out credentials, and says who may call.
  case admin

  /// The word that people write.
  public var name: String {
    switch self {
    case .reader: "reader"
    case .operator: "operator"
    case .admin: "admin"
    }
  }

  /// What stands for the role in a client certificate's subject, as an organization (O): `omni:reader`.
  public var organization: String { "omni:" + name }

  public init?(organization: String) {
    guard let role = Self.allCases.first(where: { $0.organization == organization }) else {
      return nil
    }
    self = role
  }

  public static func < (a: Role, b: Role) -> Bool { a.rawValue < b.rawValue }
}
