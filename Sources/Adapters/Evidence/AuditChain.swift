internal import Crypto

/// How the entries of the audit log are chained.
///
/// Each entry's hash is made of its own parts and of the hash of the entry before: an entry that was changed, taken
/// out or put in shows, because none of the later hashes is right then. omnid makes the hashes; whoever reads the log
/// makes them again.
public enum AuditChain {
  /// SHA-256 over the hash of the entry before, and then `omnid audit 1` and the entry's parts, each behind its length
  /// in bytes as a decimal number and a colon.
  ///
  /// - Parameters:
  ///   - parts: index, time in nanoseconds since 1970, index of the call's first entry, caller, method, cluster,
  ///     request, code and message; the numbers in decimal.
  ///   - previous: 32 bytes; none before the first entry there ever was.
  public static func hash(of parts: [String], after previous: [UInt8]) -> [UInt8] {
    var bytes = previous
    for part in ["omnid audit 1"] + parts { bytes += Array("\(part.utf8.count):\(part)".utf8) }
    return SHA256.digest(bytes)
  }
}
