internal import Schema

/// `omnictl cluster -n NAME secret rotate abort [ROTATION]`.
enum RotationAbort {
  private static let rotation = ArgumentSpec(
    "ROTATION", "the rotation to cancel (default the one in progress)", isOptional: true)

  static let command: CommandSpec = .init(
    "abort", "Cancel a rotation that has touched no machine",
    discussion: """
      The cluster then stands as it did before, and the new CA is thrown away. Refused (exit code 3)
      once a machine's configuration has been sent: such a rotation has to go on to its end.
      """,
    arguments: [rotation], clusterFlag: .required
  ) { session throws(CommandError) in
    var request = AbortRotationRequest()
    request.cluster = session.cluster
    request.rotationID = session.invocation[rotation]
    let answer = try await session.call(ManagementServiceMethods.abortRotation, request)
    switch session.format {
    case .json: session.printJSON(answer)
    case .table: session.print(text(answer.status ?? RotationStatus(), session))
    }
  }

  private static func text(_ status: RotationStatus, _ session: Session) -> String {
    let what = Printable.line(
      "rotation of \(status.component.word) of cluster \(session.cluster): "
        + "\(status.state.word) (\(status.rotationID))")
    if status.isOver { return "\(what)\n" + NextSteps.text(status, session) }
    return "\(what)\nfollow it: \(session.followLine)\n"
  }
}
