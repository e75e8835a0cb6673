import JournalCoding
import Orchestrator
import Rotation

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
    case .putRotation(let rotation, let expected, let machines):
      try expect(
        expected,
        "SELECT max(revision) FROM (SELECT revision FROM rotations WHERE id = ?1 UNION ALL "
          + "SELECT revision FROM progress WHERE cluster = ?2 AND id = ?3)", rotation.id,
        rotation.cluster, RowName(progress: rotation.id, cluster: rotation.cluster).id)
      try put(rotation, machines, revision: revision, head: &head, seal)
    case .pruneRotations(let cluster, let ordinal):
      var count = 0
      for table in JournalTable.allCases where table != .clusters {
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
      guard
        try requestCount(cluster: request.cluster, ordinal: request.ordinal) < RequestRecord.limit
      else { throw .tooManyRequests }
      try put(
        JournalRow(
          name: RowName(.requests, cluster: request.cluster, id: request.id),
          ordinal: request.ordinal, revision: revision, record: request.journalBytes()),
        &head, seal)
    }
    return false
  }

  /// How many answers there are of one rotation.
  func requestCount(cluster: String, ordinal: UInt64) throws(StoreError) -> Int {
    let counted = try prepare("SELECT count(*) FROM requests WHERE cluster = ?1 AND ordinal = ?2")
    try counted.bind(1, cluster)
    try counted.bind(2, ordinal)
    return try counted.step() ? Int(clamping: counted.unsigned(0)) : 0
  }

  /// Writes what has changed of a rotation: while it is under way, a row for each machine that has.
  ///
  /// - Parameter machines: those whose progress has changed; nil: all may have.
  private func put(
    _ rotation: RotationRecord, _ machines: Set<String>?, revision: Revision,
    head: inout JournalHead, _ seal: JournalSeal
  ) throws(StoreError) {
    // One that an older omnid has written stands whole in its row, until it is written anew.
    let changed = try hasProgress(rotation) ? machines : nil
    let rows = rotation.journalRows(changed: changed)
    if changed == nil || rotation.state.isFinal {
      try remove(.progress, "cluster = ?1 AND ordinal = ?2", head: &head, seal) {
        statement throws(StoreError) in
        try statement.bind(1, rotation.cluster)
        try statement.bind(2, rotation.ordinal)
      }
      let name = RowName(.rotations, cluster: rotation.cluster, id: rotation.id)
      try put(
        JournalRow(
          name: name, ordinal: rotation.ordinal, revision: revision, record: rows.record), &head,
        seal)
    }
    var progress = rows.machines.map { ($0.key, $0.value) }
    if let stage = rows.stage { progress.append(("", stage)) }
    for (machine, record) in progress {
      let name = RowName(progress: rotation.id, machine: machine, cluster: rotation.cluster)
      try put(
        JournalRow(name: name, ordinal: rotation.ordinal, revision: revision, record: record),
        &head, seal)
    }
  }

  private func hasProgress(_ rotation: RotationRecord) throws(StoreError) -> Bool {
    let found = try prepare("SELECT 1 FROM progress WHERE cluster = ?1 AND id = ?2")
    try found.bind(1, rotation.cluster)
    try found.bind(2, RowName(progress: rotation.id, cluster: rotation.cluster).id)
    return try found.step()
  }

  private func expect(
    _ expected: Revision, _ sql: String, _ key: String...
  ) throws(StoreError) {
    let found = try prepare(sql)
    for (index, part) in key.enumerated() { try found.bind(Int32(index + 1), part) }
    let actual = try found.step() ? found.unsigned(0) : 0
    guard actual == expected else {
      throw StoreError(.conflict, "'\(key[0])' is at revision \(actual), not at \(expected)")
    }
  }
}
