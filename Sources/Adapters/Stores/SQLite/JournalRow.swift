import JournalCoding
import Orchestrator

/// The tables that hold records.
enum JournalTable: String, CaseIterable {
  case clusters, rotations, requests
  /// How far a rotation is that is under way: a row for each machine, and one for everything else that changes.
  case progress
  /// Who may call, and the CA that says so.
  case access
}

/// Where a record stands in the journal.
struct RowName: Hashable {
  var table: JournalTable
  var cluster: String
  /// The rotation's or the request's identifier; of progress, the rotation's, a slash, and the machine's name, if the
  /// row is a machine's; empty for a cluster's own row.
  var id = ""

  /// As people are told of it.
  var description: String {
    switch table {
    case .clusters: "row '\(cluster)' of table clusters"
    case .rotations: "row '\(id)' of table rotations (cluster '\(cluster)')"
    case .requests: "row '\(cluster)', '\(id)' of table requests"
    case .progress: "row '\(id)' of table progress (cluster '\(cluster)')"
    case .access: "row '\(id)' of table access"
    }
  }

  /// Unlike those of every other name; holds no zero but the two that separate its parts.
  var bytes: [UInt8] { Array("\(table.rawValue)\0\(cluster)\0\(id)".utf8) }

  init(_ table: JournalTable, cluster: String, id: String = "") {
    self.table = table
    self.cluster = cluster
    self.id = id
  }

  /// What stands in place of the cluster in rows that belong to none; no cluster can bear the name.
  private static let noCluster = "-"

  /// The name of the row that says what something lets a caller do.
  init(access id: String) { self.init(.access, cluster: Self.noCluster, id: id) }

  /// The name of the rotation's row, of a row of its progress.
  var rotation: RowName {
    RowName(.rotations, cluster: cluster, id: String(id.prefix { $0 != "/" }))
  }

  /// The name of a row of a rotation's progress.
  init(progress rotation: String, machine: String = "", cluster: String) {
    self.init(.progress, cluster: cluster, id: "\(rotation)/\(machine)")
  }

  /// The name with those bytes, zeros after them aside; nil when there is none.
  init?(bytes: [UInt8]) {
    let parts = bytes.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let head = String(validating: parts[0], as: UTF8.self),
      let table = JournalTable(rawValue: head),
      let cluster = String(validating: parts[1], as: UTF8.self), !cluster.isEmpty,
      let id = String(validating: parts[2].prefix { $0 != 0 }, as: UTF8.self),
      parts[2].drop(while: { $0 != 0 }).allSatisfy({ $0 == 0 })
    else { return nil }
    self.init(table, cluster: cluster, id: id)
  }
}

/// A row with everything that its code vouches for.
struct JournalRow {
  var name: RowName
  /// The rotation's, also that of a request; 0 for a cluster's own row.
  var ordinal: UInt64 = 0
  var revision: Revision
  var record: [UInt8]

  /// What the code is made of. Each part stands behind its length, so that no two rows have the same bytes.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(record.count + 256)
    for part in [Array(name.table.rawValue.utf8), Array(name.cluster.utf8), Array(name.id.utf8)] {
      bytes.append(number: UInt64(part.count))
      bytes += part
    }
    bytes.append(number: ordinal)
    bytes.append(number: revision)
    bytes += record
    return bytes
  }
}

extension RotationRecord {
  /// - Parameter progress: the rows of the rotation's progress; none when it is over.
  init(_ row: JournalRow, progress: [JournalRow]) throws(StoreError) {
    var rows = RotationRows(record: row.record)
    var revision = row.revision
    let prefix = RowName(progress: row.name.id, cluster: row.name.cluster).id
    for part in progress {
      guard part.name.id.hasPrefix(prefix) else {
        throw .notWhole("\(part.name.description) is no row of rotation '\(row.name.id)'")
      }
      let machine = String(part.name.id.dropFirst(prefix.count))
      if machine.isEmpty {
        rows.stage = part.record
        revision = part.revision
      } else {
        rows.machines[machine] = part.record
      }
    }
    try self.init(journal: rows, revision: revision)
  }
}

extension [UInt8] {
  /// Appends eight bytes, the lowest first.
  mutating func append(number: UInt64) {
    for shift in stride(from: 0, to: 64, by: 8) {
      append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
    }
  }

  /// The number in the eight bytes from `start` on, the lowest first. They have to be there.
  func number(at start: Int) -> UInt64 {
    self[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
