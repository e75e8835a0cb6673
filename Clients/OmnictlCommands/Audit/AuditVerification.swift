internal import Encodings
internal import Evidence
internal import Schema

/// Checks that each entry of the audit log follows from the one before.
struct AuditVerification {
  private(set) var first: UInt64?
  private(set) var last: (index: UInt64, hash: [UInt8])?

  /// What is wrong with an entry, in a sentence; nil when it follows from the one before.
  mutating func take(_ entry: AuditEntry) -> String? {
    guard entry.index > 0, entry.index < .max else {
      return "the server's answer is no audit log: an entry has the index \(entry.index)"
    }
    let expected = last.map { $0.index + 1 } ?? entry.index
    guard entry.index == expected else {
      return "entry \(expected) of the audit log is missing: after entry \(expected - 1) comes "
        + "\(entry.index)"
    }
    guard
      last.map({ $0.hash == entry.previousHash }) ?? (entry.index > 1 || entry.previousHash.isEmpty)
    else { return "entry \(entry.index) of the audit log does not follow from the one before" }
    guard AuditChain.hash(of: entry.hashedParts, after: entry.previousHash) == entry.hash else {
      return "entry \(entry.index) of the audit log was changed: its hash is another one"
    }
    if first == nil { first = entry.index }
    last = (entry.index, entry.hash)
    return nil
  }

  /// What was verified, for people.
  var summary: String {
    guard let first, let last else { return "the audit log is empty" }
    let gone = first > 1 ? "; older ones are not kept" : ""
    return
      "entries \(first) to \(last.index) follow one from another\(gone); the hash of the last is "
      + Hexadecimal.encode(last.hash)
  }
}

extension AuditEntry {
  /// What the entry's hash vouches for, as the schema says.
  fileprivate var hashedParts: [String] {
    let nanoseconds = (recordedAt?.seconds ?? 0).multipliedReportingOverflow(by: 1_000_000_000)
      .partialValue.addingReportingOverflow(Int64(recordedAt?.nanos ?? 0)).partialValue
    return [
      "\(index)", "\(nanoseconds)", "\(call)", caller, method, cluster, request, code, message,
    ]
  }
}
