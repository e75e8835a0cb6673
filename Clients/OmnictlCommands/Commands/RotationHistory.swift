internal import Schema

/// `omnictl cluster -n NAME secret rotate history`.
enum RotationHistory {
  private static let limit = Flag<Int>.number(
    "limit", fallback: 50, "how many rotations at most, the newest first; 0 for all")

  static let command: CommandSpec = .init(
    "history", "List the rotations there have been", flags: [limit.spec], clusterFlag: .required
  ) { session throws(CommandError) in
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
    case .table: session.print(table(all.rotations))
    }
  }

  static func table(_ rotations: [RotationStatus]) -> String {
    var table = TextTable(
      "STARTED", "COMPONENT", "STATE", "TOOK", "NEW-CA", "BY", "REASON", "ERROR",
      "ROTATION")
    for rotation in rotations {
      table.add(
        Moment.text(rotation.startedAt), rotation.component.word, rotation.state.word,
        rotation.lasted.map { Moment.span($0) } ?? "",
        rotation.newCAFingerprint.shortFingerprint, rotation.requester,
        rotation.reason, rotation.error, rotation.rotationID)
    }
    return table.text
  }
}
