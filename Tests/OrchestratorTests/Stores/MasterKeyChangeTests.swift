import Access
import Crypto
import Foundation
import Orchestrator
import Rotation
import SQLiteStore
import StoreConformance
import Testing

@Suite("A store whose master key is changed")
struct MasterKeyChangeTests {
  private static let newKey = [UInt8](100..<132)

  private func opened(
    _ authority: SealedAuthority, _ sealer: Sealer
  ) throws -> [UInt8] {
    try sealer.open(
      authority.sealedKey,
      context: authority.binding.sealingContext(fingerprint: authority.fingerprint)
    ).withSpan { bytes in bytes.indices.map { bytes[$0] } }
  }

  /// Every authority that a store holds.
  private func authorities(_ contents: StoreContents) -> [SealedAuthority] {
    contents.clusters.flatMap { Array($0.authorities.values) + Array($0.predecessors.values) }
      + contents.rotations.flatMap { [$0.old, $0.new] }
  }

  @Test("All that it holds is there under the new key, and nothing opens with the old one")
  func changes() async throws {
    let disk = try await StoreOnDisk.takenOver()
    let before = try await disk.contents()
    let sealer = try Sealer(masterKey: Sample.masterKey)
    let (old, new) = (
      try Sealer(masterKey: Sample.masterKey), try Sealer(masterKey: Self.newKey)
    )
    let store = try SQLiteStore(path: disk.path, sealer: sealer)
    _ = try await store.append(
      AuditEvent(caller: "uid:0", method: "X", cluster: "", request: ""), at: Sample.instant)
    #expect(SQLiteStore.keyID(path: disk.path) == old.keyID)
    try await store.reseal(sealer, under: new)
    #expect(SQLiteStore.keyID(path: disk.path) == new.keyID && sealer.keyID == new.keyID)

    // What was read before opens still, and what is read now.
    for authority in authorities(before) { _ = try opened(authority, sealer) }
    let now = try await store.load()
    #expect(now.clusters.map(\.name) == before.clusters.map(\.name))
    #expect(now.rotations.map(\.id) == before.rotations.map(\.id))
    #expect(now.revision == before.revision)
    for (was, authority) in zip(
      authorities(before).sorted { $0.fingerprint < $1.fingerprint },
      authorities(now).sorted { $0.fingerprint < $1.fingerprint })
    {
      #expect(Sealer.keyID(of: authority.sealedKey) == new.keyID)
      #expect(try opened(authority, sealer) == opened(was, old))
      #expect(throws: CryptoError.self) { try opened(authority, old) }
    }
    await store.close()
    #expect(await disk.refusal()?.code == .incompatible)
    let again = try disk.open(masterKey: Self.newKey)
    #expect(try await again.load().clusters == now.clusters)
    #expect(try await again.entries(after: 0, limit: 9).count == 1)
    await again.close()
    // Nor do the old seals stand anywhere in the file.
    let bytes = try Data(contentsOf: URL(filePath: disk.path))
    for authority in authorities(before) {
      #expect(bytes.firstRange(of: Data(authority.sealedKey)) == nil)
    }
  }

  @Test("Records from before the change are sealed anew when they are written after it")
  func writesFromMemory() async throws {
    let disk = try await StoreOnDisk.takenOver()
    let sealer = try Sealer(masterKey: Sample.masterKey)
    let store = try SQLiteStore(path: disk.path, sealer: sealer)
    let before = try await store.load()
    var stale = try #require(before.clusters.first)
    try await store.reseal(sealer, under: Sealer(masterKey: Self.newKey))
    stale.talosVersion = "v1.99.0"
    _ = try await store.commit([.putCluster(stale, expected: stale.revision)])
    // Whole: the same authority is the same in the records of its cluster and of its rotation.
    let now = try await store.load()
    let cluster = try #require(now.clusters.first)
    #expect(cluster.talosVersion == "v1.99.0")
    for authority in cluster.authorities.values {
      #expect(Sealer.keyID(of: authority.sealedKey) == sealer.keyID)
    }
    // Once more, back to the first key, with the record from before both changes: it is the same authority still.
    for key in [Self.newKey, Sample.masterKey] {
      try await store.reseal(
        sealer, under: Sealer(masterKey: key == Self.newKey ? [UInt8](7..<39) : key))
      stale.revision = try #require(try await store.cluster(stale.name)).revision
      _ = try await store.commit([.putCluster(stale, expected: stale.revision)])
      _ = try await store.load()
    }
    // And with what was read in between.
    try await store.reseal(sealer, under: Sealer(masterKey: [UInt8](50..<82)))
    _ = try await store.commit([
      .putCluster(cluster, expected: try #require(try await store.cluster(cluster.name)).revision)
    ])
    _ = try await store.load()
    await store.close()
  }

  @Test("A store that somebody has changed is not vouched for anew")
  func tampered() async throws {
    let disk = try await StoreOnDisk.takenOver()
    let sealer = try Sealer(masterKey: Sample.masterKey)
    let store = try SQLiteStore(path: disk.path, sealer: sealer)
    try disk.execute("UPDATE clusters SET revision = 99 WHERE name = 'beta'")
    let error = await #expect(throws: StoreError.self) {
      try await store.reseal(sealer, under: Sealer(masterKey: Self.newKey))
    }
    #expect(error?.code == .corrupt)
    #expect(sealer.keyID == (try Sealer(masterKey: Sample.masterKey)).keyID)
    await store.close()
  }
}
