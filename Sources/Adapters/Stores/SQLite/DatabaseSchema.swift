import Crypto
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
    """,
    """
    ALTER TABLE journal ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
    ALTER TABLE journal ADD COLUMN digest BLOB NOT NULL DEFAULT x'';
    ALTER TABLE journal ADD COLUMN mac BLOB NOT NULL DEFAULT x'';
    ALTER TABLE clusters ADD COLUMN mac BLOB NOT NULL DEFAULT x'';
    ALTER TABLE rotations ADD COLUMN mac BLOB NOT NULL DEFAULT x'';
    ALTER TABLE requests ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE requests ADD COLUMN mac BLOB NOT NULL DEFAULT x'';
    """,
    """
    CREATE TABLE progress (
      cluster TEXT NOT NULL,
      id TEXT NOT NULL,
      ordinal INTEGER NOT NULL,
      revision INTEGER NOT NULL,
      record BLOB NOT NULL,
      mac BLOB NOT NULL,
      PRIMARY KEY (cluster, id)
    ) STRICT;
    CREATE INDEX progress_by_ordinal ON progress (cluster, ordinal);
    """,
    """
    ALTER TABLE journal ADD COLUMN audit_newest INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE journal ADD COLUMN audit_hash BLOB NOT NULL DEFAULT x'';
    ALTER TABLE journal ADD COLUMN audit_oldest INTEGER NOT NULL DEFAULT 1;
    CREATE TABLE audit (
      position INTEGER NOT NULL PRIMARY KEY,
      record BLOB NOT NULL,
      hash BLOB NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE access (
      cluster TEXT NOT NULL,
      id TEXT NOT NULL,
      ordinal INTEGER NOT NULL,
      revision INTEGER NOT NULL,
      record BLOB NOT NULL,
      mac BLOB NOT NULL,
      PRIMARY KEY (cluster, id)
    ) STRICT;
    """,
  ]

  static var version: Int64 { Int64(migrations.count) }

  /// The first version in which every row has its code.
  private static let sealedVersion: Int64 = 2

  /// The first version with an audit log.
  static let auditVersion: Int64 = 4

  /// Makes the connection ready for use: durable, at the newest version, without remains of what was removed.
  ///
  /// - Returns: what the file was before.
  /// - Throws: `.incompatible`, `.corrupt`, `.unavailable`.
  static func prepare(
    _ connection: borrowing Connection, _ seal: JournalSeal, opening: SQLiteStore.Opening
  ) throws(StoreError) -> SQLiteStore.Origin {
    let found = try recognize(connection)
    if found == 0, !opening.creates {
      throw StoreError(
        .corrupt, "the store is an empty file: restore it from a backup")
    }
    if found == 1, let reason = opening.olderIsRefused {
      throw StoreError(.incompatible, "the store is one of release 0.1.0, \(reason)")
    }
    // A step of a rotation changes a few small rows, each in a page of its own: small pages are less to write. The size
    // of a file that is there stays.
    if found == 0 { try connection.execute("PRAGMA page_size = 2048") }
    // Every commit is on the disk before it is reported; readers do not wait for writers. Records that are
    // removed are overwritten, and nothing is written to files elsewhere.
    for setting in [
      "journal_mode = WAL", "synchronous = FULL", "trusted_schema = OFF", "secure_delete = ON",
      "temp_store = MEMORY",
    ] { try connection.execute("PRAGMA \(setting)") }
    if found < sealedVersion {
      try bringIn(connection, seal, from: found)
    } else if found < version {
      // With another master key it is left as it is.
      _ = try connection.head(seal)
      try bringUp(connection)
    }
    _ = try connection.head(seal)
    _ = try connection.emptyLog()
    return found == 0 ? .made : found < sealedVersion ? .takenOver : .found
  }

  /// Brings a file whose rows have their codes to the newest version. What the rows hold stays as it is, and with it
  /// the digest.
  private static func bringUp(_ connection: borrowing Connection) throws(StoreError) {
    try connection.transaction(writing: true) { connection throws(StoreError) in
      for step in migrations[Int(try recognize(connection))...] { try connection.execute(step) }
      try connection.execute("PRAGMA user_version = \(version)")
    }
  }

  /// Brings an empty file, or one of release 0.1.0, to the newest version, all at once.
  private static func bringIn(
    _ connection: borrowing Connection, _ seal: JournalSeal, from found: Int64
  ) throws(StoreError) {
    var rows: [JournalRow] = []
    if found > 0 {
      var takeover = Takeover(seal)
      rows = try takeover.rows(connection)
      // What was removed under release 0.1.0 may still stand in the file's free pages.
      try connection.execute("VACUUM")
    }
    try connection.transaction(writing: true) { connection throws(StoreError) in
      for step in migrations[Int(try recognize(connection))...] { try connection.execute(step) }
      var head = JournalHead(keyID: seal.sealer.keyID)
      head.newest = Revision(clamping: try connection.number("SELECT newest FROM journal") ?? 0)
      for table in JournalTable.allCases {
        try connection.execute("DELETE FROM \(table.rawValue)")
      }
      for row in rows { try connection.put(row, &head, seal) }
      try connection.write(head, seal)
      try connection.execute("PRAGMA application_id = \(applicationID)")
      try connection.execute("PRAGMA user_version = \(version)")
    }
  }

  /// - Throws: `.incompatible` when the file is not of this version; `.corrupt` when it is no store.
  static func requireCurrent(_ connection: borrowing Connection) throws(StoreError) {
    let found = try recognize(connection)
    guard found == version else {
      throw StoreError(
        .incompatible,
        "the store has version \(found), and this program backs up version \(version): start omnid once, which "
          + "brings the store up to date, or use the program that wrote it")
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
    try requireOwn(connection, version: current)
    return current
  }

  /// A trigger of somebody else's would change rows whenever omnid writes, so no row is believed beside one.
  ///
  /// - Throws: `.corrupt` where tables and indices are not those of the version, or there is anything else.
  private static func requireOwn(
    _ connection: borrowing Connection, version: Int64
  ) throws(StoreError) {
    var missing = objects(of: version)
    let all = try connection.prepare(
      // SQLite's own: indices that it makes for constraints, which have no text, and tables of statistics.
      "SELECT type || ' ' || name FROM sqlite_schema WHERE sql IS NOT NULL AND NOT "
        + "(type = 'table' AND name LIKE 'sqlite~_%' ESCAPE '~')")
    while try all.step() {
      let object = String(decoding: all.bytes(0), as: UTF8.self)
      guard missing.remove(object) != nil else {
        throw .notWhole("it has a \(object.prefix(80).debugDescription), which no omnid has made")
      }
    }
    if let first = missing.min() { throw .notWhole("its \(first) is missing") }
  }

  /// What the steps up to the version make, as `table journal`.
  private static func objects(of version: Int64) -> Set<String> {
    var objects: Set<String> = []
    for step in migrations.prefix(Int(version)) {
      let words = step.split { $0.isWhitespace }
      for index in words.indices where words[index] == "CREATE" {
        objects.insert("\(words[index + 1].lowercased()) \(words[index + 2])")
      }
    }
    return objects
  }
}
