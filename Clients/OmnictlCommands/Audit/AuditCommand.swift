internal import ProtoCodec
internal import RPC
internal import Schema

/// `omnictl audit`.
enum AuditCommand {
  private static let follow = Flag<Bool>.switched(
    "follow", short: "f", fallback: false, "go on with every call that is made, until interrupted")
  private static let cluster = Flag<String?>.text(
    "cluster", "NAME", completion: .clusters, "only calls about this cluster")
  private static let caller = Flag<String?>.text(
    "caller", "CALLER", "only calls of this caller, as in uid:1000")
  private static let since = Flag<Duration?>.duration(
    "since", "only calls that ended or began so long ago at most, as in 24h")

  static let command: CommandSpec = .init(
    "audit", "Show who asked omnid for what, and verify that the log is whole",
    examples: [
      "omnictl audit --cluster prod --since 24h",
      "omnictl audit --follow -o json",
    ],
    discussion: """
      Every call that changes something or hands a credential out is in the log, also one that was
      refused: a line for each, with its outcome. A call without one was under way when omnid died.
      All entries are read and their chain of hashes is verified, whatever is shown; a broken one
      ends with exit code 1. Keep the last hash elsewhere to see later that nothing was rewritten.
      With -o json each entry is a line: an entry where a call begins and another where it ends.
      """,
    flags: [follow.spec, cluster.spec, caller.spec, since.spec]
  ) { session throws(CommandError) in
    let filter = Filter(
      cluster: session.invocation[cluster], caller: session.invocation[caller],
      since: session.invocation[since].map {
        session.surroundings.now().seconds - $0.components.seconds
      })
    try await AuditReader(session: session, filter: filter, follows: session.invocation[follow])
      .run()
  }

  /// What of the log is shown.
  struct Filter {
    var cluster: String?
    var caller: String?
    /// In seconds since 1970.
    var since: Int64?

    func shows(_ entry: AuditEntry) -> Bool {
      if let cluster, entry.cluster != cluster { return false }
      if let caller, entry.caller != caller { return false }
      if let since, entry.recordedAt?.seconds ?? 0 < since { return false }
      return true
    }
  }
}

/// Reads the audit log and shows it.
private struct AuditReader {
  let session: Session
  let filter: AuditCommand.Filter
  let follows: Bool

  /// What has been read.
  private struct Progress {
    var verification = AuditVerification()
    /// The calls that have begun and not ended, by their index.
    var open: [UInt64: AuditEntry] = [:]
    /// The calls whose end has been shown: one may stand in the log twice.
    var ended: Set<UInt64> = []
    /// How often entries were removed before they had been read.
    var restarts = 0
    var table = AuditTable()
    /// The entry with which something was wrong, and what.
    var problem: String?
  }

  /// For how long a stream that broke off is tried again, and the pause between two tries.
  private static let patience = (total: Duration.seconds(60), pause: Duration.milliseconds(500))

  func run() async throws(CommandError) {
    var progress = Progress()
    var lostAt: ContinuousClock.Instant?
    while true {
      let before = progress.verification.last?.index
      do throws(RPCError) {
        try await read(&progress)
        break
      } catch {
        if let problem = progress.problem { throw CommandError(.failed, problem) }
        if error.code == .outOfRange, progress.restarts < 3 {
          session.tell("omnictl: entries were removed before they had been read: beginning anew")
          let restarts = progress.restarts + 1
          progress = Progress()
          progress.restarts = restarts
          continue
        }
        if progress.verification.last?.index != before { lostAt = nil }
        let lost = lostAt ?? ContinuousClock.now
        lostAt = lost
        guard follows, error.code == .unavailable,
          ContinuousClock.now - lost < Self.patience.total,
          (try? await Task.sleep(for: Self.patience.pause)) != nil
        else { throw session.failure(error) }
      }
    }
    if let problem = progress.problem { throw CommandError(.failed, problem) }
    guard session.format == .table else { return }
    for entry in progress.open.values.sorted(by: { $0.index < $1.index }) where filter.shows(entry)
    {
      progress.table.add(begun: entry, ended: nil)
    }
    session.print(progress.table.text(columns: session.surroundings.output.columns))
    session.print(Printable.line(progress.verification.summary) + "\n")
  }

  /// One ReadAuditLog. Returns when all has been read, or something is wrong with it.
  private func read(_ progress: inout Progress) async throws(RPCError) {
    var request = ReadAuditLogRequest()
    request.afterIndex = progress.verification.last?.index ?? 0
    request.follow = follows
    var seen = progress
    defer { progress = seen }
    do {
      try await session.client.serverStreaming(
        ManagementServiceMethods.readAuditLog, request, options: CallOptions()
      ) { stream in
        for try await response in stream {
          guard let entry = response.entry else { continue }
          seen.problem = seen.verification.take(entry)
          guard seen.problem == nil else { return }
          show(entry, &seen)
        }
      }
    } catch let error as RPCError {
      throw error
    } catch {
      throw RPCError(.cancelled, "the command was cancelled")
    }
  }

  private func show(_ entry: AuditEntry, _ progress: inout Progress) {
    if session.format == .json {
      if filter.shows(entry) { session.print(JSONDocument.line(entry) + "\n") }
      return
    }
    guard entry.call > 0 else {
      progress.open[entry.index] = entry
      return
    }
    guard progress.ended.insert(entry.call).inserted else { return }
    let begun = progress.open.removeValue(forKey: entry.call) ?? entry
    guard filter.shows(entry) else { return }
    if follows {
      session.print(
        AuditTable.line(
          begun: begun, ended: entry, columns: session.surroundings.output.columns))
    } else {
      progress.table.add(begun: begun, ended: entry)
    }
  }
}
