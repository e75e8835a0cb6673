import Evidence
import JournalCoding
import Orchestrator
import Rotation

/// The table of the audit log. The journal's head holds the newest entry's index and hash under its code, so that
/// entries at the end cannot be taken away without notice; each entry's hash vouches for those before it.
extension Connection {
  /// - Parameter limit: how many entries are kept; older ones are removed.
  func append(
    _ event: AuditEvent, at now: Instant, keeping limit: UInt64, _ seal: JournalSeal
  ) throws(StoreError) -> AuditEntry {
    var head = try head(seal)
    var entry = AuditEntry(
      index: head.audit.newest + 1, recordedAt: now, event: event, previous: head.audit.hash,
      hash: [])
    entry.hash = AuditChain.hash(of: entry.parts, after: entry.previous)
    let insert = try prepare("INSERT INTO audit (position, record, hash) VALUES (?1, ?2, ?3)")
    try insert.bind(1, entry.index)
    try insert.bind(2, entry.journalBytes())
    try insert.bind(3, entry.hash)
    _ = try insert.step()
    if entry.index > limit {
      let prune = try prepare("DELETE FROM audit WHERE position <= ?1")
      try prune.bind(1, entry.index - limit)
      _ = try prune.step()
    }
    head.audit = AuditHead(newest: entry.index, hash: entry.hash)
    try write(head, seal)
    return entry
  }

  /// - Throws: `.corrupt`, naming the first entry that does not follow from the one before.
  func auditEntries(
    after index: UInt64, limit: Int, _ seal: JournalSeal
  ) throws(StoreError) -> [AuditEntry] {
    let head = try head(seal)
    // The entry before the first one that is asked for is read too, because the first has to follow from it.
    let found = try prepare(
      "SELECT position, record, hash FROM audit WHERE position >= ?1 ORDER BY position LIMIT ?2")
    try found.bind(1, index)
    try found.bind(2, UInt64(clamping: limit) &+ 1)
    var entries: [AuditEntry] = []
    var last: AuditEntry?
    while try found.step() {
      let entry = try AuditEntry(
        journal: found.bytes(1), index: found.unsigned(0), hash: found.bytes(2))
      guard AuditChain.hash(of: entry.parts, after: entry.previous) == entry.hash,
        last.map({ $0.index + 1 == entry.index && $0.hash == entry.previous }) ?? true
      else { throw .broken(entry.index) }
      if entry.index > index, entries.count < limit { entries.append(entry) }
      last = entry
    }
    if let last, last.index == head.audit.newest, last.hash != head.audit.hash {
      throw .broken(last.index)
    }
    if entries.count < limit, last?.index ?? 0 < head.audit.newest, index < head.audit.newest {
      throw .broken((last?.index ?? 0) + 1)
    }
    return entries
  }

  /// Whether the newest entry is the one that the head knows.
  func checkAudit(_ head: JournalHead) throws(StoreError) {
    let found = try prepare("SELECT position, hash FROM audit ORDER BY position DESC LIMIT 1")
    let isThere = try found.step()
    guard (isThere ? found.unsigned(0) : 0) == head.audit.newest,
      (isThere ? found.bytes(1) : []) == head.audit.hash
    else { throw .broken(isThere ? found.unsigned(0) : head.audit.newest) }
  }
}

extension StoreError {
  fileprivate static func broken(_ index: UInt64) -> StoreError {
    .notWhole("entry \(index) of the audit log is missing, or is not what omnid wrote there")
  }
}
