import Orchestrator

extension JournalTable {
  /// The columns of a row, in the order of `Statement.row`.
  var columns: String {
    switch self {
    case .clusters: "name, '', 0, revision, record, mac"
    case .rotations, .requests, .progress, .access: "cluster, id, ordinal, revision, record, mac"
    }
  }

  /// What finds a row by its name: the cluster's is the first parameter, the identifier the second.
  var key: String {
    self == .clusters ? "name = ?1" : "cluster = ?1 AND id = ?2"
  }
}

extension Statement {
  /// The name of the row that the statement stands on; its first two columns are those that make it.
  func name(_ table: JournalTable) -> RowName {
    RowName(
      table, cluster: String(decoding: bytes(0), as: UTF8.self),
      id: String(decoding: bytes(1), as: UTF8.self))
  }

  /// The row that the statement stands on, which has the columns of its table, and its code.
  func row(_ table: JournalTable) -> (row: JournalRow, code: [UInt8]) {
    let row = JournalRow(
      name: name(table), ordinal: unsigned(2), revision: unsigned(3), record: bytes(4))
    return (row, bytes(5))
  }
}

extension Connection {
  /// The rows of a table that `condition` lets through, each believed only with its code.
  ///
  /// - Parameters:
  ///   - condition: SQL after `FROM table`.
  ///   - bind: gives the condition's parameters.
  func rows(
    _ table: JournalTable, _ condition: String, _ seal: JournalSeal,
    bind: (borrowing Statement) throws(StoreError) -> Void
  ) throws(StoreError) -> [JournalRow] {
    let found = try prepare("SELECT \(table.columns) FROM \(table.rawValue) \(condition)")
    try bind(found)
    var rows: [JournalRow] = []
    while try found.step() {
      let (row, code) = found.row(table)
      try seal.check(row, code)
      rows.append(row)
    }
    return rows
  }

  /// The rotations that `condition` lets through, with their progress, each row believed only with its code.
  func rotations(
    _ condition: String, _ seal: JournalSeal,
    bind: (borrowing Statement) throws(StoreError) -> Void
  ) throws(StoreError) -> [RotationRecord] {
    var rotations: [RotationRecord] = []
    for row in try rows(.rotations, condition, seal, bind: bind) {
      let progress = try rows(.progress, "WHERE cluster = ?1 AND ordinal = ?2", seal) {
        statement throws(StoreError) in
        try statement.bind(1, row.name.cluster)
        try statement.bind(2, row.ordinal)
      }
      rotations.append(try RotationRecord(row, progress: progress))
    }
    return rotations
  }

  /// Puts a row in place of the one of its name, if there is one. Only the pages that change are written.
  func put(
    _ row: JournalRow, _ head: inout JournalHead, _ seal: JournalSeal
  ) throws(StoreError) {
    let row = try seal.resealing?.row(row) ?? row
    let table = row.name.table
    let isReplaced = try takeOut(row.name, &head, seal)
    let code = seal.code(row)
    // The ordinal stays: to set it would be to write the index anew.
    let put = try prepare(
      isReplaced
        ? "UPDATE \(table.rawValue) SET revision = ?4, record = ?5, mac = ?6 WHERE \(table.key)"
        : table == .clusters
          ? "INSERT INTO clusters (name, revision, record, mac) VALUES (?1, ?4, ?5, ?6)"
          : "INSERT INTO \(table.rawValue) (cluster, id, ordinal, revision, record, mac) "
            + "VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
    try put.bind(1, row.name.cluster)
    if table != .clusters { try put.bind(2, row.name.id) }
    if table != .clusters, !isReplaced { try put.bind(3, row.ordinal) }
    try put.bind(4, row.revision)
    try put.bind(5, row.record)
    try put.bind(6, code)
    _ = try put.step()
    head.digest.insert(row.name, revision: row.revision, element: seal.element(code))
  }

  /// Takes the row of that name out of the digest, because another one is about to take its place.
  ///
  /// - Returns: whether there is one.
  private func takeOut(
    _ name: RowName, _ head: inout JournalHead, _ seal: JournalSeal
  ) throws(StoreError) -> Bool {
    let found = try prepare(
      "SELECT revision, mac FROM \(name.table.rawValue) WHERE \(name.table.key)")
    try found.bind(1, name.cluster)
    if name.table != .clusters { try found.bind(2, name.id) }
    guard try found.step() else { return false }
    head.digest.remove(name, revision: found.unsigned(0), element: seal.element(found.bytes(1)))
    return true
  }

  /// Removes the rows of a table that `condition` lets through.
  ///
  /// - Returns: how many there were.
  @discardableResult
  func remove(
    _ table: JournalTable, _ condition: String, head: inout JournalHead, _ seal: JournalSeal,
    bind: (borrowing Statement) throws(StoreError) -> Void
  ) throws(StoreError) -> Int {
    let removed = try prepare(
      "DELETE FROM \(table.rawValue) WHERE \(condition) RETURNING \(table.columns)")
    try bind(removed)
    var count = 0
    while try removed.step() {
      let (row, code) = removed.row(table)
      head.digest.remove(row.name, revision: row.revision, element: seal.element(code))
      count += 1
    }
    return count
  }
}
