import MemoryStore
import Orchestrator
import Rotation
import Synchronization
import Testing

@testable import Access

@Suite("Links and sessions of the dashboard")
struct DashboardSessionsTests {
  /// Secrets that count up.
  final class Mint: DashboardMint {
    private let count = Atomic(0)

    func makeSecret(_ kind: DashboardSecret) -> MintedToken {
      let number = count.add(1, ordering: .relaxed).newValue
      let text = "\(kind.prefix)\(number)"
      return MintedToken(text: text, id: "d-\(number)", hash: Array(text.utf8))
    }

    func hash(of secret: String, _ kind: DashboardSecret) -> [UInt8]? {
      secret.hasPrefix(kind.prefix) ? Array(secret.utf8) : nil
    }
  }

  let clock = AccessDeskTests.HandClock()
  let registry = GrantRegistry()
  let sessions: DashboardSessions

  init() {
    sessions = DashboardSessions(mint: Mint(), registry: registry, clock: clock)
  }

  private func grant(_ id: String = "t-1") -> AccessGrant {
    AccessGrant(
      id: id, kind: .token, name: "ci", role: .reader, issuedAt: clock.now(),
      expiresAt: clock.now().advanced(by: .seconds(3600)), issuedBy: "uid:0", tokenHash: [1])
  }

  private func secret(_ creator: Caller) throws -> String {
    let code = try sessions.makeLink(for: creator).code
    let caller = try #require(sessions.redeem(code))
    return try sessions.begin(for: caller).secret
  }

  @Test("A link works once")
  func once() throws {
    let code = try sessions.makeLink(for: Caller(name: "uid:0", role: .admin)).code
    #expect(sessions.redeem(code)?.name == "uid:0")
    #expect(sessions.redeem(code) == nil)
  }

  @Test("A link works for 60 seconds, whatever the clock on the wall says")
  func validity() throws {
    let code = try sessions.makeLink(for: Caller(name: "uid:0", role: .admin)).code
    clock.pass(.seconds(60))
    #expect(sessions.redeem(code) == nil)
  }

  @Test("What is no code opens nothing: nothing at all, a session's secret, a token")
  func strangers() throws {
    let secret = try secret(Caller(name: "uid:0", role: .admin))
    for code in ["", secret, "omni_1", "omnidlink_", "omnidlink_999"] {
      #expect(sessions.redeem(code) == nil)
    }
    let code = try sessions.makeLink(for: Caller(name: "uid:0", role: .admin)).code
    #expect(sessions.identify(code).caller == nil)
  }

  @Test(
    "A session has the role and the clusters of whoever had the link made, and at most an operator's",
    arguments: [(Role.reader, Role.reader), (.operator, .operator), (.admin, .operator)])
  func rights(role: Role, expected: Role) throws {
    let creator = Caller(name: "token:ci/t-1", role: role, clusters: ["prod"], grant: "t-1")
    let caller = try #require(sessions.identify(try secret(creator)).caller)
    #expect(caller.role == expected && caller.clusters == ["prod"] && caller.grant == "t-1")
    #expect(caller.name == "token:ci/t-1 via dashboard")
    #expect(caller.bonds.count == 2)
  }

  @Test("A session makes no link, and a caller without a role none either")
  func chains() throws {
    let caller = try #require(sessions.identify(try secret(Caller(name: "a", role: .admin))).caller)
    for caller in [caller, Caller(name: "b", role: nil)] {
      let error = #expect(throws: AccessError.self) { try sessions.makeLink(for: caller) }
      #expect(error?.code == .sessionRefused)
    }
  }

  @Test("A session ends after 8 hours, and with its creator's rights if that is earlier")
  func end() throws {
    let long = try secret(Caller(name: "uid:0", role: .admin))
    let end = clock.now().secondsSince1970 + 600
    let brief = try secret(Caller(name: "cn:a", role: .admin, grant: "5e", expiresAt: end))
    #expect(sessions.identify(brief).caller?.expiresAt == end)
    clock.pass(.seconds(600))
    #expect(sessions.identify(brief).caller == nil && sessions.identify(long).caller != nil)
    clock.pass(.seconds(8 * 3600 - 600))
    #expect(sessions.identify(long).caller == nil)
  }

  @Test("Revoking what the creator is known by ends the session, and unused links with it")
  func revoked() throws {
    registry.put(grant())
    let creator = Caller(name: "token:ci/t-1", role: .reader, grant: "t-1")
    let secret = try secret(creator)
    let code = try sessions.makeLink(for: creator).code
    #expect(sessions.identify(secret).caller != nil)
    var grant = grant()
    grant.revokedAt = clock.now()
    registry.put(grant)
    #expect(sessions.identify(secret).caller == nil && sessions.redeem(code) == nil)
  }

  @Test("A session that is ended ends its streams, and those of no other")
  func streams() throws {
    let callers = try (0..<2).map { _ in
      try #require(sessions.identify(try secret(Caller(name: "uid:0", role: .admin))).caller)
    }
    let ended = Mutex<[Int]>([])
    for (index, caller) in callers.enumerated() {
      let session = try #require(caller.session)
      _ = registry.enter(session) { ended.withLock { $0.append(index) } }
    }
    sessions.end(try #require(callers[0].session))
    #expect(ended.withLock { $0 } == [0])
    #expect(sessions.count == 1)
  }

  @Test("Of one creator the oldest links and sessions make room, and nobody pushes out another's")
  func limits() throws {
    let other = try secret(Caller(name: "other", role: .reader))
    let creator = Caller(name: "busy", role: .reader)
    var codes: [String] = []
    for _ in 0...DashboardSessions.linksOfCreator {
      codes.append(try sessions.makeLink(for: creator).code)
      clock.pass(.seconds(1))
    }
    #expect(sessions.redeem(codes[0]) == nil && sessions.redeem(codes[1]) != nil)
    var secrets: [String] = []
    for _ in 0...DashboardSessions.sessionsOfCreator {
      secrets.append(try sessions.begin(for: creator).secret)
      clock.pass(.seconds(1))
    }
    #expect(sessions.identify(secrets[0]).caller == nil)
    #expect(sessions.identify(secrets[1]).caller != nil && sessions.identify(other).caller != nil)
  }

  @Test("There are 1,024 sessions at most, of all creators")
  func full() throws {
    for number in 0..<DashboardSessions.sessionLimit {
      _ = try sessions.begin(for: Caller(name: "\(number)", role: .reader))
    }
    let error = #expect(throws: AccessError.self) {
      try sessions.begin(for: Caller(name: "last", role: .reader))
    }
    #expect(error?.code == .tooMany)
  }
}
