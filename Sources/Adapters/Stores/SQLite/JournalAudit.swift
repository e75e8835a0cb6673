import JournalCoding
import Orchestrator
import Rotation

extension Connection {
  /// Reads the whole journal, and believes it only when it is whole: every row with its code, no row missing,
  /// none older than the newest commit, and every authority in its place.
  ///
  /// - Throws: `.corrupt`, naming the row.
  func audit(_ seal: JournalSeal) throws(StoreError) -> StoreContents {
    let head = try head(seal)
    try checkAudit(head)
    var digest = JournalDigest()
    var revisions: [RowName: Revision] = [:]
    var clusters: [ClusterRecord] = []
    var rotations: [JournalRow] = []
    var progress: [RowName: [JournalRow]] = [:]
    for table in JournalTable.allCases {
      let found = try prepare("SELECT \(table.columns) FROM \(table.rawValue)")
      while try found.step() {
        let (row, code) = found.row(table)
        try seal.check(row, code)
        digest.insert(row.name, revision: row.revision, element: seal.element(code))
        revisions[row.name] = row.revision
        switch table {
        case .clusters:
          clusters.append(try ClusterRecord(journal: row.record, revision: row.revision))
        case .rotations: rotations.append(row)
        case .progress:
          progress[row.name.rotation, default: []].append(row)
        case .requests, .access: break
        }
      }
    }
    guard head.digest.agrees(with: digest) else {
      throw .notWhole(head.digest.difference(from: digest, rows: revisions))
    }
    var records: [RotationRecord] = []
    for row in rotations {
      records.append(try RotationRecord(row, progress: progress[row.name] ?? []))
    }
    let placement = AuthorityPlacement(clusters: clusters, rotations: records)
    if let problem = placement.problem { throw .notWhole(problem) }
    return StoreContents(
      revision: head.newest, clusters: clusters.sorted { $0.name < $1.name },
      rotations: placement.newest)
  }
}
