internal import Glibc
public import Orchestrator

/// The journal in an SQLite file: the embedded store.
///
/// A commit has reached the disk before it is reported (write-ahead log, `synchronous = FULL`). All
/// work is done on a thread of its own, since it blocks. Records are protobuf messages of
/// `omni.journal.v1`. The file is made with mode 0600; a file that belongs to another program or to a
/// newer version, or is damaged, is refused and left as it is.
public final class SQLiteStore: RotationStore {
  private let database: Database

  /// Opens the file, making it if there is none. Blocks.
  ///
  /// - Throws: `.incompatible`, `.corrupt`, `.unavailable`.
  public init(path: String) throws(StoreError) {
    try SQLiteStore.makeFile(path)
    let connection = try Connection(path: path)
    try DatabaseSchema.prepare(connection)
    database = Database(connection)
  }

  /// Makes an empty file that only its owner may read; SQLite itself would make it readable to
  /// others. The files beside it take over its mode.
  private static func makeFile(_ path: String) throws(StoreError) {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw StoreError(
        .unavailable,
        "the store \(path) cannot be opened: \(unsafe String(cString: strerror(errno)))")
    }
    Glibc.close(descriptor)
  }

  public func load() async throws(StoreError) -> StoreContents { try await database.load() }

  public func commit(_ changes: [StoreChange]) async throws(StoreError) -> Revision {
    try await database.commit(changes)
  }

  public func cluster(_ name: String) async throws(StoreError) -> ClusterRecord? {
    try await database.cluster(name)
  }

  public func rotation(_ id: String) async throws(StoreError) -> RotationRecord? {
    try await database.rotation(id)
  }

  public func rotations(
    cluster: String, before ordinal: UInt64?, limit: Int
  ) async throws(StoreError) -> [RotationRecord] {
    try await database.rotations(cluster: cluster, before: ordinal, limit: limit)
  }

  public func request(
    _ id: String, cluster: String
  ) async throws(StoreError) -> RequestRecord? {
    try await database.request(id, cluster: cluster)
  }

  /// Closes the file once everything that was asked before is done. What is asked later fails.
  public func close() async { await database.close() }
}
