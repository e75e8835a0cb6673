import Orchestrator
import Rotation

/// The connection, and the thread it is used on.
actor Database {
  private var connection: Connection?
  private let executor = BlockingExecutor(label: "omnid.store")

  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  init(_ connection: consuming Connection) { self.connection = consume connection }

  func close() { connection = nil }

  // MARK: - Reading

  func load() throws(StoreError) -> StoreContents {
    try connected { connection throws(StoreError) in
      try connection.transaction(writing: false) { connection throws(StoreError) in
        var contents = StoreContents(
          revision: try connection.newestRevision(), clusters: [], rotations: [])
        let clusters = try connection.prepare(
          "SELECT record, revision FROM clusters ORDER BY name")
        while try clusters.step() {
          contents.clusters.append(
            try ClusterRecord(journal: clusters.bytes(0), revision: clusters.unsigned(1)))
        }
        let rotations = try connection.prepare(
          """
          SELECT record, revision FROM rotations JOIN
            (SELECT cluster, max(ordinal) AS ordinal FROM rotations GROUP BY cluster)
            USING (cluster, ordinal) ORDER BY cluster
          """)
        while try rotations.step() {
          contents.rotations.append(
            try RotationRecord(journal: rotations.bytes(0), revision: rotations.unsigned(1)))
        }
        return contents
      }
    }
  }

  func cluster(_ name: String) throws(StoreError) -> ClusterRecord? {
    try connected { connection throws(StoreError) in
      let found = try connection.prepare("SELECT record, revision FROM clusters WHERE name = ?1")
      try found.bind(1, name)
      guard try found.step() else { return nil }
      return try ClusterRecord(journal: found.bytes(0), revision: found.unsigned(1))
    }
  }

  func rotation(_ id: String) throws(StoreError) -> RotationRecord? {
    try connected { connection throws(StoreError) in
      let found = try connection.prepare("SELECT record, revision FROM rotations WHERE id = ?1")
      try found.bind(1, id)
      guard try found.step() else { return nil }
      return try RotationRecord(journal: found.bytes(0), revision: found.unsigned(1))
    }
  }

  func rotations(
    cluster: String, before ordinal: UInt64?, limit: Int
  ) throws(StoreError) -> [RotationRecord] {
    try connected { connection throws(StoreError) in
      let found = try connection.prepare(
        """
        SELECT record, revision FROM rotations
        WHERE cluster = ?1 AND ordinal < ?2 ORDER BY ordinal DESC LIMIT ?3
        """)
      try found.bind(1, cluster)
      try found.bind(2, ordinal ?? UInt64(Int64.max))
      try found.bind(3, UInt64(clamping: limit))
      var rotations: [RotationRecord] = []
      while try found.step() {
        rotations.append(
          try RotationRecord(journal: found.bytes(0), revision: found.unsigned(1)))
      }
      return rotations
    }
  }

  func request(_ id: String, cluster: String) throws(StoreError) -> RequestRecord? {
    try connected { connection throws(StoreError) in
      let found = try connection.prepare(
        "SELECT record FROM requests WHERE cluster = ?1 AND id = ?2")
      try found.bind(1, cluster)
      try found.bind(2, id)
      return try found.step() ? try RequestRecord(journal: found.bytes(0)) : nil
    }
  }

  // MARK: - Writing

  func commit(_ changes: [StoreChange]) throws(StoreError) -> Revision {
    try connected { connection throws(StoreError) in
      try connection.transaction(writing: true) { connection throws(StoreError) in
        let revision = try connection.newestRevision() + 1
        for change in changes { try connection.make(change, revision: revision) }
        let newest = try connection.prepare("UPDATE journal SET newest = ?1")
        try newest.bind(1, revision)
        _ = try newest.step()
        return revision
      }
    }
  }

  private func connected<Value>(
    _ body: (borrowing Connection) throws(StoreError) -> Value
  ) throws(StoreError) -> Value {
    switch connection {
    case .some(let connection): return try body(connection)
    case .none: throw StoreError(.unavailable, "the store is closed")
    }
  }
}

extension Connection {
  fileprivate func newestRevision() throws(StoreError) -> Revision {
    guard let newest = try number("SELECT newest FROM journal") else {
      throw StoreError(.corrupt, "the journal has lost its revision: restore it from a backup")
    }
    return Revision(clamping: newest)
  }

  fileprivate func make(_ change: StoreChange, revision: Revision) throws(StoreError) {
    switch change {
    case .putCluster(let cluster, let expected):
      try expect(expected, "SELECT revision FROM clusters WHERE name = ?1", cluster.name)
      let put = try prepare("INSERT OR REPLACE INTO clusters VALUES (?1, ?2, ?3)")
      try put.bind(1, cluster.name)
      try put.bind(2, revision)
      try put.bind(3, cluster.journalBytes())
      _ = try put.step()
    case .removeCluster(let name, let expected):
      try expect(expected, "SELECT revision FROM clusters WHERE name = ?1", name)
      for table in ["clusters WHERE name", "rotations WHERE cluster", "requests WHERE cluster"] {
        let remove = try prepare("DELETE FROM \(table) = ?1")
        try remove.bind(1, name)
        _ = try remove.step()
      }
    case .putRotation(let rotation, let expected):
      try expect(expected, "SELECT revision FROM rotations WHERE id = ?1", rotation.id)
      let put = try prepare(
        """
        INSERT INTO rotations VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, record = excluded.record
        """)
      try put.bind(1, rotation.id)
      try put.bind(2, rotation.cluster)
      try put.bind(3, rotation.ordinal)
      try put.bind(4, revision)
      try put.bind(5, rotation.journalBytes())
      _ = try put.step()
    case .pruneRotations(let cluster, let ordinal):
      for table in ["rotations", "requests"] {
        let prune = try prepare("DELETE FROM \(table) WHERE cluster = ?1 AND ordinal < ?2")
        try prune.bind(1, cluster)
        try prune.bind(2, ordinal)
        _ = try prune.step()
      }
    case .putRequest(let request):
      let known = try prepare("SELECT 1 FROM requests WHERE cluster = ?1 AND id = ?2")
      try known.bind(1, request.cluster)
      try known.bind(2, request.id)
      guard try !known.step() else {
        throw StoreError(.conflict, "request \(request.id) has been answered before")
      }
      let put = try prepare("INSERT INTO requests VALUES (?1, ?2, ?3, ?4)")
      try put.bind(1, request.cluster)
      try put.bind(2, request.id)
      try put.bind(3, request.ordinal)
      try put.bind(4, request.journalBytes())
      _ = try put.step()
    }
  }

  private func expect(
    _ expected: Revision, _ sql: String, _ key: String
  ) throws(StoreError) {
    let found = try prepare(sql)
    try found.bind(1, key)
    let actual = try found.step() ? found.unsigned(0) : 0
    guard actual == expected else {
      throw StoreError(.conflict, "'\(key)' is at revision \(actual), not at \(expected)")
    }
  }
}
