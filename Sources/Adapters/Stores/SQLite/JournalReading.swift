internal import CSQLite
import Orchestrator

/// Reads the whole journal beside whoever uses the store meanwhile, as it is at one moment.
struct JournalReading: Sendable {
  let file: StoreFile
  let seal: JournalSeal

  /// Blocks for as long as it takes to check every row.
  ///
  /// - Throws: `.corrupt`, naming the row, when the journal is not whole; `.unavailable`.
  func contents() throws(StoreError) -> StoreContents {
    // Before the file is opened too: where another one stands in its place, that one is not read.
    try file.checkPlace()
    let connection = try Connection(path: file.path, mode: SQLITE_OPEN_READONLY)
    return try file.lend(connection) { connection throws(StoreError) in
      try connection.execute("PRAGMA trusted_schema = OFF")
      return try connection.transaction(writing: false) { connection throws(StoreError) in
        try connection.audit(seal)
      }
    }
  }
}
