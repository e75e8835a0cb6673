import Foundation
import Orchestrator
import Rotation
import SQLiteStore
import StoreConformance
import Testing

@Suite("The store's files")
struct StorePlaceTests {
  private func unavailable(_ error: any Error) -> Bool {
    (error as? StoreError)?.code == .unavailable
  }

  @Test(
    "Files that others have rights to, links, and what is no file are refused, saying what to do",
    arguments: ["", "-wal", "-shm"])
  func rights(suffix: String) throws {
    let disk = try StoreOnDisk()
    let file = disk.path + suffix
    func refusal() -> String {
      do { _ = try disk.open() } catch { return (error as? StoreError)?.message ?? "\(error)" }
      return "taken"
    }
    let files = FileManager.default
    for mode in [0o640, 0o604, 0o620, 0o666] {
      _ = files.createFile(atPath: file, contents: Data())
      try files.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
      #expect(refusal().contains("chmod 600 \(file)"))
      try files.removeItem(atPath: file)
    }
    let target = disk.directory.path + "/elsewhere"
    _ = files.createFile(atPath: target, contents: Data())
    try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: target)
    try files.createSymbolicLink(atPath: file, withDestinationPath: target)
    #expect(refusal().contains("is a symbolic link"))
    try files.removeItem(atPath: file)
    try files.linkItem(atPath: target, toPath: file)
    #expect(refusal().contains("hard links"))
    try files.removeItem(atPath: file)
    try files.createDirectory(atPath: file, withIntermediateDirectories: false)
    #expect(refusal().contains("is not a regular file"))
    try files.removeItem(atPath: file)
    #expect(refusal() == "taken")
  }

  @Test("An absent or empty store is made only where one may be made")
  func making() throws {
    let disk = try StoreOnDisk()
    let existing = SQLiteStore.Opening(creates: false)
    #expect(throws: StoreError.self) { try disk.open(opening: existing) }
    #expect(!FileManager.default.fileExists(atPath: disk.path))
    try writePrivately(Data(), to: URL(filePath: disk.path))
    do {
      _ = try disk.open(opening: existing)
      Issue.record("opened")
    } catch {
      #expect((error as? StoreError)?.message.contains("restore it from a backup") == true)
    }
    #expect(try disk.open().origin == .made)
    #expect(try disk.open(opening: existing).origin == .found)
  }

  @Test(
    "While the store is away nothing is committed, and what was asked is done when it is back",
    arguments: [["omnid.db"], ["omnid.db-wal"], ["omnid.db", "omnid.db-wal", "omnid.db-shm"]])
  func away(names: [String]) async throws {
    let disk = try StoreOnDisk()
    let store = try disk.open()
    let files = FileManager.default
    _ = try await store.commit([.putCluster(Sample.cluster("one"), expected: 0)])
    let attic = disk.directory.path + "/attic"
    try files.createDirectory(atPath: attic, withIntermediateDirectories: false)
    for name in names {
      try files.moveItem(atPath: disk.directory.path + "/" + name, toPath: attic + "/" + name)
    }
    await #expect {
      try await store.commit([.putCluster(Sample.cluster("two"), expected: 0)])
    } throws: { unavailable($0) }
    await #expect { try await store.cluster("one") } throws: { unavailable($0) }
    for name in names {
      try files.moveItem(atPath: attic + "/" + name, toPath: disk.directory.path + "/" + name)
    }
    #expect(try await store.cluster("two") == nil, "the commit was made nevertheless")
    #expect(
      try await store.commit([.putCluster(Sample.cluster("two"), expected: 0)]) == 2)
    await store.close()
    #expect(try await disk.contents().clusters.map(\.name) == ["one", "two"])
  }

  @Test("A store that was deleted, replaced by a copy, or given a second name, takes no commit")
  func replaced() async throws {
    let disk = try StoreOnDisk()
    let store = try disk.open()
    let files = FileManager.default
    let cluster = Sample.cluster("demo")
    _ = try await store.commit([.putCluster(cluster, expected: 0)])
    func commit() async -> String {
      do { _ = try await store.commit([.putCluster(Sample.cluster("more"), expected: 0)]) } catch {
        #expect(error.code == .unavailable)
        return error.message
      }
      return "made"
    }
    let name = disk.directory.path + "/second"
    try files.linkItem(atPath: disk.path, toPath: name)
    #expect(await commit().contains("2 names (hard links)"))
    try files.removeItem(atPath: name)
    try files.copyItem(atPath: disk.path, toPath: name)
    try files.removeItem(atPath: disk.path)
    #expect(await commit().contains("was moved or deleted"))
    try files.moveItem(atPath: name, toPath: disk.path)
    #expect(await commit().contains("is another file than the one that omnid opened"))
    await store.close()
  }

  @Test("What is forgotten, pruned or replaced leaves no byte of a sealed key in any file")
  func forgotten() async throws {
    let disk = try StoreOnDisk()
    let store = try disk.open()
    func key(_ seed: UInt8) -> [UInt8] { (0..<200).map { seed ^ UInt8($0) &* 37 } }
    func cluster(_ name: String, _ seed: UInt8) -> ClusterRecord {
      var cluster = Sample.cluster(name)
      cluster.authorities[.talosCA]?.sealedKey = key(seed)
      // Longer than a page, so that overflow pages are freed too.
      cluster.authorities[.kubernetesCA]?.sealedKey = key(seed ^ 0x5A)
      cluster.authorities[.kubernetesCA]?.certificatePEM += String(repeating: "x", count: 9_000)
      return cluster
    }
    var demo = cluster("demo", 1)
    demo.revision = try await store.commit([.putCluster(demo, expected: 0)])
    _ = try await store.commit([.putCluster(cluster("stays", 2), expected: 0)])
    // The record is replaced, and with it its CAs.
    for seed in [11, 12, 13] as [UInt8] {
      let next = cluster("demo", seed)
      demo.revision = try await store.commit([.putCluster(next, expected: demo.revision)])
    }
    for ordinal in 1...3 as ClosedRange<UInt64> {
      var rotation = Sample.rotation("r\(ordinal)", ordinal: ordinal)
      rotation.new.sealedKey = key(20 + UInt8(ordinal))
      _ = try await store.commit([.putRotation(rotation, expected: 0)])
    }
    #expect(try disk.holds(Array(key(1)[..<24])), "the test would find nothing anyway")
    _ = try await store.commit([.pruneRotations(cluster: "demo", before: 3)])
    for seed in [21, 22] as [UInt8] { #expect(try !disk.holds(Array(key(seed)[..<24]))) }
    #expect(try disk.holds(Array(key(23)[..<24])))
    _ = try await store.commit([.removeCluster("demo", expected: demo.revision)])
    for seed in [1, 11, 12, 13, 21, 22, 23] as [UInt8] {
      for part in [key(seed), key(seed ^ 0x5A)] {
        for start in stride(from: 0, to: 192, by: 24) {
          #expect(try !disk.holds(Array(part[start..<start + 8])), "key \(seed) is still there")
        }
      }
    }
    #expect(try disk.holds(Array(key(2)[..<24])), "what stays is there")
    await store.close()
  }
}
