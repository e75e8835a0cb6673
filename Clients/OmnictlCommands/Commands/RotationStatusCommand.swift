internal import Schema

/// `omnictl cluster -n NAME secret rotate status`.
enum RotationStatusCommand {
  static let command: CommandSpec = .init(
    "status", "Show the rotation in progress, and follow it",
    examples: [
      "omnictl cluster -n prod secret rotate status",
      "omnictl cluster -n prod secret rotate status --wait=false -o json | jq .state",
    ],
    discussion: """
      Without a rotation in progress it says so, how the last one ended, and what comes next. --wait=false
      shows the present state alone; --dry-run shows with it what the rotation in progress does. A
      rotation that fails or is cancelled while it is followed ends the command with exit code 1.
      """,
    flags: WaitFlags.all + [SecretRotate.dryRun.spec], clusterFlag: .required
  ) { session throws(CommandError) in
    var request = GetRotationStatusRequest()
    request.cluster = session.cluster
    let status =
      try await session.call(ManagementServiceMethods.getRotationStatus, request).status
      ?? RotationStatus()
    guard status.isInProgress else {
      switch session.format {
      case .json: session.printJSON(status)
      case .table:
        session.print(idleText(status, cluster: session.cluster))
        session.print(pastNotes(status, columns: session.surroundings.output.columns))
        session.print(returned(status, columns: session.surroundings.output.columns))
        session.print(StaleTrustText.text(status, columns: session.surroundings.output.columns))
        session.print(
          RetiringCredentialsText.text(status, columns: session.surroundings.output.columns))
        session.print(NextSteps.text(status, session))
      }
      return
    }
    if session.invocation[SecretRotate.dryRun] {
      try await show(planOf: status, session)
    } else if session.invocation[WaitFlags.wait] {
      try await session.follow(status)
    } else {
      switch session.format {
      case .json: session.printJSON(status)
      case .table:
        session.print(stillText(status, session.surroundings))
        session.print(
          RetiringCredentialsText.text(status, columns: session.surroundings.output.columns))
      }
    }
  }

  private static func show(
    planOf status: RotationStatus, _ session: Session
  ) async throws(CommandError) {
    var request = RotateSecretRequest()
    request.cluster = session.cluster
    request.component = status.component
    request.dryRun = true
    let answer = try await session.call(ManagementServiceMethods.rotateSecret, request)
    if session.format == .table {
      session.print(stillText(answer.status ?? status, session.surroundings) + "\n")
    }
    session.show(answer, status.component)
  }

  static func idleText(_ status: RotationStatus, cluster: String) -> String {
    let idle = "no rotation in progress on cluster \(Printable.line(cluster))\n"
    guard !status.rotationID.isEmpty else { return idle }
    let took = status.lasted.map { " after \(Moment.span($0))" }
    var last =
      "last rotation: \(status.component.word) \(status.state.word) at "
      + "\(Moment.text(status.finishedAt))\(took ?? "") (\(status.rotationID))"
    if !status.error.isEmpty { last += ": \(status.error)" }
    return idle + Printable.line(last) + "\n"
  }

  /// Retired CAs that somebody has put back.
  private static func returned(_ status: RotationStatus, columns: Int?) -> String {
    guard !status.returnedCAs.isEmpty else { return "" }
    return "warnings:\n" + ListText.text(status.returnedCAs.map(\.detail), columns: columns)
  }

  /// What was worth a note while it ran, such as a change that somebody undid.
  private static func pastNotes(_ status: RotationStatus, columns: Int?) -> String {
    guard !status.notes.isEmpty else { return "" }
    return "notes:\n" + ListText.text(status.notes, columns: columns)
  }

  /// The live view, once.
  private static func stillText(_ status: RotationStatus, _ surroundings: Surroundings) -> String {
    let style = surroundings.screen?.style ?? .plain
    // Without a terminal no line is broken or cut.
    let size = ScreenSize(columns: surroundings.screen?.size.columns ?? 1 << 20, rows: .max)
    let view = RotationView(style: style)
    var ages = RotationAges()
    ages.take(status, at: .zero)
    return view.lines(status, size: size, reading: ages.reading(at: .zero))
      .map { $0.rendered(hasColor: style.hasColor) + "\n" }.joined()
  }
}
