public import Orchestrator
public import Rotation
internal import Synchronization

/// Lets people with a browser in: links that work once, and the sessions that they open.
///
/// Links and sessions are in memory alone, as the hashes of their secrets: they end with the process. A session ends
/// with what its creator's rights rest on, which is asked at each call.
public final class DashboardSessions: Sendable {
  /// How long a link works.
  public static let linkValidity = Duration.seconds(60)
  /// How long a session lasts at most.
  public static let sessionValidity = Duration.seconds(8 * 3600)
  /// Of one creator at once; the oldest makes room.
  static let linksOfCreator = 8
  static let sessionsOfCreator = 16
  /// Of all creators at once.
  static let linkLimit = 1024
  static let sessionLimit = 1024

  private struct Link {
    var creator: Caller
    /// By the monotonic clock: setting the clock makes no link work longer.
    var end: Duration
  }

  private struct Entry {
    var session: DashboardSession
    var end: Duration
  }

  private struct State {
    var links: [[UInt8]: Link] = [:]
    var sessions: [[UInt8]: Entry] = [:]
  }

  private let state = Mutex(State())
  private let mint: any DashboardMint
  private let registry: GrantRegistry
  private let clock: any OrchestratorClock

  public init(
    mint: any DashboardMint, registry: GrantRegistry, clock: any OrchestratorClock
  ) {
    self.mint = mint
    self.registry = registry
    self.clock = clock
  }

  // MARK: - Links

  /// Makes the code of a link. It is not kept and cannot be shown again.
  ///
  /// - Throws: `.sessionRefused` when the creator has no role, or calls under a session itself: a session must not
  ///   outlast itself. `.tooMany`.
  public func makeLink(
    for creator: Caller
  ) throws(AccessError) -> (code: String, expiresAt: Instant) {
    guard creator.session == nil else {
      throw AccessError(
        .sessionRefused,
        "a session of the dashboard makes no link for another one: run 'omnictl dashboard'")
    }
    guard creator.role != nil else {
      throw AccessError(.sessionRefused, "you have no role here: ask an admin of this server")
    }
    let secret = mint.makeSecret(.code)
    let now = clock.uptime()
    let isMade = state.withLock { state in
      state.links = state.links.filter { now < $0.value.end }
      state.links.makeRoom(Self.linksOfCreator, { $0.creator.name == creator.name }, \.end)
      guard state.links.count < Self.linkLimit else { return false }
      state.links[secret.hash] = Link(creator: creator, end: now + Self.linkValidity)
      return true
    }
    guard isMade else { throw Self.full("links", Self.linkLimit) }
    return (secret.text, clock.now().advanced(by: Self.linkValidity))
  }

  /// Whose link it is. From then on the link does not work any more.
  ///
  /// - Returns: nil for a code that is made up, was used, or is too old.
  public func redeem(_ code: String) -> Caller? {
    // Found by its hash: how long that takes tells nothing of the codes that there are.
    guard let hash = mint.hash(of: code, .code) else { return nil }
    let now = clock.uptime()
    guard let link = state.withLock({ $0.links.removeValue(forKey: hash) }), now < link.end,
      isInForce(link.creator)
    else { return nil }
    return link.creator
  }

  // MARK: - Sessions

  /// Begins a session of whoever had a link made.
  ///
  /// - Returns: the secret for the browser's cookie, which is not kept.
  /// - Throws: `.tooMany`.
  public func begin(
    for creator: Caller
  ) throws(AccessError) -> (secret: String, session: DashboardSession) {
    let secret = mint.makeSecret(.session)
    let now = clock.uptime()
    var end = clock.now().advanced(by: Self.sessionValidity)
    if let creatorsEnd = creator.expiresAt {
      end = min(end, Instant(secondsSince1970: creatorsEnd))
    }
    let session = DashboardSession(id: secret.id, creator: creator, endsAt: end)
    let (isBegun, ended) = state.withLock { state in
      state.sessions = state.sessions.filter { now < $0.value.end }
      let ended = state.sessions.makeRoom(
        Self.sessionsOfCreator, { $0.session.creator.name == creator.name }, \.end)
      guard state.sessions.count < Self.sessionLimit else { return (false, ended) }
      state.sessions[secret.hash] = Entry(session: session, end: now + Self.sessionValidity)
      return (true, ended)
    }
    for entry in ended { registry.endCalls(under: entry.session.id) }
    guard isBegun else { throw Self.full("sessions", Self.sessionLimit) }
    return (secret.text, session)
  }

  /// Who calls with that secret.
  public func identify(_ secret: String) -> Identification {
    guard let hash = mint.hash(of: secret, .session),
      let entry = state.withLock({ $0.sessions[hash] }), clock.uptime() < entry.end,
      clock.now() < entry.session.endsAt
    else { return .unknown(reason: "the dashboard's session is over, or none of this server") }
    guard isInForce(entry.session.creator) else {
      return .unknown(
        reason: "the dashboard's session is over, because what its creator was known by is revoked")
    }
    return .caller(entry.session.caller)
  }

  /// Ends a session and the calls that go on under it.
  public func end(_ id: String) {
    state.withLock { state in state.sessions = state.sessions.filter { $0.value.session.id != id } }
    registry.endCalls(under: id)
  }

  /// How many sessions there are.
  public var count: Int { state.withLock { $0.sessions.count } }

  /// Whether the creator's own rights still hold. The user of a process on the same machine has nothing that could be
  /// revoked.
  private func isInForce(_ creator: Caller) -> Bool {
    if let end = creator.expiresAt, clock.now().secondsSince1970 > end { return false }
    return creator.grant.map { !registry.isRevoked($0) } ?? true
  }

  private static func full(_ what: String, _ limit: Int) -> AccessError {
    AccessError(
      .tooMany, "there are \(limit) \(what) of the dashboard at once, and that is the limit")
  }
}

extension Dictionary {
  /// Takes out the oldest of those that match until one fewer than `limit` of them is left.
  @discardableResult
  fileprivate mutating func makeRoom<Age: Comparable>(
    _ limit: Int, _ matches: (Value) -> Bool, _ age: (Value) -> Age
  ) -> [Value] {
    let found = filter { matches($0.value) }.sorted { age($0.value) < age($1.value) }
    guard found.count >= limit else { return [] }
    let old = found.prefix(found.count - limit + 1)
    for (key, _) in old { self[key] = nil }
    return old.map(\.value)
  }
}
