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
    head.audit.newest = entry.index
    head.audit.hash = entry.hash
    if entry.index > limit {
      head.audit.oldest = entry.index - limit + 1
      let prune = try prepare("DELETE FROM audit WHERE position < ?1")
      try prune.bind(1, head.audit.oldest)
      _ = try prune.step()
    }
    try write(head, seal)
    return entry
  }

  /// - Throws: `.corrupt`, naming the first entry that does not follow from the one before.
  func auditEntries(
    after index: UInt64, limit: Int, _ seal: JournalSeal
  ) throws(StoreError) -> [AuditEntry] {
    let head = try head(seal)
    guard index <= head.audit.newest, limit > 0 else { return [] }
    // The entry before the first one that is asked for is read too, because the first has to follow from it.
    var expected = max(index, head.audit.oldest)
    let found = try prepare(
      "SELECT position, record, hash FROM audit WHERE position >= ?1 ORDER BY position LIMIT ?2")
    try found.bind(1, expected)
    try found.bind(2, UInt64(clamping: limit) &+ 1)
    var entries: [AuditEntry] = []
    var last: AuditEntry?
    while entries.count < limit, expected <= head.audit.newest {
      guard try found.step() else { throw .broken(expected) }
      let entry = try AuditEntry(
        journal: found.bytes(1), index: found.unsigned(0), hash: found.bytes(2))
      guard entry.index == expected,
        AuditChain.hash(of: entry.parts, after: entry.previous) == entry.hash,
        last.map({ $0.hash == entry.previous }) ?? true,
        entry.index < head.audit.newest || entry.hash == head.audit.hash
      else { throw .broken(expected) }
      if entry.index > index { entries.append(entry) }
      last = entry
      expected += 1
    }
    return entries
  }

  /// Whether the newest entry and the oldest one are those that the head knows.
  func checkAudit(_ head: JournalHead) throws(StoreError) {
    let found = try prepare("SELECT position, hash FROM audit ORDER BY position DESC LIMIT 1")
    guard try found.step() else {
      if head.audit.newest > 0 { throw .broken(head.audit.newest) }
      return
    }
    guard found.unsigned(0) == head.audit.newest, found.bytes(1) == head.audit.hash else {
      throw .broken(max(found.unsigned(0), head.audit.newest))
    }
    let oldest = try number("SELECT min(position) FROM audit") ?? 0
    guard UInt64(clamping: oldest) == head.audit.oldest else { throw .broken(head.audit.oldest) }
  }
}

extension StoreError {
  fileprivate static func broken(_ index: UInt64) -> StoreError {
    .notWhole("entry \(index) of the audit log is missing, or is not what omnid wrote there")
  }
}
