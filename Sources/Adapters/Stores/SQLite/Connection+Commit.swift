import Orchestrator

extension Connection {
  /// Makes one change of a commit.
  ///
  /// - Returns: whether records were removed for good.
  func make(
    _ change: StoreChange, revision: Revision, head: inout JournalHead, _ seal: JournalSeal
  ) throws(StoreError) -> Bool {
    switch change {
    case .putCluster(let cluster, let expected):
      try expect(expected, "SELECT revision FROM clusters WHERE name = ?1", cluster.name)
      try put(
        JournalRow(
          name: RowName(.clusters, cluster: cluster.name), revision: revision,
          record: cluster.journalBytes()), &head, seal)
    case .removeCluster(let name, let expected):
      try expect(expected, "SELECT revision FROM clusters WHERE name = ?1", name)
      for table in JournalTable.allCases {
        let key = table == .clusters ? "name = ?1" : "cluster = ?1"
        try remove(table, key, head: &head, seal) { statement throws(StoreError) in
          try statement.bind(1, name)
        }
      }
      return true
    case .putRotation(let rotation, let expected):
      try expect(expected, "SELECT revision FROM rotations WHERE id = ?1", rotation.id)
      try put(
        JournalRow(
          name: RowName(.rotations, cluster: rotation.cluster, id: rotation.id),
          ordinal: rotation.ordinal, revision: revision, record: rotation.journalBytes()),
        &head, seal)
    case .pruneRotations(let cluster, let ordinal):
      var count = 0
      for table in [JournalTable.rotations, .requests] {
        count += try remove(table, "cluster = ?1 AND ordinal < ?2", head: &head, seal) {
          statement throws(StoreError) in
          try statement.bind(1, cluster)
          try statement.bind(2, ordinal)
        }
      }
      return count > 0
    case .putRequest(let request):
      let known = try prepare("SELECT 1 FROM requests WHERE cluster = ?1 AND id = ?2")
      try known.bind(1, request.cluster)
      try known.bind(2, request.id)
      guard try !known.step() else {
        throw StoreError(.conflict, "request \(request.id) has been answered before")
      }
      try put(
        JournalRow(
          name: RowName(.requests, cluster: request.cluster, id: request.id),
          ordinal: request.ordinal, revision: revision, record: request.journalBytes()),
        &head, seal)
    }
    return false
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
