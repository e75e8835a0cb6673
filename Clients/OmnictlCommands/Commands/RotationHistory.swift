internal import Schema

/// `omnictl cluster -n NAME secret rotate history [ROTATION]`.
enum RotationHistory {
  private static let limit = Flag<Int>.number(
    "limit", fallback: 50, "how many rotations at most, the newest first; 0 for all")

  private static let rotation = ArgumentSpec(
    "ROTATION", "show the timeline of this one: when each machine had its turn in each stage",
    completion: .rotations, isOptional: true)

  static let command: CommandSpec = .init(
    "history", "List the rotations there have been, or show when what happened in one",
    examples: [
      "omnictl cluster -n prod secret rotate history",
      "omnictl cluster -n prod secret rotate history 1b50739d299ff91bc77c",
    ],
    arguments: [rotation], flags: [limit.spec], clusterFlag: .required
  ) { session throws(CommandError) in
    let wanted = session.invocation[rotation]
    guard wanted.isEmpty else { return try await showTimeline(wanted, session) }
    let limit = session.invocation[limit]
    var all = ListRotationsResponse()
    var request = ListRotationsRequest()
    request.cluster = session.cluster
    repeat {
      request.pageSize = Int32(limit == 0 ? 1000 : min(limit - all.rotations.count, 1000))
      let page = try await session.call(ManagementServiceMethods.listRotations, request)
      all.rotations += page.rotations
      all.nextPageToken = page.nextPageToken
      guard page.nextPageToken != request.pageToken else { break }
      request.pageToken = page.nextPageToken
    } while !request.pageToken.isEmpty && (limit == 0 || all.rotations.count < limit)
    switch session.format {
    case .json: session.printJSON(all)
    case .table:
      session.print(table(all.rotations, columns: session.surroundings.output.columns))
    }
  }

  private static func showTimeline(
    _ wanted: String, _ session: Session
  ) async throws(CommandError) {
    var request = ListRotationsRequest()
    request.cluster = session.cluster
    repeat {
      let page = try await session.call(ManagementServiceMethods.listRotations, request)
      if let found = page.rotations.first(where: { $0.rotationID == wanted }) {
        switch session.format {
        case .json: session.printJSON(found)
        case .table:
          session.print(timeline(found, columns: session.surroundings.output.columns))
        }
        return
      }
      guard page.nextPageToken != request.pageToken else { break }
      request.pageToken = page.nextPageToken
    } while !request.pageToken.isEmpty
    throw CommandError(
      .notFound, "cluster '\(session.cluster)' has no rotation \(wanted)",
      hint: "those there are: "
        + session.line("cluster -n \(session.cluster) secret rotate history"))
  }

  /// Each machine's turn in each stage, in the order in which the turns began.
  static func timeline(_ rotation: RotationStatus, columns: Int? = nil) -> String {
    var facts = PropertyList()
    facts.add("component", rotation.component.word)
    facts.add("state", rotation.state.word)
    facts.add("started", "\(Moment.text(rotation.startedAt)) by \(rotation.requester)")
    if let refused = rotation.refusedEverywhereAt {
      facts.add("refused everywhere", Moment.text(refused))
    }
    facts.add("ended", Moment.text(rotation.finishedAt))
    var table = TextTable("STAGE", "MACHINE", "BEGUN", "VERIFIED", "TOOK")
    let turns = rotation.machines.flatMap { machine in
      machine.stageTimes.map { (machine: machine.machine, times: $0) }
    }.sorted { ($0.times.begunAt?.order ?? (0, 0)) < ($1.times.begunAt?.order ?? (0, 0)) }
    for (machine, times) in turns {
      let took = times.begunAt.flatMap { begun in
        times.verifiedAt.map { Moment.span(Moment.seconds(from: begun, to: $0)) }
      }
      table.add(
        (times.undone ? "undo " : "") + times.phase.word, machine, Moment.text(times.begunAt),
        Moment.text(times.verifiedAt), took ?? "")
    }
    return facts.text(columns: columns)
      + (turns.isEmpty ? "" : "\n" + table.text(columns: columns))
  }

  static func table(_ rotations: [RotationStatus], columns: Int? = nil) -> String {
    var table = TextTable(
      "STARTED", "COMPONENT", "STATE", "TOOK", "NEW-CA", "BY", "REASON", "ERROR",
      "ROTATION")
    for rotation in rotations {
      table.add(
        Moment.text(rotation.startedAt), rotation.component.word, rotation.state.word,
        rotation.lasted.map { Moment.span($0) } ?? "",
        rotation.newCAFingerprint.shortFingerprint, rotation.requester,
        [rotation.cause.word, rotation.reason].filter { !$0.isEmpty }.joined(separator: ": "),
        rotation.error, rotation.rotationID)
    }
    return table.text(columns: columns)
  }
}

extension Timestamp {
  /// What moments are ordered by.
  fileprivate var order: (Int64, Int32) { (seconds, nanos) }
}
