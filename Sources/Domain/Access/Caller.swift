/// Who calls, and what the caller may do.
public struct Caller: Sendable, Hashable {
  /// As it is recorded with what the caller does: `uid:1000`, `cn:alice/5e71c0de`, `token:ci/token-5e71c0de`.
  public var name: String
  /// Nil: the caller is known, and has no rights.
  public var role: Role?
  /// The clusters that the caller is bound to; nil: all.
  public var clusters: Set<String>?
  /// What the caller's rights rest on and can be revoked by; nil for the user of a process on the same machine.
  public var grant: String?
  /// When these rights end, in Unix seconds.
  public var expiresAt: Int64?
  /// The session of the dashboard under which the caller calls; nil for every caller that is no browser.
  public var session: String?

  public init(
    name: String, role: Role?, clusters: Set<String>? = nil, grant: String? = nil,
    expiresAt: Int64? = nil, session: String? = nil
  ) {
    self.name = name
    self.role = role
    self.clusters = clusters
    self.grant = grant
    self.expiresAt = expiresAt
    self.session = session
  }

  /// What the rights rest on and end with: a grant, a session, or both.
  public var bonds: [String] { [grant, session].compactMap(\.self) }

  public func may(_ least: Role) -> Bool { role.map { $0 >= least } ?? false }

  /// Whether the caller may know anything of the cluster. A call that names no cluster is about all of them.
  public func mayUse(cluster: String) -> Bool { clusters?.contains(cluster) ?? true }
}

/// Who is at the other end of a call, as far as that is known.
public enum Identification: Sendable, Equatable {
  case caller(Caller)
  /// Nobody known: what the caller has shown, if anything, is not good. The reason is for the log of the server, not
  /// for the caller.
  case unknown(reason: String)

  public var caller: Caller? {
    if case .caller(let caller) = self { caller } else { nil }
  }
}
