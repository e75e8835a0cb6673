internal import Schema

/// `omnictl cluster -n NAME secret rotate abort [ROTATION]`.
enum RotationAbort {
  private static let rotation = ArgumentSpec(
    "ROTATION", "the rotation to abort (default the one in progress)", completion: .rotations,
    isOptional: true)

  private static let leaveOut = Flag<[String]>.list(
    "leave-out", "MACHINE", completion: .machines,
    "go back without a machine that is gone for good, by name or node id; also for a rotation that goes "
      + "back already")

  static let command: CommandSpec = .init(
    "abort", "Go back to the old CA",
    examples: [
      "omnictl cluster -n prod secret rotate abort"
    ],
    discussion: """
      A rotation that has touched no machine is over at once. One that has goes back: the old CA issues
      again where the new one did, control planes first, then no machine accepts the new CA any more.
      It is followed until then. Refused (exit code 3) once POST-ROTATE has begun, because machines
      refuse the old CA from then on: let it end, and start another rotation.
      """,
    arguments: [rotation], flags: WaitFlags.all + [leaveOut.spec], clusterFlag: .required
  ) { session throws(CommandError) in
    var request = AbortRotationRequest()
    request.cluster = session.cluster
    request.rotationID = session.invocation[rotation]
    request.leaveOut = session.invocation[leaveOut]
    let answer = try await session.call(ManagementServiceMethods.abortRotation, request)
    if let status = answer.status, !status.isOver, session.invocation[WaitFlags.wait] {
      if session.format == .table {
        session.print(
          Printable.line(
            "rotation of \(status.component.word) of cluster \(session.cluster) goes back "
              + "(\(status.rotationID))") + "\n")
      }
      return try await session.follow(status, until: .aborted)
    }
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
