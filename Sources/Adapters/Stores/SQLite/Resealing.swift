import Access
import Crypto
import JournalCoding
import Orchestrator
import ProtoCodec
import Schema
import Synchronization

/// Seals the keys in records anew, after the master key has changed.
///
/// The same sealed key becomes the same one in every record, because the journal knows by it that two records mean one
/// authority.
final class Resealing: Sendable {
  /// Opens what is sealed under any of the master keys.
  private let opening: Sealer
  /// Seals under the newest one.
  private let sealing: Sealer
  private let known = Mutex<[[UInt8]: [UInt8]]>([:])

  init(opening: Sealer, sealing: Sealer) {
    self.opening = opening
    self.sealing = sealing
  }

  /// Takes over what a change of the master key before has made of keys, of which records in memory may hold the first
  /// form still. Called once the store has been sealed anew.
  func follow(_ before: Resealing?) {
    guard let before = before?.known.withLock({ $0 }) else { return }
    known.withLock { known in
      for (first, then) in before where known[first] == nil { known[first] = known[then] }
    }
  }

  /// The row with all its keys sealed under the newest master key.
  ///
  /// - Throws: `.corrupt` for a key that does not open.
  func row(_ row: JournalRow) throws(StoreError) -> JournalRow {
    var row = row
    switch row.name.table {
    case .clusters:
      var record = try decoded(Journal.ClusterRecord.self, row.record)
      for index in record.authorities.indices {
        record.authorities[index].authority = try anew(
          record.authorities[index].authority.required("authority"))
      }
      for index in record.predecessors.indices {
        record.predecessors[index].authority = try anew(
          record.predecessors[index].authority.required("authority"))
      }
      row.record = record.serialized()
    case .rotations:
      var record = try decoded(Journal.RotationRecord.self, row.record)
      record.old = try anew(record.old.required("old"))
      record.new = try anew(record.new.required("new"))
      row.record = record.serialized()
    case .access:
      guard row.name.id == AccessContents.authorityID else { return row }
      var record = try decoded(Journal.AccessRecord.self, row.record)
      do throws(CryptoError) {
        let certificate = try Certificate(pem: record.certificatePEM)
        record.sealedKey = try anew(
          record.sealedKey,
          SealedAPIAuthority.sealingContext(fingerprint: certificate.fingerprint))
      } catch { throw Self.refused(row.name.description, error) }
      row.record = record.serialized()
    case .progress, .requests: break
    }
    return row
  }

  private func anew(_ found: Journal.Authority) throws(StoreError) -> Journal.Authority {
    var sealed = try found.authority()
    guard sealed.hasKey else { return found }
    let context = sealed.binding.sealingContext(fingerprint: sealed.fingerprint)
    do throws(CryptoError) { sealed.sealedKey = try anew(sealed.sealedKey, context) } catch {
      throw Self.refused("authority \(sealed.fingerprint)", error)
    }
    return Journal.Authority(sealed)
  }

  private func anew(_ sealed: [UInt8], _ context: String) throws(CryptoError) -> [UInt8] {
    if let done = known.withLock({ $0[sealed] }) { return done }
    guard Sealer.keyID(of: sealed) != sealing.keyID else { return sealed }
    let done = try sealing.seal(try opening.open(sealed, context: context), context: context)
    known.withLock { $0[sealed] = done }
    return done
  }

  private static func refused(_ what: String, _ error: CryptoError) -> StoreError {
    .notWhole("the key of \(what) does not open: \(error.message)")
  }
}

extension Connection {
  /// Brings the journal under another master key, all of it or nothing.
  ///
  /// - Parameters:
  ///   - seal: under which it stands, and under which it has to be whole.
  ///   - next: of the new master key.
  func reseal(
    _ seal: JournalSeal, as next: JournalSeal, _ resealing: Resealing
  ) throws(StoreError) {
    try transaction(writing: true) { connection throws(StoreError) in
      // What somebody has changed must not be vouched for anew.
      _ = try connection.audit(seal)
      var head = try connection.head(seal)
      head.keyID = next.sealer.keyID
      head.digest = JournalDigest()
      for table in JournalTable.allCases {
        // Names first: what is read must not move while it is read.
        var names: [RowName] = []
        let found = try connection.prepare(
          "SELECT \(table == .clusters ? "name, ''" : "cluster, id") FROM \(table.rawValue)")
        while try found.step() { names.append(found.name(table)) }
        for name in names { try connection.reseal(name, &head, seal, next, resealing) }
      }
      try connection.write(head, next)
    }
  }

  private func reseal(
    _ name: RowName, _ head: inout JournalHead, _ seal: JournalSeal, _ next: JournalSeal,
    _ resealing: Resealing
  ) throws(StoreError) {
    let rows = try rows(name.table, "WHERE \(name.table.key)", seal) {
      statement throws(StoreError) in
      try statement.bind(1, name.cluster)
      if name.table != .clusters { try statement.bind(2, name.id) }
    }
    guard let found = rows.first else { throw .notWhole("\(name.description) is gone") }
    let row = try resealing.row(found)
    let code = next.code(row)
    let update = try prepare(
      "UPDATE \(name.table.rawValue) SET record = ?3, mac = ?4 WHERE \(name.table.key)")
    try update.bind(1, name.cluster)
    if name.table != .clusters { try update.bind(2, name.id) }
    try update.bind(3, row.record)
    try update.bind(4, code)
    _ = try update.step()
    head.digest.insert(name, revision: row.revision, element: next.element(code))
  }
}
