import Crypto
import Orchestrator

/// The newest entry of the audit log, whose index is 0 while there is none, and the oldest that is kept.
struct AuditHead: Equatable {
  var newest: UInt64 = 0
  var oldest: UInt64 = 1
  var hash: [UInt8] = []
}

/// The one row of the table `journal`: the newest revision, and the digest of all rows at it.
struct JournalHead {
  /// The master key that the journal is sealed with.
  var keyID: String
  var newest: Revision = 0
  var digest = JournalDigest()
  var audit = AuditHead()

  /// What the head's code is made of.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(number: UInt64(keyID.utf8.count))
    bytes += Array(keyID.utf8)
    bytes.append(number: newest)
    bytes += digest.bytes
    // Stores of before the audit log have codes without it.
    guard audit.newest > 0 else { return bytes }
    bytes.append(number: audit.newest)
    bytes.append(number: audit.oldest)
    return bytes + audit.hash
  }
}

extension Connection {
  /// Reads the head, and believes it only when it is sealed with the master key.
  ///
  /// - Throws: `.corrupt`; `.incompatible` when it is sealed with another master key.
  func head(_ seal: JournalSeal) throws(StoreError) -> JournalHead {
    let hasAudit = try number("PRAGMA user_version") ?? 0 >= DatabaseSchema.auditVersion
    let found = try prepare(
      "SELECT newest, key_id, digest, mac\(hasAudit ? ", audit_newest, audit_hash, audit_oldest" : "") FROM journal"
    )
    guard try found.step() else { throw .notWhole("the row of table journal is missing") }
    let keyID = String(decoding: found.bytes(1), as: UTF8.self)
    guard keyID == seal.sealer.keyID else {
      throw .foreignKey("the store", keyID, seal)
    }
    guard let digest = JournalDigest(bytes: found.bytes(2)) else {
      throw .notWhole("the row of table journal cannot be read")
    }
    var head = JournalHead(keyID: keyID, newest: found.unsigned(0), digest: digest)
    if hasAudit {
      head.audit = AuditHead(
        newest: found.unsigned(4), oldest: found.unsigned(6), hash: found.bytes(5))
    }
    guard seal.accepts(found.bytes(3), for: head), try !found.step() else {
      throw .notWhole("the row of table journal was not written by omnid as it stands there")
    }
    return head
  }

  /// Writes the head in place of the one that is there.
  func write(_ head: JournalHead, _ seal: JournalSeal) throws(StoreError) {
    let update = try prepare(
      "UPDATE journal SET newest = ?1, key_id = ?2, digest = ?3, mac = ?4, audit_newest = ?5, "
        + "audit_hash = ?6, audit_oldest = ?7")
    try update.bind(1, head.newest)
    try update.bind(2, head.keyID)
    try update.bind(3, head.digest.bytes)
    try update.bind(4, seal.code(head))
    try update.bind(5, head.audit.newest)
    try update.bind(6, head.audit.hash)
    try update.bind(7, head.audit.oldest)
    _ = try update.step()
  }
}

extension StoreError {
  /// With another key than the stored one nothing could be done to any cluster.
  static func foreignKey(_ what: String, _ keyID: String, _ seal: JournalSeal) -> StoreError {
    StoreError(
      .incompatible,
      "\(what) was written under the master key \(keyID), but the one given is "
        + "\(seal.sealer.keyID): bring the right key back")
  }
}
