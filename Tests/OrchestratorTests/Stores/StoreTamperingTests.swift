import Foundation
import JournalCoding
import Orchestrator
import Rotation
import StoreConformance
import Testing

@testable import SQLiteStore

/// What somebody can do to the file who may write to it, and does not have the master key.
@Suite("A store that somebody else has changed")
struct StoreTamperingTests {
  static let talosRotation = "713beda6b939f86f2f1f"
  static let kubernetesRotation = "d0538ac44f452ed186f5"

  /// - Returns: the message with which the store is refused after the change.
  private func refusal(
    after change: (StoreOnDisk, StoreContents) throws -> Void
  ) async throws -> String {
    let disk = try await StoreOnDisk.takenOver()
    let contents = try await disk.contents()
    try change(disk, contents)
    let before = try Data(contentsOf: URL(filePath: disk.path))
    let error = try #require(await disk.refusal(), "the store was taken")
    #expect(error.code == .corrupt)
    #expect(error.message.contains("restore it from a backup"))
    #expect(!error.message.contains("\n"))
    #expect(try Data(contentsOf: URL(filePath: disk.path)) == before, "it was left as it is")
    return error.message
  }

  @Test(
    "A changed row is named",
    arguments: [
      ("UPDATE clusters SET revision = 99 WHERE name = 'beta'", "row 'beta' of table clusters"),
      (
        "UPDATE clusters SET record = (SELECT record FROM clusters WHERE name = 'alpha') "
          + "WHERE name = 'beta'", "row 'beta' of table clusters"
      ),
      (
        "UPDATE clusters SET name = 'gamma' WHERE name = 'beta'", "row 'gamma' of table clusters"
      ),
      (
        "UPDATE clusters SET name = iif(name = 'alpha', 'beta ', 'alpha '); "
          + "UPDATE clusters SET name = trim(name)", "row 'alpha' of table clusters"
      ),
      (
        "UPDATE rotations SET ordinal = 7 WHERE id = '713beda6b939f86f2f1f'",
        "row '713beda6b939f86f2f1f' of table rotations (cluster 'alpha')"
      ),
      (
        "UPDATE rotations SET cluster = 'beta', ordinal = 9 WHERE id = 'd0538ac44f452ed186f5'",
        "row 'd0538ac44f452ed186f5' of table rotations (cluster 'beta')"
      ),
      (
        "UPDATE requests SET id = 'three' WHERE id = 'two'",
        "row 'alpha', 'three' of table requests"
      ),
      (
        "UPDATE rotations SET mac = (SELECT mac FROM clusters WHERE name = 'beta') "
          + "WHERE cluster = 'beta'", "of table rotations (cluster 'beta')"
      ),
      ("UPDATE journal SET newest = newest - 1", "row of table journal"),
      ("UPDATE journal SET digest = zeroblob(56)", "row of table journal"),
      ("DELETE FROM journal", "row of table journal is missing"),
    ])
  func changed(sql: String, row: String) async throws {
    let message = try await refusal { disk, _ in try disk.execute(sql) }
    #expect(message.contains(row), "\(message)")
  }

  @Test("Every byte of a record counts")
  func everyByte() async throws {
    let disk = try await StoreOnDisk.takenOver()
    let seal = try JournalSeal(Sample.sealer)
    let record = try #require(try await disk.contents().clusters.first).journalBytes()
    let row = JournalRow(name: RowName(.clusters, cluster: "alpha"), revision: 3, record: record)
    let code = seal.code(row)
    for index in record.indices {
      var changed = row
      changed.record[index] ^= 1
      #expect(throws: StoreError.self) { try seal.check(changed, code) }
    }
    try disk.execute(
      "UPDATE clusters SET record = CAST(substr(record, 1, 60) || 'X' || substr(record, 62) AS BLOB) "
        + "WHERE name = 'alpha'")
    let message = try #require(await disk.refusal()).message
    #expect(message.contains("row 'alpha' of table clusters"), "\(message)")
  }

  @Test("One cluster's CA pasted into another's rotation, and swapped components, are named")
  func pasted() async throws {
    let rotation = try await refusal { disk, contents in
      var alpha = try #require(contents.rotations.first { $0.cluster == "alpha" })
      alpha.new = try #require(contents.clusters.last?.authorities[.kubernetesCA])
      try disk.execute(
        "UPDATE rotations SET record = \(alpha.journalRows().record.sql) WHERE id = '\(alpha.id)'")
    }
    #expect(rotation.contains("row '\(Self.kubernetesRotation)' of table rotations"))
    let swapped = try await refusal { disk, contents in
      var beta = try #require(contents.clusters.last)
      let talos = beta.authorities[.talosCA]
      beta.authorities[.talosCA] = beta.authorities[.kubernetesCA]
      beta.authorities[.kubernetesCA] = talos
      try disk.execute(
        "UPDATE clusters SET record = \(beta.journalBytes().sql) WHERE name = 'beta'")
    }
    #expect(swapped.contains("row 'beta' of table clusters"))
  }

  @Test(
    "A row that is deleted is named",
    arguments: [
      ("clusters WHERE name = 'beta'", "row 'beta' of table clusters is missing"),
      (
        "rotations WHERE id = '713beda6b939f86f2f1f'",
        "row '713beda6b939f86f2f1f' of table rotations (cluster 'alpha') is missing"
      ),
      ("requests WHERE id = 'two'", "row 'alpha', 'two' of table requests is missing"),
      ("rotations", "there are 5 of 8"),
    ])
  func deleted(rows: String, problem: String) async throws {
    let message = try await refusal { disk, _ in try disk.execute("DELETE FROM \(rows)") }
    #expect(message.contains(problem), "\(message)")
  }

  @Test(
    "Rows of a rotation's progress are believed as little: changed, deleted, old, or another machine's",
    arguments: [
      (
        "UPDATE progress SET revision = revision + 1 WHERE id = 'r9/'",
        "row 'r9/' of table progress"
      ),
      (
        "UPDATE progress SET record = (SELECT record FROM progress WHERE id = 'r9/m-1') "
          + "WHERE id = 'r9/m-0'", "row 'r9/m-0' of table progress"
      ),
      ("DELETE FROM progress WHERE id = 'r9/m-3'", "row 'r9/m-3' of table progress"),
      ("UPDATE progress SET id = 'r9/m-9' WHERE id = 'r9/m-3'", "row 'r9/m-9' of table progress"),
      ("DELETE FROM progress WHERE id = 'r9/'", "row 'r9/' of table progress"),
      ("DELETE FROM progress", "there are 10 of 16"),
    ])
  func progress(sql: String, problem: String) async throws {
    let disk = try await StoreOnDisk.takenOver()
    let store = try disk.open()
    var cluster = Sample.cluster("progress", count: 9)
    cluster.authorities = cluster.authorities.filter { $0.key == .kubernetesCA }
    let rotation = Sample.rotation(
      "r9", cluster: "progress", ordinal: 9, state: Sample.states.first { $0.stage != nil }!)
    _ = try await store.commit([
      .putRotation(rotation, expected: 0), .putCluster(cluster, expected: 0),
    ])
    await store.close()
    #expect(await disk.refusal() == nil)
    try disk.execute(sql)
    let message = try #require(await disk.refusal()).message
    #expect(message.contains(problem), "\(message)")
  }

  @Test("A row of an older copy is named, whatever row it is")
  func older() async throws {
    let disk = try await StoreOnDisk.takenOver()
    let old = try disk.copy("old.db")
    let store = try disk.open()
    let before = try await store.load()
    for var cluster in before.clusters {
      cluster.talosVersion = "v1.13.5"
      _ = try await store.commit([.putCluster(cluster, expected: cluster.revision)])
    }
    for var rotation in before.rotations {
      rotation.notes.append("went on")
      _ = try await store.commit([.putRotation(rotation, expected: rotation.revision)])
    }
    await store.close()
    let newer = try disk.copy("new.db")
    for (table, key, name) in [
      ("clusters", "name", "alpha"), ("clusters", "name", "beta"),
      ("rotations", "id", Self.kubernetesRotation),
    ] {
      try disk.execute(
        "ATTACH '\(old)' AS old; INSERT OR REPLACE INTO \(table) "
          + "SELECT * FROM old.\(table) WHERE \(key) = '\(name)'")
      let message = try #require(await disk.refusal()).message
      #expect(message.contains("row '\(name)' of table \(table)"), "\(message)")
      #expect(message.contains("is an old one"), "\(message)")
      try FileManager.default.removeItem(atPath: disk.path)
      try FileManager.default.copyItem(atPath: newer, toPath: disk.path)
      #expect(await disk.refusal() == nil)
    }
    // All rows of one cluster at once: it cannot be said which, but that it is so.
    try disk.execute(
      "ATTACH '\(old)' AS old; "
        + "INSERT OR REPLACE INTO clusters SELECT * FROM old.clusters WHERE name = 'alpha'; "
        + "INSERT OR REPLACE INTO rotations SELECT * FROM old.rotations WHERE cluster = 'alpha'")
    #expect(await disk.refusal()?.code == .corrupt)
  }

  @Test("A row that had been removed and is put back is named")
  func putBack() async throws {
    let disk = try await StoreOnDisk.takenOver()
    let old = try disk.copy("old.db")
    let store = try disk.open()
    let beta = try #require(try await store.cluster("beta"))
    _ = try await store.commit([.removeCluster("beta", expected: beta.revision)])
    await store.close()
    #expect(try await disk.contents().clusters.map(\.name) == ["alpha"])
    try disk.execute(
      "ATTACH '\(old)' AS old; INSERT INTO clusters SELECT * FROM old.clusters WHERE name = 'beta'")
    let message = try #require(await disk.refusal()).message
    #expect(message.contains("row 'beta' of table clusters had been removed"), "\(message)")
  }

  @Test("What is read later is believed as little as what is read at the start")
  func changedWhileOpen() async throws {
    let disk = try await StoreOnDisk.takenOver()
    let store = try disk.open()
    _ = try await store.load()
    try disk.execute("UPDATE clusters SET revision = revision + 1")
    try disk.execute("UPDATE rotations SET revision = revision + 1")
    try disk.execute("UPDATE requests SET revision = revision + 1")
    await #expect(throws: StoreError.self) { _ = try await store.cluster("alpha") }
    await #expect(throws: StoreError.self) {
      _ = try await store.rotation(Self.kubernetesRotation)
    }
    await #expect(throws: StoreError.self) {
      _ = try await store.rotations(cluster: "alpha", before: nil, limit: 10)
    }
    await #expect(throws: StoreError.self) {
      _ = try await store.request("one", cluster: "alpha")
    }
    await store.close()
  }

  @Test("An authority in a place that it was not sealed for is refused, even when omnid wrote it")
  func misplaced() async throws {
    let disk = try await StoreOnDisk.takenOver()
    let store = try disk.open()
    let contents = try await store.load()
    let alpha = try #require(contents.clusters.first)
    let rotation = try #require(contents.rotations.first)
    var cases: [(StoreChange, String)] = []
    func add(_ problem: String, _ edit: (inout ClusterRecord) -> Void) {
      var cluster = alpha
      edit(&cluster)
      cases.append((.putCluster(cluster, expected: alpha.revision), problem))
    }
    func add(rotation problem: String, _ edit: (inout RotationRecord) -> Void) {
      var changed = rotation
      edit(&changed)
      cases.append((.putRotation(changed, expected: rotation.revision), problem))
    }
    add("is one of cluster 'beta'") { $0.authorities = contents.clusters[1].authorities }
    add("is a kubernetes-ca") { $0.authorities[.talosCA] = $0.authorities[.kubernetesCA] }
    add("is not the one that rotation '\(Self.talosRotation)' made") {
      $0.authorities[.talosCA]?.sealedKey[40] ^= 1
    }
    add(rotation: "its new CA was made by another rotation") { $0.new = $0.old }
    add(rotation: "its new CA was made by another rotation") { $0.new.binding.rotation = "r" }
    add(rotation: "it replaces another CA than the one that cluster 'alpha' has") {
      $0.old.sealedKey[40] ^= 1
    }
    for (change, problem) in cases {
      let other = try StoreOnDisk()
      try FileManager.default.copyItem(atPath: disk.path, toPath: other.path)
      let copy = try other.open()
      _ = try await copy.commit([change])
      await copy.close()
      let message = await other.refusal()?.message ?? "taken"
      #expect(message.contains(problem), "\(message)")
    }
    await store.close()
  }
}
