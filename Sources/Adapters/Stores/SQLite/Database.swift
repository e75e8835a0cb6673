import Access
import Crypto
import JournalCoding
import Orchestrator
import Rotation

/// The connection, and the thread it is used on.
actor Database {
  private var connection: Connection?
  private let file: StoreFile
  private var seal: JournalSeal
  /// Whether removed records may still stand in the write-ahead log: also from before, if somebody kept the log from being
  /// emptied when the store was opened.
  private var owesCheckpoint = true
  /// Empties the log later, because somebody has kept it from being emptied.
  private var checkpointRetry: Task<Void, Never>?
  private static let checkpointPause = Duration.seconds(2)
  private let executor = BlockingExecutor(label: "omnid.store")

  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  init(_ connection: consuming Connection, file: StoreFile, seal: JournalSeal) {
    self.connection = consume connection
    self.file = file
    self.seal = seal
  }

  func close() {
    connection = nil
    checkpointRetry?.cancel()
    checkpointRetry = nil
  }

  // MARK: - Reading

  /// What it takes to read the whole journal elsewhere.
  func reading() throws(StoreError) -> JournalReading {
    let reading = JournalReading(file: file, seal: seal)
    return try connected { _ in reading }
  }

  func cluster(_ name: String) throws(StoreError) -> ClusterRecord? {
    try clusters("WHERE name = ?1") { statement throws(StoreError) in
      try statement.bind(1, name)
    }.first
  }

  func clusters(after name: String?, limit: Int) throws(StoreError) -> [ClusterRecord] {
    try clusters("WHERE name > ?1 ORDER BY name LIMIT ?2") { statement throws(StoreError) in
      try statement.bind(1, name ?? "")
      try statement.bind(2, UInt64(clamping: limit))
    }
  }

  private func clusters(
    _ condition: String, bind: (borrowing Statement) throws(StoreError) -> Void
  ) throws(StoreError) -> [ClusterRecord] {
    var clusters: [ClusterRecord] = []
    for row in try rows(.clusters, condition, bind: bind) {
      clusters.append(try ClusterRecord(journal: row.record, revision: row.revision))
    }
    return clusters
  }

  func rotation(_ id: String) throws(StoreError) -> RotationRecord? {
    try rotations("WHERE id = ?1") { statement throws(StoreError) in try statement.bind(1, id) }
      .first
  }

  func rotations(
    cluster: String, before ordinal: UInt64?, limit: Int
  ) throws(StoreError) -> [RotationRecord] {
    try rotations("WHERE cluster = ?1 AND ordinal < ?2 ORDER BY ordinal DESC LIMIT ?3") {
      statement throws(StoreError) in
      try statement.bind(1, cluster)
      try statement.bind(2, ordinal ?? UInt64(Int64.max))
      try statement.bind(3, UInt64(clamping: limit))
    }
  }

  private func rotations(
    _ condition: String, bind: (borrowing Statement) throws(StoreError) -> Void
  ) throws(StoreError) -> [RotationRecord] {
    let seal = seal
    return try connected { connection throws(StoreError) in
      // Several rows make one record: they have to be of one commit.
      try connection.transaction(writing: false) { connection throws(StoreError) in
        try connection.rotations(condition, seal, bind: bind)
      }
    }
  }

  func request(_ id: String, cluster: String) throws(StoreError) -> RequestRecord? {
    let rows = try rows(.requests, "WHERE cluster = ?1 AND id = ?2") {
      statement throws(StoreError) in
      try statement.bind(1, cluster)
      try statement.bind(2, id)
    }
    guard let row = rows.first else { return nil }
    return try RequestRecord(journal: row.record)
  }

  func requestCount(cluster: String, ordinal: UInt64) throws(StoreError) -> Int {
    try connected { connection throws(StoreError) in
      try connection.requestCount(cluster: cluster, ordinal: ordinal)
    }
  }

  private func rows(
    _ table: JournalTable, _ condition: String,
    bind: (borrowing Statement) throws(StoreError) -> Void
  ) throws(StoreError) -> [JournalRow] {
    let seal = seal
    return try connected { connection throws(StoreError) in
      try connection.rows(table, condition, seal, bind: bind)
    }
  }

  // MARK: - Writing

  func commit(_ changes: [StoreChange]) throws(StoreError) -> Revision {
    let seal = seal
    let (revision, removes) = try connected { connection throws(StoreError) in
      try connection.transaction(writing: true) { connection throws(StoreError) in
        var head = try connection.head(seal)
        head.newest += 1
        var removes = false
        for change in changes {
          if try connection.make(change, revision: head.newest, head: &head, seal) {
            removes = true
          }
        }
        try connection.write(head, seal)
        return (head.newest, removes)
      }
    }
    if removes { owesCheckpoint = true }
    settleCheckpoint()
    return revision
  }

  /// Empties the log if it has to be, unless that was tried a moment ago. A commit never waits for those who read the
  /// store: what it cannot do at once is tried again after a pause.
  func settleCheckpoint() {
    guard owesCheckpoint, checkpointRetry == nil else { return }
    let isEmpty = try? connected { connection throws(StoreError) in try connection.emptyLog() }
    if isEmpty == true {
      owesCheckpoint = false
      return
    }
    checkpointRetry = Task.detached { [weak self] in
      guard (try? await Task.sleep(for: Self.checkpointPause)) != nil else { return }
      await self?.retryCheckpoint()
    }
  }

  private func retryCheckpoint() {
    // Closed meanwhile.
    guard checkpointRetry?.isCancelled == false else { return }
    checkpointRetry = nil
    settleCheckpoint()
  }

  // MARK: - The master key

  /// Brings the store under the master key of `other`, which `sealer` takes over then.
  func reseal(_ sealer: Sealer, under other: Sealer) throws(StoreError) {
    let seal = seal
    var next = try JournalSeal(other)
    let resealing = Resealing(opening: sealer, sealing: other)
    try connected { connection throws(StoreError) in
      try connection.reseal(seal, as: next, resealing)
    }
    resealing.follow(seal.resealing)
    sealer.adopt(other)
    next.resealing = resealing
    self.seal = next
    // Until the log is empty it holds the keys as they were sealed before.
    owesCheckpoint = true
    settleCheckpoint()
  }

  // MARK: - Who may call

  func accessContents() throws(StoreError) -> AccessContents {
    try AccessContents(
      journal: try rows(.access, "") { _ throws(StoreError) in }.map { ($0.name.id, $0.record) })
  }

  func commit(_ changes: [AccessChange]) throws(StoreError) {
    let seal = seal
    try connected { connection throws(StoreError) in
      try connection.transaction(writing: true) { connection throws(StoreError) in
        var head = try connection.head(seal)
        head.newest += 1
        for change in changes { try connection.make(change, &head, seal) }
        try connection.write(head, seal)
      }
    }
  }

  // MARK: - The audit log

  func append(
    _ event: AuditEvent, at now: Instant, keeping limit: UInt64
  ) throws(StoreError) -> AuditEntry {
    let seal = seal
    return try connected { connection throws(StoreError) in
      try connection.transaction(writing: true) { connection throws(StoreError) in
        try connection.append(event, at: now, keeping: limit, seal)
      }
    }
  }

  func auditEntries(after index: UInt64, limit: Int) throws(StoreError) -> [AuditEntry] {
    let seal = seal
    return try connected { connection throws(StoreError) in
      try connection.transaction(writing: false) { connection throws(StoreError) in
        try connection.auditEntries(after: index, limit: limit, seal)
      }
    }
  }

  /// Lends the connection while the store's path leads to it.
  private func connected<Value>(
    _ body: (borrowing Connection) throws(StoreError) -> Value
  ) throws(StoreError) -> Value {
    switch connection {
    case .some(let connection): return try file.lend(connection, body)
    case .none: throw StoreError(.unavailable, "the store is closed")
    }
  }
}
