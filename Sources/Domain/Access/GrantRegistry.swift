internal import Synchronization

/// The grants as every call asks for them, and the calls that go on under each.
///
/// A call that lasts is ended when what it rests on is revoked or expires.
public final class GrantRegistry: Sendable {
  fileprivate struct State {
    var grants: [String: AccessGrant] = [:]
    var tokens: [[UInt8]: String] = [:]
    var calls: [String: [UInt64: @Sendable () -> Void]] = [:]
    var nextCall: UInt64 = 0
    var isLoaded = false
  }

  private let state = Mutex(State())

  public init() {}

  /// Whether the grants have been read. Until then nobody is known by one.
  public var isLoaded: Bool { state.withLock { $0.isLoaded } }

  func load(_ grants: [AccessGrant]) {
    state.withLock { state in
      for grant in grants { state.put(grant) }
      state.isLoaded = true
    }
  }

  /// The grant of that id.
  public func grant(_ id: String) -> AccessGrant? { state.withLock { $0.grants[id] } }

  /// The grant of a token with that hash.
  public func grant(tokenHash: [UInt8]) -> AccessGrant? {
    state.withLock { state in state.tokens[tokenHash].flatMap { state.grants[$0] } }
  }

  /// Whether somebody has taken the grant of that id back.
  public func isRevoked(_ id: String) -> Bool {
    state.withLock { $0.grants[id]?.revokedAt != nil }
  }

  /// All grants, in the order of their ids.
  var all: [AccessGrant] {
    state.withLock { state in state.grants.values.sorted { $0.id < $1.id } }
  }

  var count: Int { state.withLock { $0.grants.count } }

  /// Takes a grant in, or in place of the one of its id.
  ///
  /// - Returns: how many calls were ended, because the grant is revoked.
  @discardableResult
  func put(_ grant: AccessGrant) -> Int {
    let ends = state.withLock { state in
      state.put(grant)
      guard grant.revokedAt != nil else { return [@Sendable () -> Void]() }
      return state.calls.removeValue(forKey: grant.id).map { Array($0.values) } ?? []
    }
    for end in ends { end() }
    return ends.count
  }

  func remove(_ id: String) {
    state.withLock { state in
      guard let grant = state.grants.removeValue(forKey: id) else { return }
      if state.tokens[grant.tokenHash] == id { state.tokens[grant.tokenHash] = nil }
    }
  }

  // MARK: - Calls that last

  /// A call begins that may last.
  ///
  /// - Parameter grant: the id of the grant, or of the session, under which it goes on.
  /// - Parameter end: ends it; called at most once, from anywhere.
  /// - Returns: by what to leave; nil when the grant has been revoked meanwhile.
  public func enter(_ grant: String, end: @escaping @Sendable () -> Void) -> UInt64? {
    state.withLock { state in
      if state.grants[grant]?.revokedAt != nil { return nil }
      state.nextCall += 1
      state.calls[grant, default: [:]][state.nextCall] = end
      return state.nextCall
    }
  }

  /// Ends the calls that go on under a session.
  func endCalls(under session: String) {
    let ends = state.withLock { $0.calls.removeValue(forKey: session) }
    for end in (ends ?? [:]).values { end() }
  }

  public func leave(_ grant: String, _ call: UInt64) {
    state.withLock { state in
      state.calls[grant]?[call] = nil
      if state.calls[grant]?.isEmpty == true { state.calls[grant] = nil }
    }
  }

  /// How many calls go on under a grant.
  public func calls(under grant: String) -> Int { state.withLock { $0.calls[grant]?.count ?? 0 } }
}

extension GrantRegistry.State {
  fileprivate mutating func put(_ grant: AccessGrant) {
    grants[grant.id] = grant
    if !grant.tokenHash.isEmpty { tokens[grant.tokenHash] = grant.id }
  }
}
