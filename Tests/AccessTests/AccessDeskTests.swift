import Access
import MemoryStore
import Orchestrator
import Rotation
import Synchronization
import Testing

@Suite("Issuing and revoking")
struct AccessDeskTests {
  /// A clock that the test sets.
  final class HandClock: OrchestratorClock {
    private let time = Mutex(Instant(secondsSince1970: 1_800_000_000))
    func now() -> Instant { time.withLock { $0 } }
    func uptime() -> Duration { .seconds(now().secondsSince1970) }
    func pass(_ duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
    func sleep(for duration: Duration) async throws(CancellationError) {}
  }

  struct Mint: CredentialMint {
    var signsCertificates = true

    func sign(
      _ request: String, name: String, role: Role, validity: Duration, now: Instant
    ) throws(AccessError) -> SignedCertificate {
      SignedCertificate(pem: "pem", serial: "abc", expiresAt: now.advanced(by: validity))
    }

    func makeToken() -> MintedToken {
      let number = UInt64.random(in: 0 ... .max)
      return MintedToken(text: "omni_\(number)", id: "t-\(number)", hash: Array("\(number)".utf8))
    }

    func hash(ofToken token: String) -> [UInt8]? { Array(token.dropFirst(5).utf8) }
  }

  let clock = HandClock()
  let store = MemoryStore()
  let registry = GrantRegistry()

  func desk(_ mint: Mint = Mint()) -> AccessDesk {
    AccessDesk(store: store, mint: mint, registry: registry, clock: clock)
  }

  @Test("What is issued and revoked is on record for the next start")
  func onRecord() async throws {
    let desk = desk()
    let (_, certificate) = try await desk.issueCertificate(
      "request", name: "alice", role: .operator, validity: .seconds(60), requester: "uid:0")
    let (text, token) = try await desk.issueToken(
      name: "ci", role: .reader, clusters: ["b", "a", "b"], validity: .seconds(60),
      requester: "uid:0")
    #expect(token.clusters == ["a", "b"])
    let (revoked, _) = try await desk.revoke("abc", isForeign: false, requester: "uid:7")
    #expect(revoked.revokedAt == clock.now() && revoked.revokedBy == "uid:7")
    let contents = try await store.accessContents()
    #expect(Set(contents.grants) == [revoked, token])
    #expect(certificate.revokedAt == nil)
    let next = GrantRegistry()
    #expect(!next.isLoaded)
    await AccessDesk(store: store, mint: Mint(), registry: next, clock: clock).load(contents)
    #expect(next.isLoaded && next.isRevoked("abc") && !next.isRevoked(token.id))
    #expect(next.grant(tokenHash: Mint().hash(ofToken: text) ?? [])?.id == token.id)
  }

  @Test("What cannot be put on record is not issued")
  func unstored() async throws {
    struct Broken: AccessStore {
      func accessContents() async throws(StoreError) -> AccessContents { AccessContents() }
      func commit(_ changes: [AccessChange]) async throws(StoreError) {
        throw StoreError(.unavailable, "the disk is full")
      }
    }
    let desk = AccessDesk(store: Broken(), mint: Mint(), registry: registry, clock: clock)
    await #expect(throws: AccessError(.storeUnavailable, "the disk is full")) {
      try await desk.issueToken(
        name: "ci", role: .reader, clusters: [], validity: .seconds(60), requester: "x")
    }
    #expect(try await desk.grants(after: "", limit: 9).grants.isEmpty)
  }

  @Test("A revoked grant stays as it was revoked first")
  func twice() async throws {
    let desk = desk()
    let (_, token) = try await desk.issueToken(
      name: "ci", role: .reader, clusters: [], validity: .seconds(600), requester: "x")
    let (first, _) = try await desk.revoke(token.id, isForeign: false, requester: "a")
    clock.pass(.seconds(9))
    let (second, _) = try await desk.revoke(token.id, isForeign: false, requester: "b")
    #expect(first == second && second.revokedBy == "a")
  }

  @Test("A certificate of another CA is revoked by its serial number, however it is written")
  func foreign() async throws {
    let desk = desk()
    await #expect(throws: AccessError.self) {
      try await desk.revoke("0A:BC", isForeign: false, requester: "x")
    }
    let (grant, _) = try await desk.revoke("0A:BC:01", isForeign: true, requester: "x")
    #expect(grant.id == "abc01" && grant.role == nil)
    #expect(registry.isRevoked("abc01"))
    await #expect(throws: AccessError.self) {
      try await desk.revoke("xyz", isForeign: true, requester: "x")
    }
  }

  @Test("Where another CA lets clients in, tokens are issued and certificates are not")
  func otherCA() async throws {
    let desk = desk(Mint(signsCertificates: false))
    do {
      _ = try await desk.issueCertificate(
        "request", name: "alice", role: .reader, validity: .seconds(60), requester: "x")
      Issue.record("a certificate was issued")
    } catch { #expect(error.code == .foreignAuthority) }
    _ = try await desk.issueToken(
      name: "ci", role: .reader, clusters: [], validity: .seconds(60), requester: "x")
  }

  @Test("Grants that expired 30 days ago make room")
  func room() async throws {
    let desk = desk()
    let (_, old) = try await desk.issueToken(
      name: "old", role: .reader, clusters: [], validity: .seconds(60), requester: "x")
    clock.pass(.seconds(30 * 86_400))
    _ = try await desk.issueToken(
      name: "new", role: .reader, clusters: [], validity: .seconds(60), requester: "x")
    #expect(try await desk.grants(after: "", limit: 9).grants.count == 2)
    clock.pass(.seconds(61))
    _ = try await desk.issueToken(
      name: "newer", role: .reader, clusters: [], validity: .seconds(60), requester: "x")
    let left = try await store.accessContents().grants
    #expect(left.count == 2 && !left.contains { $0.id == old.id })
    #expect(registry.grant(tokenHash: old.tokenHash) == nil)
  }

  @Test("A call that begins under a grant which was revoked meanwhile is not let in")
  func race() async throws {
    let desk = desk()
    let (_, token) = try await desk.issueToken(
      name: "ci", role: .reader, clusters: [], validity: .seconds(60), requester: "x")
    let ended = Atomic(0)
    let number = try #require(
      registry.enter(token.id) { ended.add(1, ordering: .relaxed) })
    let other = try #require(registry.enter(token.id) { ended.add(1, ordering: .relaxed) })
    registry.leave(token.id, other)
    let (_, count) = try await desk.revoke(token.id, isForeign: false, requester: "x")
    #expect(count == 1 && ended.load(ordering: .relaxed) == 1)
    #expect(registry.enter(token.id, end: {}) == nil)
    registry.leave(token.id, number)
  }
}
