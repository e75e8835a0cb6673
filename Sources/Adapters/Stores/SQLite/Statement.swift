internal import CSQLite
import Orchestrator

/// A compiled SQL statement. Owns the handle and finalizes it when it goes.
///
/// Parameters count from 1, columns from 0, as SQLite has it.
@safe struct Statement: ~Copyable {
  /// Owned.
  private let handle: OpaquePointer
  /// Borrowed from the connection, which outlives its statements; for error messages.
  private let database: OpaquePointer

  /// - Parameters:
  ///   - handle: taken over.
  ///   - database: borrowed.
  init(_ handle: OpaquePointer, of database: OpaquePointer) {
    unsafe self.handle = handle
    unsafe self.database = database
  }

  deinit { unsafe sqlite3_finalize(handle) }

  func bind(_ index: Int32, _ text: String) throws(StoreError) {
    var text = text
    let result = text.withUTF8 { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
        // An empty string may have no address; then any one will do for no bytes.
        unsafe omni_sqlite_bind_text(
          handle, index, characters.baseAddress ?? UnsafePointer(bitPattern: 1),
          Int32(truncatingIfNeeded: characters.count))
      }
    }
    try check(result, "binding")
  }

  func bind(_ index: Int32, _ bytes: [UInt8]) throws(StoreError) {
    guard bytes.count <= Int(Int32.max) else {
      throw StoreError(.unavailable, "a record of \(bytes.count) bytes is too large to be stored")
    }
    let result = unsafe bytes.withUnsafeBytes { buffer in
      unsafe omni_sqlite_bind_blob(handle, index, buffer.baseAddress, Int32(buffer.count))
    }
    try check(result, "binding")
  }

  func bind(_ index: Int32, _ number: UInt64) throws(StoreError) {
    try check(
      unsafe sqlite3_bind_int64(handle, index, Int64(clamping: number)), "binding")
  }

  /// Goes to the next row. False: there is none.
  func step() throws(StoreError) -> Bool {
    let result = unsafe sqlite3_step(handle)
    switch result {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default: throw unsafe StoreError(sqlite: result, database, doing: "using the journal")
    }
  }

  func number(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }

  /// A number that this store wrote from a `UInt64`.
  func unsigned(_ column: Int32) -> UInt64 { UInt64(clamping: number(column)) }

  func bytes(_ column: Int32) -> [UInt8] {
    // The order matters: the pointer first, then the length. Valid until the next step; copied here.
    guard let start = unsafe sqlite3_column_blob(handle, column) else { return [] }
    let count = Int(unsafe sqlite3_column_bytes(handle, column))
    return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
  }

  private func check(_ result: Int32, _ activity: String) throws(StoreError) {
    guard result == SQLITE_OK else {
      throw unsafe StoreError(sqlite: result, database, doing: activity)
    }
  }
}
