public import Access
public import Crypto
public import Orchestrator
public import Rotation

/// The journal in an SQLite file: the embedded store.
///
/// A commit has reached the disk before it is reported (write-ahead log, `synchronous = FULL`). All
/// work is done on a thread of its own, since it blocks. Records are protobuf messages of
/// `omni.journal.v1`, each vouched for by a key that the master key gives, as is the whole: `load` refuses a
/// journal that somebody else has changed. The file is made with mode 0600; a file that belongs to another
/// program or to a newer version, is open to others, or is damaged, is refused and left as it is.
public final class SQLiteStore: RotationStore {
  /// What may be opened.
  public struct Opening: Sendable {
    /// Whether a store is made where there is none.
    public var creates: Bool
    /// Why a store of release 0.1.0 is not taken over, as the end of a sentence; nil: it is.
    public var olderIsRefused: String?
    /// How many entries of the audit log are kept; older ones are removed.
    public var auditLimit: UInt64

    public init(
      creates: Bool = true, olderIsRefused: String? = nil, auditLimit: UInt64 = 100_000
    ) {
      self.creates = creates
      self.olderIsRefused = olderIsRefused
      self.auditLimit = auditLimit
    }
  }

  /// What the store was before it was opened.
  public enum Origin: Sendable {
    /// There was none.
    case made
    /// A store of release 0.1.0, whose keys have been sealed anew.
    case takenOver
    case found
  }

  public let origin: Origin
  private let database: Database
  private let auditLimit: UInt64

  /// Opens the file, making it if there is none. Blocks.
  ///
  /// - Parameter sealer: holds the master key, under which the CA keys are sealed and the journal is vouched for.
  /// - Throws: `.incompatible` (also for another master key), `.corrupt`, `.unavailable`.
  public init(
    path: String, sealer: Sealer, opening: Opening = Opening()
  ) throws(StoreError) {
    let seal = try JournalSeal(sealer)
    var file = try StoreFile(path: path, creates: opening.creates)
    let connection = try Connection(path: path)
    origin = try DatabaseSchema.prepare(connection, seal, opening: opening)
    try file.remember()
    database = Database(connection, file: file, seal: seal)
    auditLimit = max(1, opening.auditLimit)
  }

  /// Reads and checks everything on a thread and a connection of its own, because single rows can be read meanwhile.
  public func load() async throws(StoreError) -> StoreContents {
    let reading = try await database.reading()
    let contents = try await BlockingThread(label: "omnid.store.load").run(reading.contents)
    await database.settleCheckpoint()
    return contents
  }

  public func commit(_ changes: [StoreChange]) async throws(StoreError) -> Revision {
    try await database.commit(changes)
  }

  public func cluster(_ name: String) async throws(StoreError) -> ClusterRecord? {
    try await database.cluster(name)
  }

  public func clusters(
    after name: String?, limit: Int
  ) async throws(StoreError) -> [ClusterRecord] {
    try await database.clusters(after: name, limit: limit)
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

  public func requestCount(
    cluster: String, ordinal: UInt64
  ) async throws(StoreError) -> Int {
    try await database.requestCount(cluster: cluster, ordinal: ordinal)
  }

  /// Changes the master key: every key in the store is sealed anew, and the journal vouched for anew, all at once. The
  /// sealer that the store was opened with takes the new key over.
  ///
  /// - Parameters:
  ///   - sealer: the one that the store was opened with.
  ///   - other: holds the new master key.
  /// - Throws: `.corrupt` for a store that is not whole, which stays as it is; `.unavailable`.
  public func reseal(_ sealer: Sealer, under other: Sealer) async throws(StoreError) {
    try await database.reseal(sealer, under: other)
  }

  /// Which master key a store stands under, by its own word; nil where there is none that can be read. Blocks.
  public static func keyID(path: String) -> String? {
    guard let connection = try? Connection(path: path),
      let found = try? connection.prepare("SELECT key_id FROM journal"), (try? found.step()) == true
    else { return nil }
    return String(decoding: found.bytes(0), as: UTF8.self)
  }

  /// Closes the file once everything that was asked before is done. What is asked later fails.
  public func close() async { await database.close() }
}

extension SQLiteStore: AuditLog {
  public func append(
    _ event: AuditEvent, at now: Instant
  ) async throws(StoreError) -> AuditEntry {
    try await database.append(event, at: now, keeping: auditLimit)
  }

  public func entries(after index: UInt64, limit: Int) async throws(StoreError) -> [AuditEntry] {
    try await database.auditEntries(after: index, limit: limit)
  }
}

extension SQLiteStore: AccessStore {
  public func accessContents() async throws(StoreError) -> AccessContents {
    try await database.accessContents()
  }

  public func commit(_ changes: [AccessChange]) async throws(StoreError) {
    try await database.commit(changes)
  }
}
