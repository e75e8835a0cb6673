import Access
import MemoryStore
import Orchestrator
import Rotation
import SQLiteStore
import StoreConformance
import Testing

@Suite("Who may call, in a store")
struct AccessStoreTests {
  private static let now = Instant(secondsSince1970: 1_800_000_000)

  private static let authority = SealedAPIAuthority(certificatePEM: "pem", sealedKey: [1, 2, 3])

  private static let certificate = AccessGrant(
    id: "5e71", kind: .certificate, name: "alice", role: .admin, issuedAt: now,
    expiresAt: now.advanced(by: .seconds(60)), issuedBy: "uid:0")

  private static let token = AccessGrant(
    id: "t-1", kind: .token, name: "ci", role: .reader, clusters: ["a", "b"], issuedAt: now,
    expiresAt: now.advanced(by: .seconds(60)), issuedBy: "cn:alice/5e71",
    revokedAt: now.advanced(by: .seconds(1)), revokedBy: "uid:0", tokenHash: [9, 9])

  private static let foreign = AccessGrant(
    id: "abc", kind: .certificate, name: "", role: nil, issuedAt: now,
    expiresAt: Instant(nanosecondsSince1970: .max), issuedBy: "uid:0", revokedAt: now)

  private static func filled() async throws -> StoreOnDisk {
    let disk = try StoreOnDisk()
    let store = try disk.open()
    try await store.commit([.putAuthority(authority), .putGrant(certificate)])
    try await store.commit([.putGrant(token), .putGrant(foreign)])
    await store.close()
    return disk
  }

  @Test("What was put is there when the store is opened anew, whole", arguments: [true, false])
  func roundTrip(inMemory: Bool) async throws {
    let disk = inMemory ? nil : try await Self.filled()
    let store: any AccessStore = try disk?.open() ?? MemoryStore()
    if inMemory {
      try await store.commit([
        .putAuthority(Self.authority), .putGrant(Self.certificate), .putGrant(Self.token),
        .putGrant(Self.foreign),
      ])
    }
    let contents = try await store.accessContents()
    #expect(contents.authority == Self.authority)
    #expect(Set(contents.grants) == [Self.certificate, Self.token, Self.foreign])
    var changed = Self.certificate
    changed.revokedAt = Self.now
    try await store.commit([.putGrant(changed), .removeGrant(id: "t-1")])
    #expect(Set(try await store.accessContents().grants) == [changed, Self.foreign])
    #expect(try await (store as? SQLiteStore)?.load().clusters.isEmpty ?? true)
    await (store as? SQLiteStore)?.close()
  }

  @Test(
    "A store in which somebody else has changed who may call is refused",
    arguments: [
      // A revocation is taken away, a grant is taken back in, a token gets another place.
      "DELETE FROM access WHERE id = 't-1'", "DELETE FROM access WHERE id = 'api.ca'",
      "UPDATE access SET record = (SELECT record FROM access WHERE id = 'api.ca') WHERE id = '5e71'",
      "UPDATE access SET id = 't-2' WHERE id = 't-1'", "UPDATE access SET cluster = 'a'",
    ])
  func tampering(sql: String) async throws {
    let disk = try await Self.filled()
    try disk.execute(sql)
    #expect(await disk.refusal()?.code == .corrupt)
  }

  @Test("An older state of one row does not come back unseen")
  func rollback() async throws {
    let disk = try await Self.filled()
    let kept = try disk.copy("kept.db")
    let store = try disk.open()
    var revoked = Self.certificate
    revoked.revokedAt = Self.now
    try await store.commit([.putGrant(revoked)])
    await store.close()
    try disk.execute(
      "ATTACH '\(kept)' AS kept; DELETE FROM access WHERE id = '5e71'; "
        + "INSERT INTO access SELECT * FROM kept.access WHERE id = '5e71'"
    )
    #expect(await disk.refusal()?.code == .corrupt)
  }

  @Test("Forgetting a cluster takes nobody's access away")
  func forgetting() async throws {
    let disk = try await Self.filled()
    let store = try disk.open()
    let cluster = Sample.cluster("a")
    let revision = try await store.commit([.putCluster(cluster, expected: 0)])
    _ = try await store.commit([.removeCluster("a", expected: revision)])
    #expect(try await store.accessContents().grants.count == 3)
    await store.close()
    #expect(await disk.refusal() == nil)
  }
}
