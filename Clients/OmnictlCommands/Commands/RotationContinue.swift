internal import Schema

/// `omnictl cluster -n NAME secret rotate continue [ROTATION]`.
enum RotationContinue {
  private static let rotation = ArgumentSpec(
    "ROTATION", "the rotation to continue (default the one in progress)", completion: .rotations,
    isOptional: true)

  static let command: CommandSpec = .init(
    "continue", "End the wait before POST-ROTATE",
    examples: [
      "omnictl cluster -n prod secret rotate continue"
    ],
    discussion: """
      For a rotation that was started with --soak or --soak-until-continued: everything is verified once
      more, then no machine accepts the old CA any more. From then on there is no way back.
      """,
    arguments: [rotation], flags: WaitFlags.all, clusterFlag: .required
  ) { session throws(CommandError) in
    var request = ContinueRotationRequest()
    request.cluster = session.cluster
    request.rotationID = session.invocation[rotation]
    let answer = try await session.call(ManagementServiceMethods.continueRotation, request)
    let status = answer.status ?? RotationStatus()
    guard session.invocation[WaitFlags.wait] else {
      switch session.format {
      case .json: session.printJSON(answer)
      case .table: session.print("follow it: \(session.followLine)\n")
      }
      return
    }
    try await session.follow(status)
  }
}
