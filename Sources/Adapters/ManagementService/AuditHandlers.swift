import Orchestrator
import ProtoCodec
import RPC
import Rotation
import Schema

extension ManagementHandlers {
  /// Entries that are read from the log at once.
  private static let auditBatch = 256

  /// Sends the audit log from where the caller wants it, and with `follow` what is added, until the caller leaves or the
  /// server drains.
  func readAuditLog(
    _ request: ReadAuditLogRequest, send: (ReadAuditLogResponse) async throws -> Void
  ) async throws {
    // Before the first look: what is added after that look is announced.
    let news = request.follow ? audit.news() : nil
    var iterator = news?.makeAsyncIterator()
    var index = request.afterIndex
    if index > 0 {
      let known = try await asking { () async throws(OrchestratorError) in
        try await audit.entries(after: index - 1, limit: 1)
      }
      guard known.first?.index == index else { throw Self.gone(index) }
    }
    while true {
      let entries = try await asking { () async throws(OrchestratorError) in
        try await audit.entries(after: index, limit: Self.auditBatch)
      }
      // Older entries may have been removed since the last batch.
      if index > 0, let first = entries.first, first.index != index + 1 { throw Self.gone(index) }
      for entry in entries {
        var response = ReadAuditLogResponse()
        response.entry = Schema.AuditEntry(entry)
        try await send(response)
        index = entry.index
      }
      guard entries.isEmpty else { continue }
      guard iterator != nil else { return }
      if await iterator?.next() == nil {
        try Task.checkCancellation()
        throw RPCError(OrchestratorError(.shuttingDown, "the server is stopping: try again"))
      }
    }
  }
}

extension ManagementHandlers {
  private static func gone(_ index: UInt64) -> RPCError {
    RPCError(
      .outOfRange,
      "the audit log has no entry \(index) any more, or not yet: read it again from the oldest that is kept"
    )
  }
}

extension Schema.AuditEntry {
  init(_ entry: Orchestrator.AuditEntry) {
    self.init()
    index = entry.index
    recordedAt = Timestamp(entry.recordedAt)
    call = entry.event.call
    caller = entry.event.caller
    method = entry.event.method
    cluster = entry.event.cluster
    request = entry.event.request
    code = entry.event.code
    message = entry.event.message
    previousHash = entry.previous
    hash = entry.hash
  }
}
