internal import CSQLite
import Orchestrator

/// An open SQLite database. Owns the handle and closes it when it goes.
///
/// Used by one thread at a time: opened without SQLite's own mutexes.
@safe struct Connection: ~Copyable {
  /// Owned: opened in `init`, closed in `deinit`.
  private let handle: OpaquePointer

  /// How long a statement waits for another connection to let go of the database.
  private static let busyMilliseconds: Int32 = 5_000

  /// Opens the file, which has to exist unless `mode` has it made; an empty one is an empty database. Reads nothing yet.
  init(path: String, mode: Int32 = SQLITE_OPEN_READWRITE) throws(StoreError) {
    var handle: OpaquePointer?
    let flags = mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    let result = unsafe sqlite3_open_v2(path, &handle, flags, nil)
    guard result == SQLITE_OK, let opened = unsafe handle else {
      // SQLite hands out a handle even when it fails, to ask for the reason; it has to be closed.
      let error = unsafe StoreError(sqlite: result, handle, doing: "opening \(path)")
      unsafe sqlite3_close_v2(handle)
      throw error
    }
    unsafe self.handle = opened
    unsafe sqlite3_busy_timeout(opened, Self.busyMilliseconds)
  }

  deinit { unsafe sqlite3_close_v2(handle) }

  /// Whether a transaction is open.
  var isInTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }

  /// Whether the path does not lead to the open file any more, as SQLite sees it.
  var hasMoved: Bool {
    var moved: Int32 = 0
    let result = unsafe sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved)
    return result != SQLITE_OK || moved != 0
  }

  /// Brings everything from the write-ahead log into the database and empties the log, so that what was removed
  /// stands in neither.
  ///
  /// - Returns: false when somebody who reads the database keeps it from being done now. Nobody is waited for, because
  ///   a reader may take as long as it likes.
  func emptyLog() throws(StoreError) -> Bool {
    unsafe sqlite3_busy_timeout(handle, 0)
    defer { unsafe sqlite3_busy_timeout(handle, Self.busyMilliseconds) }
    let statement = try prepare("PRAGMA wal_checkpoint(TRUNCATE)")
    return try statement.step() && statement.number(0) == 0
  }

  /// Runs statements that give no rows.
  func execute(_ sql: String) throws(StoreError) {
    let result = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
    guard result == SQLITE_OK else { throw error(result, "running \(sql.prefix(40))") }
  }

  /// Compiles one statement. It must not outlive the connection.
  func prepare(_ sql: String) throws(StoreError) -> Statement {
    var statement: OpaquePointer?
    let result = unsafe sqlite3_prepare_v2(handle, sql, -1, &statement, nil)
    guard result == SQLITE_OK, let prepared = unsafe statement else {
      throw error(result, "preparing \(sql.prefix(40))")
    }
    return unsafe Statement(prepared, of: handle)
  }

  /// The number that a query answers with, such as a pragma; nil without a row.
  func number(_ sql: String) throws(StoreError) -> Int64? {
    let statement = try prepare(sql)
    return try statement.step() ? statement.number(0) : nil
  }

  /// Runs `body` in a transaction: all of it happens, or none.
  ///
  /// - Parameter writing: takes the right to write at once, so that what is read stays true.
  func transaction<Value>(
    writing: Bool, _ body: (borrowing Connection) throws(StoreError) -> Value
  ) throws(StoreError) -> Value {
    try execute(writing ? "BEGIN IMMEDIATE" : "BEGIN DEFERRED")
    do throws(StoreError) {
      let value = try body(self)
      try execute("COMMIT")
      return value
    } catch {
      // Some errors roll back by themselves; a second attempt would only hide the first error.
      if isInTransaction { try? execute("ROLLBACK") }
      throw error
    }
  }

  /// The handle, for the time of a call.
  var borrowed: OpaquePointer { unsafe handle }

  /// Lends the handle.
  func lend<Value>(
    _ body: (OpaquePointer) throws(StoreError) -> Value
  ) throws(StoreError) -> Value {
    try unsafe body(handle)
  }

  func error(_ result: Int32, _ activity: String) -> StoreError {
    unsafe StoreError(sqlite: result, handle, doing: activity)
  }
}

extension StoreError {
  /// What an SQLite result code means to whoever uses the store.
  ///
  /// - Parameter handle: borrowed, for the message; may be nil.
  init(sqlite result: Int32, _ handle: OpaquePointer?, doing activity: String) {
    let text = unsafe sqlite3_errmsg(handle).map { unsafe String(cString: $0) }
    let message = "\(activity): \(text ?? "unknown error") (SQLite error \(result))"
    switch result & 0xFF {
    case SQLITE_CORRUPT, SQLITE_NOTADB:
      self.init(
        .corrupt, "the database is damaged or is none: restore it from a backup; \(message)")
    case SQLITE_CONSTRAINT:
      // Another record with the same key was written since.
      self.init(.conflict, message)
    case SQLITE_FULL:
      self.init(.unavailable, "the disk is full: make room; \(message)")
    case SQLITE_READONLY, SQLITE_PERM, SQLITE_CANTOPEN, SQLITE_AUTH:
      self.init(.unavailable, "the database cannot be written: check its rights; \(message)")
    case SQLITE_BUSY, SQLITE_LOCKED:
      self.init(.unavailable, "another process holds the database; \(message)")
    default:
      self.init(.unavailable, message)
    }
  }
}
