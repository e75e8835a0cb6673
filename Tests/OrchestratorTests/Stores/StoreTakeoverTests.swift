import Crypto
import Foundation
import Orchestrator
import Rotation
import SQLiteStore
import StoreConformance
import Testing

@Suite("Taking over a store of release 0.1.0")
struct StoreTakeoverTests {
  @Test("Everything is there afterwards, each key sealed for its place")
  func takenOver() async throws {
    let disk = try await StoreOnDisk.takenOver()
    let store = try disk.open()
    #expect(store.origin == .found)
    let contents = try await store.load()
    #expect(contents.revision == 33)
    #expect(contents.clusters.map(\.name) == ["alpha", "beta"])
    #expect(contents.clusters.map(\.revision) == [31, 30])
    #expect(contents.rotations.map(\.revision) == [33, 30])
    let talos = StoreTamperingTests.talosRotation
    let kubernetes = StoreTamperingTests.kubernetesRotation
    let alpha = contents.clusters[0]
    #expect(alpha.activeRotation == kubernetes)
    #expect(
      alpha.authorities[.talosCA]?.binding
        == AuthorityBinding(cluster: "alpha", component: .talosCA, rotation: talos))
    #expect(
      alpha.authorities[.kubernetesCA]?.binding
        == AuthorityBinding(cluster: "alpha", component: .kubernetesCA))
    let active = try #require(try await store.rotation(kubernetes))
    #expect(active.old == alpha.authorities[.kubernetesCA])
    #expect(
      active.new.binding
        == AuthorityBinding(cluster: "alpha", component: .kubernetesCA, rotation: kubernetes))
    #expect(try await store.rotation(talos)?.new == alpha.authorities[.talosCA])
    #expect(try await store.request("two", cluster: "alpha")?.rotation == kubernetes)
    for authority in Array(alpha.authorities.values) + [active.old, active.new] {
      let context = authority.binding.sealingContext(fingerprint: authority.fingerprint)
      let key = try Sample.sealer.open(authority.sealedKey, context: context)
      #expect(try PrivateKey(pem: key).matches(Certificate(pem: authority.certificatePEM)))
    }
    await store.close()
  }

  @Test("The keys as release 0.1.0 sealed them are nowhere any more")
  func noRemains() async throws {
    let disk = try StoreOnDisk.release010()
    let sealer = Sample.sealer
    // Version, and the master key's id: what every sealed key begins with.
    let file = try Data(contentsOf: URL(filePath: disk.path))
    let prefix = Data(try sealer.seal([], context: "").prefix(9))
    var old: [[UInt8]] = []
    var position = file.startIndex
    while let found = file.range(of: prefix, in: position..<file.endIndex) {
      old.append(Array(file[found.lowerBound..<min(found.lowerBound + 40, file.endIndex)]))
      position = found.upperBound
    }
    #expect(old.count >= 10)
    let store = try disk.open()
    for sealed in old { #expect(try !disk.holds(sealed)) }
    await store.close()
  }

  @Test("With another master key it is refused and left as it is")
  func anotherKey() async throws {
    for disk in [try StoreOnDisk.release010(), try await StoreOnDisk.takenOver()] {
      let before = try Data(contentsOf: URL(filePath: disk.path))
      do {
        _ = try disk.open(masterKey: Sample.masterKey.reversed())
        Issue.record("opened")
      } catch {
        let error = try #require(error as? StoreError)
        #expect(error.code == .incompatible)
        #expect(error.message.contains("bring the right key back"))
      }
      #expect(try Data(contentsOf: URL(filePath: disk.path)) == before)
    }
  }

  @Test("A key that somebody had moved to another certificate is found")
  func moved() async throws {
    let disk = try StoreOnDisk.release010()
    try disk.execute(
      "UPDATE clusters SET record = CAST(replace(record, substr(record, 300, 8), 'AAAAAAAA') AS BLOB) "
        + "WHERE name = 'alpha'")
    let error = try #require(await disk.refusal())
    #expect(error.code == .corrupt)
    #expect(
      error.message.contains("row 'alpha' of table clusters") || error.message.contains("record"))
  }

  @Test("It is refused, saying why, where a newer store has been used")
  func refused() throws {
    let disk = try StoreOnDisk.release010()
    do {
      _ = try disk.open(opening: SQLiteStore.Opening(olderIsRefused: "which is not wanted"))
      Issue.record("opened")
    } catch {
      let error = try #require(error as? StoreError)
      #expect(
        error == StoreError(.incompatible, "the store is one of release 0.1.0, which is not wanted")
      )
    }
  }

  @Test("What is taken over goes on: commits, removals and another start")
  func goesOn() async throws {
    let disk = try await StoreOnDisk.takenOver()
    let store = try disk.open()
    var rotation = try #require(
      try await store.rotation(StoreTamperingTests.kubernetesRotation))
    rotation.notes.append("after the takeover")
    #expect(try await store.commit([.putRotation(rotation, expected: rotation.revision)]) == 34)
    let beta = try #require(try await store.cluster("beta"))
    _ = try await store.commit([.removeCluster("beta", expected: beta.revision)])
    await store.close()
    let contents = try await disk.contents()
    #expect(contents.revision == 35)
    #expect(contents.clusters.map(\.name) == ["alpha"])
    #expect(contents.rotations.map(\.notes.last) == ["after the takeover"])
  }
}
