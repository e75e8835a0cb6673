import Daemon
import Foundation
import Orchestrator
import SQLiteStore
import Testing

@testable import omnid

@Suite("Master key, store and state directory")
final class PersistentStateTests {
  private let root = NSTemporaryDirectory() + "omnid-state-" + UUID().uuidString
  private var state: String { root + "/state" }
  private var key: String { state + "/master.key" }
  private var store: String { state + "/omnid.db" }
  private let files = FileManager.default

  init() throws { try PrivateFiles.makeDirectory(root) }

  deinit { try? files.removeItem(atPath: root) }

  /// Opens the state and closes it again; answers with why it is refused, or nil.
  private func refusal(_ flags: [String] = []) async -> String? {
    do {
      let facts = ProcessFacts(environment: [:], userID: 0)
      let options = try ServeOptions(["--state-dir", state] + flags, facts) { _ in [] }
      let state = try PersistentState(options, Logger(write: { _ in }))
      _ = try await state.store.load()
      await state.store.close()
      return nil
    } catch {
      let text = (error as? StoreError)?.message ?? "\(error)"
      #expect(!text.contains("\n"))
      return text
    }
  }

  @Test("The first start makes both, and the next one finds them")
  func first() async throws {
    #expect(await refusal() == nil)
    let made = try Data(contentsOf: URL(filePath: key))
    #expect(await refusal() == nil)
    #expect(try Data(contentsOf: URL(filePath: key)) == made)
    #expect(!files.fileExists(atPath: key + ".first"))
  }

  @Test("A first start that was cut short is gone on with, wherever it was cut")
  func cutShort() async throws {
    #expect(await refusal() == nil)
    let made = try Data(contentsOf: URL(filePath: key))
    // The key's own name is the last thing that is made.
    try files.moveItem(atPath: key, toPath: key + ".first")
    #expect(await refusal() == nil)
    #expect(try Data(contentsOf: URL(filePath: key)) == made)
    // Not yet there: what the store is made of.
    for isEmpty in [true, false] {
      try files.moveItem(atPath: key, toPath: key + ".first")
      for suffix in ["", "-wal", "-shm"] { PrivateFiles.remove(store + suffix) }
      if isEmpty { try PrivateFiles.make(store, saying: "") }
      #expect(await refusal() == nil)
      #expect(try Data(contentsOf: URL(filePath: key)) == made)
    }
    // Both names, the other one being removed last.
    try files.linkItem(atPath: key, toPath: key + ".first")
    #expect(await refusal() == nil)
    #expect(!files.fileExists(atPath: key + ".first"))
  }

  @Test("A master key without its store is refused, and never begun anew with")
  func keyAlone() async throws {
    #expect(await refusal() == nil)
    for suffix in ["", "-wal", "-shm"] { PrivateFiles.remove(store + suffix) }
    let alone = try #require(await refusal())
    #expect(alone.contains("restore the store from a backup"))
    #expect(alone.contains("move the master key \(key) away"))
    #expect(!files.fileExists(atPath: store))
    try PrivateFiles.make(store, saying: "")
    #expect(await refusal()?.contains("restore it from a backup") == true)
    PrivateFiles.remove(store)
    PrivateFiles.remove(key)
    #expect(await refusal() == nil, "without both it is a first start")
  }

  @Test("A given master key makes a store once; when that is gone, it is refused")
  func givenKey() async throws {
    let given = root + "/given.key"
    try Data((1...32).map { UInt8($0) }).write(to: URL(filePath: given))
    try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: given)
    let flags = ["--master-key-file", given]
    #expect(await refusal(flags) == nil)
    #expect(await refusal(flags) == nil)
    for suffix in ["", "-wal", "-shm"] { PrivateFiles.remove(store + suffix) }
    let alone = try #require(await refusal(flags))
    #expect(alone.contains("restore the store from a backup"))
    let seen = try #require(
      files.contentsOfDirectory(atPath: state).first { $0.hasPrefix("store-seen-") })
    #expect(alone.contains("move \(state)/\(seen) away"))
    try files.moveItem(atPath: state + "/" + seen, toPath: root + "/" + seen)
    #expect(await refusal(flags) == nil)
  }

  @Test("A store without its master key, or with another one, is refused")
  func storeAlone() async throws {
    #expect(await refusal() == nil)
    try files.moveItem(atPath: key, toPath: root + "/kept")
    #expect(await refusal()?.contains("bring the key back") == true)
    try Data((1...32).map { UInt8($0) }).write(to: URL(filePath: key))
    try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
    #expect(await refusal()?.contains("bring the right key back") == true)
  }

  @Test("A state directory or a store that others have rights to is refused")
  func rights() async throws {
    #expect(await refusal() == nil)
    try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: state)
    #expect(await refusal()?.contains("chmod 700 \(state)") == true)
    try files.setAttributes([.posixPermissions: 0o700], ofItemAtPath: state)
    try files.setAttributes([.posixPermissions: 0o640], ofItemAtPath: store)
    #expect(await refusal()?.contains("chmod 600 \(store)") == true)
  }

  @Test("A store of release 0.1.0 is taken over once, and refused after a newer one was used")
  func takeover() async throws {
    let fixture = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent()
      .appending(path: "OrchestratorTests/Stores/Fixtures/release-0.1.0.db")
    try PrivateFiles.makeDirectory(state)
    try Data((1...32).map { UInt8($0) }).write(to: URL(filePath: key))
    func putOldStore() throws {
      for suffix in ["", "-wal", "-shm"] { PrivateFiles.remove(store + suffix) }
      try Data(contentsOf: fixture).write(to: URL(filePath: store))
      for file in [key, store] {
        try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
      }
    }
    try putOldStore()
    #expect(await refusal() == nil)
    #expect(await refusal() == nil)
    try putOldStore()
    #expect(await refusal()?.contains("an old copy stands in its place") == true)
  }

  private func opened(_ flags: [String] = []) throws -> PersistentState {
    let facts = ProcessFacts(environment: [:], userID: 0)
    let options = try ServeOptions(["--state-dir", state] + flags, facts) { _ in [] }
    return try PersistentState(options, Logger(write: { _ in }))
  }

  private func change(_ file: String = "") async throws -> String {
    let opened = try opened()
    defer { withExtendedLifetime(opened) {} }
    let new = try await opened.changeMasterKey(to: file)
    await opened.store.close()
    return new.keyID
  }

  @Test("A changed master key takes the old one's place, and the store opens with it")
  func changedKey() async throws {
    #expect(await refusal() == nil)
    let before = try Data(contentsOf: URL(filePath: key))
    _ = try await change()
    #expect(try Data(contentsOf: URL(filePath: key)) != before)
    #expect(await refusal() == nil)
    try before.write(to: URL(filePath: key))
    #expect(await refusal()?.contains("bring the right key back") == true)
  }

  @Test(
    "A change of the master key that was cut short is ended by the next start, wherever it was cut")
  func changeCutShort() async throws {
    #expect(await refusal() == nil)
    let old = try Data(contentsOf: URL(filePath: key))
    // Cut before the store was changed.
    try files.copyItem(atPath: key, toPath: key + ".next")
    try Data((1...32).map { UInt8($0) }).write(to: URL(filePath: key + ".next"))
    #expect(await refusal() == nil)
    #expect(try Data(contentsOf: URL(filePath: key)) == old)
    #expect(!files.fileExists(atPath: key + ".next"))
    // Cut after that.
    _ = try await change()
    try files.moveItem(atPath: key, toPath: key + ".next")
    try old.write(to: URL(filePath: key))
    try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
    #expect(await refusal() == nil)
    #expect(try Data(contentsOf: URL(filePath: key)) != old)
    #expect(!files.fileExists(atPath: key + ".next"))
  }

  @Test("A new master key that cannot be read, or is the old one, changes nothing")
  func refusedChange() async throws {
    #expect(await refusal() == nil)
    let before = try Data(contentsOf: URL(filePath: key))
    try Data([1, 2, 3]).write(to: URL(filePath: root + "/short"))
    for file in [root + "/none", root + "/short", key] {
      await #expect(throws: (any Error).self) { try await change(file) }
    }
    #expect(try Data(contentsOf: URL(filePath: key)) == before)
    #expect(!files.fileExists(atPath: key + ".next"))
    #expect(await refusal() == nil)
  }

  @Test("While it cannot be told under which key the store stands, neither key goes")
  func unreadableStore() async throws {
    #expect(await refusal() == nil)
    try Data((1...32).map { UInt8($0) }).write(to: URL(filePath: key + ".next"))
    try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key + ".next")
    try files.moveItem(atPath: store, toPath: root + "/elsewhere")
    let refused = try #require(await refusal())
    #expect(refused.contains("was cut short") && refused.contains(".next"), "\(refused)")
    #expect(files.fileExists(atPath: key) && files.fileExists(atPath: key + ".next"))
    try files.moveItem(atPath: root + "/elsewhere", toPath: store)
    #expect(await refusal() == nil)
  }

  @Test("Of several changes of the master key at once each is made whole or refused")
  func changesAtOnce() async throws {
    #expect(await refusal() == nil)
    let opened = try opened()
    let made = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 {
        group.addTask { (try? await opened.changeMasterKey(to: "")) != nil }
      }
      return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(made >= 1)
    await opened.store.close()
    withExtendedLifetime(opened) {}
  }

  @Test("After many changes at once the store opens with the key that is there")
  func afterChangesAtOnce() async throws {
    try await changesAtOnce()
    #expect(await refusal() == nil)
    #expect(!files.fileExists(atPath: key + ".next"))
  }
}
