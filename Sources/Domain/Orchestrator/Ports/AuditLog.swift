public import Rotation

/// Where it is kept who asked for what: append-only, each entry chained to the one before by its hash.
///
/// What has been appended survives the sudden death of the process and of the machine.
public protocol AuditLog: Sendable {
  /// Appends an entry, durably.
  ///
  /// - Throws: `.unavailable` (the entry may have been appended all the same), `.corrupt`.
  func append(_ event: AuditEvent, at now: Instant) async throws(StoreError) -> AuditEntry

  /// Entries after an index, the oldest first. Only the newest are kept, so that the first may have a higher index
  /// than was asked for.
  ///
  /// - Parameters:
  ///   - index: 0: from the oldest that is kept.
  ///   - limit: at most so many.
  /// - Throws: `.corrupt`, naming the entry, where the chain is broken; `.unavailable`.
  func entries(after index: UInt64, limit: Int) async throws(StoreError) -> [AuditEntry]
}
