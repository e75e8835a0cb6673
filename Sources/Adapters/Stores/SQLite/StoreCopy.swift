internal import CSQLite
public import Crypto
public import Orchestrator

/// A copy of a store at one moment, in memory: what a backup holds.
public struct StoreCopy: Sendable {
  /// The largest store that is copied, in bytes.
  public static let limit = 1 << 30

  /// The bytes of the SQLite file.
  public let bytes: [UInt8]
  /// What the copy holds.
  public let contents: StoreContents

  /// Copies a store, also while an omnid uses it, and looks whether the copy is whole. Blocks.
  ///
  /// - Parameter sealer: holds the store's master key.
  /// - Throws: `.incompatible` for another master key or a store of another version, `.corrupt` when somebody has
  ///   changed the store, `.unavailable`.
  public init(of path: String, sealer: Sealer) throws(StoreError) {
    let source = try Connection(path: path, mode: SQLITE_OPEN_READONLY)
    let copy = try Connection(path: ":memory:", mode: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
    try copy.take(from: source)
    bytes = try copy.serialized(limit: Self.limit)
    contents = try Self.audited(copy, sealer)
  }

  /// Takes the bytes of a copy, and looks whether they are whole.
  ///
  /// - Throws: as above.
  public init(bytes: [UInt8], sealer: Sealer) throws(StoreError) {
    let copy = try Connection(path: ":memory:", mode: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
    try copy.deserialize(bytes)
    self.bytes = bytes
    contents = try Self.audited(copy, sealer)
  }

  private static func audited(
    _ connection: borrowing Connection, _ sealer: Sealer
  ) throws(StoreError) -> StoreContents {
    try DatabaseSchema.requireCurrent(connection)
    return try connection.audit(JournalSeal(sealer))
  }
}

extension Connection {
  /// Makes this database the same as the other one is at one moment.
  fileprivate func take(from source: borrowing Connection) throws(StoreError) {
    try unsafe source.lend { handle throws(StoreError) in
      guard let backup = unsafe sqlite3_backup_init(self.borrowed, "main", handle, "main") else {
        throw unsafe error(sqlite3_errcode(self.borrowed), "beginning the copy")
      }
      // All pages at once: what is committed meanwhile is not in the copy, and does not hold it up.
      var result = unsafe sqlite3_backup_step(backup, -1)
      var attempts = 0
      while result == SQLITE_BUSY || result == SQLITE_LOCKED, attempts < 100 {
        attempts += 1
        sqlite3_sleep(50)
        result = unsafe sqlite3_backup_step(backup, -1)
      }
      let last = unsafe sqlite3_backup_finish(backup)
      guard result == SQLITE_DONE, last == SQLITE_OK else {
        throw error(result == SQLITE_DONE ? last : result, "copying the store")
      }
    }
  }

  /// The bytes of the database's file.
  fileprivate func serialized(limit: Int) throws(StoreError) -> [UInt8] {
    var size: Int64 = 0
    guard let bytes = unsafe sqlite3_serialize(borrowed, "main", &size, 0) else {
      throw StoreError(.unavailable, "there is not enough memory for a copy of the store")
    }
    defer { unsafe sqlite3_free(bytes) }
    guard size > 0, size <= limit else {
      throw StoreError(
        .unavailable, "the store has \(size) bytes, and a backup holds \(limit) at most")
    }
    var copied = unsafe [UInt8](UnsafeBufferPointer(start: bytes, count: Int(size)))
    // The file says at 18 and 19 that it has a write-ahead log (file format, "Database Header"), which a copy has not:
    // with that it would not open in memory. omnid gives it one again at its start.
    if copied.count > 19 { (copied[18], copied[19]) = (1, 1) }
    return copied
  }

  /// Makes the bytes of a file this database.
  fileprivate func deserialize(_ bytes: [UInt8]) throws(StoreError) {
    // SQLite owns the memory, and frees it with the connection, also where it fails.
    guard let memory = unsafe sqlite3_malloc64(UInt64(max(1, bytes.count))) else {
      throw StoreError(.unavailable, "there is not enough memory for a copy of the store")
    }
    unsafe memory.copyMemory(from: bytes, byteCount: bytes.count)
    let result = unsafe sqlite3_deserialize(
      borrowed, "main", memory.assumingMemoryBound(to: UInt8.self), Int64(bytes.count),
      Int64(bytes.count), UInt32(SQLITE_DESERIALIZE_FREEONCLOSE))
    guard result == SQLITE_OK else { throw error(result, "reading the copy") }
  }
}
