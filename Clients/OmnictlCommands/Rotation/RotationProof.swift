internal import Schema

/// `omnictl cluster -n NAME secret rotate proof [ROTATION]`.
enum RotationProof {
  private static let rotation = ArgumentSpec(
    "ROTATION", "the rotation (default the newest)", completion: .rotations, isOptional: true)

  static let command: CommandSpec = .init(
    "proof", "Print the signed report of a rotation that is over",
    examples: [
      "omnictl cluster -n prod secret rotate proof > report.txt"
    ],
    discussion: """
      The report says that every machine refuses the CA that went, with what the last look has shown of
      each machine, and when each had its turn. omnid signs it: put it into a file as it is, and
      'omnictl report verify FILE' checks it anywhere, without a server. Refused (exit code 3) for a
      rotation that is not over, or has touched no machine.
      """,
    arguments: [rotation], clusterFlag: .required
  ) { session throws(CommandError) in
    var request = GetRotationReportRequest()
    request.cluster = session.cluster
    request.rotationID = session.invocation[rotation]
    let answer = try await session.call(ManagementServiceMethods.getRotationReport, request)
    switch session.format {
    case .json: session.printJSON(answer)
    case .table:
      session.print(
        session.surroundings.screen == nil ? answer.report : Printable.text(answer.report))
    }
  }
}
