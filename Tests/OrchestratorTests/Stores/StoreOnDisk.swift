import CSQLite
import Crypto
import Foundation
import Orchestrator
import SQLiteStore
import StoreConformance
import Testing

/// A store in a directory of its own, which somebody else than omnid can write to; gone with the value.
final class StoreOnDisk {
  let directory: URL
  var path: String { directory.path + "/omnid.db" }

  init() throws { directory = try temporaryDirectory() }

  /// A store that a release left: see Fixtures/README.md.
  convenience init(fixture name: String) throws {
    try self.init()
    let fixture = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/" + name)
    try writePrivately(try Data(contentsOf: fixture), to: URL(filePath: path))
  }

  static func release010() throws -> StoreOnDisk { try StoreOnDisk(fixture: "release-0.1.0.db") }

  /// The same, as omnid has taken it over.
  static func takenOver() async throws -> StoreOnDisk {
    let disk = try release010()
    let store = try disk.open()
    #expect(store.origin == .takenOver)
    await store.close()
    return disk
  }

  deinit { try? FileManager.default.removeItem(at: directory) }

  func open(
    masterKey: [UInt8] = Sample.masterKey, opening: SQLiteStore.Opening = SQLiteStore.Opening()
  ) throws -> SQLiteStore {
    try SQLiteStore(path: path, sealer: Sealer(masterKey: masterKey), opening: opening)
  }

  /// What the store holds when it is opened anew.
  func contents() async throws -> StoreContents {
    let store = try open()
    do {
      let contents = try await store.load()
      await store.close()
      return contents
    } catch {
      await store.close()
      throw error
    }
  }

  /// Why the store is refused when it is opened anew; nil when it is not.
  func refusal() async -> StoreError? {
    do { _ = try await contents() } catch { return error as? StoreError }
    return nil
  }

  /// A copy of the closed store's file beside it.
  func copy(_ name: String) throws -> String {
    let copy = directory.path + "/" + name
    try FileManager.default.copyItem(atPath: path, toPath: copy)
    return copy
  }

  /// Changes the file as anybody can who may write to it.
  func execute(_ sql: String) throws {
    var handle: OpaquePointer?
    try #require(sqlite3_open(path, &handle) == SQLITE_OK)
    defer { sqlite3_close(handle) }
    let result = sqlite3_exec(handle, sql, nil, nil, nil)
    try #require(result == SQLITE_OK, "\(String(cString: sqlite3_errmsg(handle))): \(sql)")
  }

  /// The texts that a query answers with, in their order.
  func names(_ sql: String) throws -> [String] {
    var handle: OpaquePointer?
    try #require(sqlite3_open(path, &handle) == SQLITE_OK)
    defer { sqlite3_close(handle) }
    var statement: OpaquePointer?
    try #require(sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK)
    defer { sqlite3_finalize(statement) }
    var names: [String] = []
    while sqlite3_step(statement) == SQLITE_ROW {
      names.append(String(cString: sqlite3_column_text(statement, 0)))
    }
    return names.sorted()
  }

  /// Whether the bytes stand in one of the store's files.
  func holds(_ bytes: [UInt8]) throws -> Bool {
    for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
      let data = try Data(contentsOf: directory.appending(path: name))
      if data.range(of: Data(bytes)) != nil { return true }
    }
    return false
  }
}

extension [UInt8] {
  /// The bytes as a literal of SQL.
  var sql: String { "x'" + map { String(format: "%02x", $0) }.joined() + "'" }
}
