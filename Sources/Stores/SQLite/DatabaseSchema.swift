import Orchestrator

/// What the tables look like, and how an older file is brought up to date.
///
/// A file says whose it is by its `application_id`, and how new by its `user_version`. Nothing is
/// written to a file of somebody else, or of a newer version.
enum DatabaseSchema {
  /// "omni" in ASCII.
  static let applicationID: Int64 = 0x6F6D_6E69

  /// Step n brings a file of version n to version n + 1. Steps that were released never change.
  static let migrations = [
    """
    CREATE TABLE journal (
      newest INTEGER NOT NULL
    ) STRICT;
    INSERT INTO journal VALUES (0);

    CREATE TABLE clusters (
      name TEXT NOT NULL PRIMARY KEY,
      revision INTEGER NOT NULL,
      record BLOB NOT NULL
    ) STRICT;

    CREATE TABLE rotations (
      id TEXT NOT NULL PRIMARY KEY,
      cluster TEXT NOT NULL,
      ordinal INTEGER NOT NULL,
      revision INTEGER NOT NULL,
      record BLOB NOT NULL,
      UNIQUE (cluster, ordinal)
    ) STRICT;

    CREATE TABLE requests (
      cluster TEXT NOT NULL,
      id TEXT NOT NULL,
      ordinal INTEGER NOT NULL,
      record BLOB NOT NULL,
      PRIMARY KEY (cluster, id)
    ) STRICT;
    CREATE INDEX requests_by_ordinal ON requests (cluster, ordinal);
    """
  ]

  static var version: Int64 { Int64(migrations.count) }

  /// Makes the connection ready for use: durable, and at the newest version.
  static func prepare(_ connection: borrowing Connection) throws(StoreError) {
    try recognize(connection)
    // Every commit is on the disk before it is reported; readers do not wait for writers.
    try connection.execute("PRAGMA journal_mode = WAL")
    try connection.execute("PRAGMA synchronous = FULL")
    try connection.execute("PRAGMA trusted_schema = OFF")
    try connection.transaction(writing: true) { connection throws(StoreError) in
      let current = try recognize(connection)
      guard current < version else { return }
      for step in migrations[Int(current)...] { try connection.execute(step) }
      try connection.execute("PRAGMA application_id = \(applicationID)")
      try connection.execute("PRAGMA user_version = \(version)")
    }
  }

  /// The version of the file; 0 for an empty one.
  ///
  /// - Throws: `.incompatible` when it is somebody else's or newer; `.corrupt` when it is none.
  @discardableResult
  private static func recognize(_ connection: borrowing Connection) throws(StoreError) -> Int64 {
    let owner = try connection.number("PRAGMA application_id") ?? 0
    let current = try connection.number("PRAGMA user_version") ?? 0
    let tables = try connection.number("SELECT count(*) FROM sqlite_schema") ?? 0
    if owner == 0, current == 0, tables == 0 { return 0 }
    guard owner == applicationID, current >= 1 else {
      throw StoreError(
        .incompatible,
        "the file is a database of another program: choose another file for the store")
    }
    guard current <= version else {
      throw StoreError(
        .incompatible,
        "the store has version \(current) and this program knows versions up to \(version): "
          + "use the newer program that wrote it")
    }
    return current
  }
}
