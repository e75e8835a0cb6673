internal import Schema

/// `omnictl cluster -n NAME secret rotate adopt`, and `omnictl cluster adopt NAME`.
enum RotationAdopt {
  private static let talosconfig = Flag<String?>.text(
    "talosconfig", "FILE", completion: .files,
    "a talosconfig with role os:admin, - for standard input: for a cluster that is not known, or "
      + "where the machines refuse what omnid has")

  private static let component = Flag<String?>.word(
    "component", of: SecretComponent.rotatable.map(\.word),
    "the CA (default what was left half done)")

  private static let rollBack = Flag<Bool>.switched(
    "roll-back", fallback: false, "go back to the old CA instead of finishing")

  private static let heal = Flag<Bool>.switched(
    "heal", fallback: false,
    "only take out CAs that omnid has retired and somebody has put back; leave everything else")

  private static let discussion = """
    talosctl that was interrupted, another tool, or an omnid whose store is lost leave machines between
    two CAs. All machines are asked what they hold and use; that tells how far the rotation has come
    and which ways are open. It is finished, or with --roll-back taken back; where one way alone is
    open, that is gone. No third CA is made. While nobody has the new CA's key it can only be taken
    back.

    A CA that cannot be told apart (three CAs issue, or two of one age) is left alone and named, with
    what to do about it; the other one is taken over all the same, and then this command ends with 3.

    It serves two more cases: a CA that another tool has rotated since the import, which the record
    follows once every machine is verified; and a retired CA that somebody has put back, which is
    taken out again.

    While a rotation runs it is attached to. Where another tool has meanwhile rotated the other CA to
    its end, the new CA goes on record, so that the rotation can go on, and is taken over next.

    Where cluster discovery is off, --control-planes and --workers name all machines; of a cluster that
    omnid knows, they replace the machines on record.

    --dry-run shows what each machine holds and what would be done. On a terminal that is shown
    first, and the work begins only when it is answered with 'y'.
    """

  static let flags = [
    talosconfig.spec, TalosconfigAccess.context.spec, TalosconfigAccess.endpoints.spec,
    TalosconfigAccess.controlPlanes.spec, TalosconfigAccess.workers.spec,
    TalosconfigAccess.leaveOut.spec,
    component.spec, rollBack.spec, heal.spec, SecretRotate.dryRun.spec,
    SecretRotate.removeForeign.spec,
    SecretRotate.allowUnmanagedNodes.spec, SecretRotate.ownerAck.spec,
    SecretRotate.maxParallelWorkers.spec, reason.spec, SecretRotate.yes.spec,
  ]

  private static let reason = Flag<String?>.text("reason", "WHY", "why, for the history")

  static let command: CommandSpec = .init(
    "adopt", "Take over a rotation that somebody else has left half done",
    examples: [
      "omnictl cluster -n prod secret rotate adopt --dry-run",
      "omnictl cluster -n prod secret rotate adopt --component kubernetes-ca --roll-back",
    ], discussion: discussion,
    flags: WaitFlags.all + flags, clusterFlag: .required
  ) { session throws(CommandError) in try await run(session) }

  static let clusterCommand: CommandSpec = .init(
    "adopt", "Take over a cluster whose rotation was left half done, or done by another tool",
    examples: [
      "omnictl cluster adopt prod --talosconfig ~/.talos/config",
      "omnictl cluster adopt prod --heal",
    ],
    discussion: discussion + """


      A cluster that omnid does not know is taken into care with it, under NAME. The talosconfig is not
      kept. Its endpoints, or those that --endpoints names, are put on record.
      """,
    arguments: [
      ArgumentSpec(
        "NAME", "the name of the cluster, or the name to give it", completion: .clusters)
    ],
    flags: WaitFlags.all + flags, clusterFlag: .substitute
  ) { session throws(CommandError) in try await run(session) }

  private static func run(_ session: Session) async throws(CommandError) {
    var request = AdoptRotationRequest()
    request.cluster = session.cluster
    request.component =
      SecretComponent.rotatable.first { $0.word == session.invocation[component] } ?? .unspecified
    if let path = session.invocation[talosconfig], !path.isEmpty {
      request.talosconfig = try TalosconfigAccess.read(path)
    }
    request.context = session.invocation[TalosconfigAccess.context] ?? ""
    request.endpoints = session.invocation[TalosconfigAccess.endpoints]
    request.controlPlanes = session.invocation[TalosconfigAccess.controlPlanes]
    request.workers = session.invocation[TalosconfigAccess.workers]
    request.leaveOut = session.invocation[TalosconfigAccess.leaveOut]
    guard !request.talosconfig.isEmpty || (request.context.isEmpty && request.endpoints.isEmpty)
    else { throw CommandError(.wrongUsage, "--context and --endpoints need --talosconfig") }
    request.rollBack = session.invocation[rollBack]
    request.heal = session.invocation[heal]
    request.removeForeign = session.invocation[SecretRotate.removeForeign]
    request.allowUnmanagedNodes = session.invocation[SecretRotate.allowUnmanagedNodes]
    request.ownerAck = session.invocation[SecretRotate.ownerAck]
    request.maxParallelWorkers = try SecretRotate.limit(session)
    request.reason = session.invocation[reason] ?? ""
    request.dryRun = session.invocation[SecretRotate.dryRun]
    if request.dryRun {
      let answer = try await session.call(ManagementServiceMethods.adoptRotation, request)
      return session.show(answer)
    }
    // Both components may have been left half done; one is taken over at a time.
    let wantsAll = request.component == .unspecified
    var unclear: [UnclearComponent] = []
    for _ in SecretComponent.rotatable {
      guard let answer = try await takeOver(request, session) else { return }
      unclear = answer.unclear
      // Beside a rotation that ran already none of it has been taken over yet.
      let rest = answer.attached ? answer.unfinished[...] : answer.unfinished.dropFirst()
      guard wantsAll || answer.attached, let next = rest.first else { break }
      request.component = next.component
      // The machines are reached as the first rotation has left them.
      (request.talosconfig, request.context, request.endpoints) = ("", "", [])
    }
    // Whoever asked for all that was left half done is not told that all is done.
    guard wantsAll, !unclear.isEmpty else { return }
    throw CommandError(
      .refused, unclear.map(AdoptionText.line).joined(separator: "; "),
      hint: "the other CA is taken care of; when this is put right: "
        + session.line("cluster -n \(session.cluster) secret rotate adopt"))
  }

  /// Takes one component over and follows it.
  ///
  /// - Returns: the answer; nil where nothing was begun, or nobody waits for the end.
  private static func takeOver(
    _ request: AdoptRotationRequest, _ session: Session
  ) async throws(CommandError) -> AdoptRotationResponse? {
    if !session.invocation[SecretRotate.yes] { try await confirm(request, session) }
    let answer = try await session.call(ManagementServiceMethods.adoptRotation, request)
    let status = answer.status ?? RotationStatus()
    let isBegun = answer.attached || !answer.unfinished.isEmpty
    guard isBegun, session.invocation[WaitFlags.wait] else {
      switch session.format {
      case .json: session.printJSON(answer)
      case .table:
        session.print(opening(answer, status, session))
        if isBegun { session.print("follow it: \(session.followLine)\n") }
      }
      return nil
    }
    if session.format == .table { session.print(opening(answer, status, session)) }
    if status.isOver {
      if session.format == .json { session.printJSON(answer) }
    } else {
      try await session.follow(status, until: answer.rollsBack ? .aborted : .succeeded)
    }
    return answer
  }

  /// Shows whoever sits at the terminal what would be done, and asks.
  private static func confirm(
    _ request: AdoptRotationRequest, _ session: Session
  ) async throws(CommandError) {
    guard session.format == .table, let ask = session.surroundings.ask else { return }
    var rehearsal = request
    rehearsal.dryRun = true
    let plan = try await session.call(ManagementServiceMethods.adoptRotation, rehearsal)
    guard let first = plan.unfinished.first else { return }
    session.show(plan)
    let verb = plan.rollsBack ? "take back" : "finish"
    let cluster = Printable.line(session.cluster)
    let answer = ask(
      plan.attached
        ? "\nput the new \(first.component.word) of cluster \(cluster) on record? [y/N] "
        : "\n\(verb) the rotation of \(first.component.word) of cluster \(cluster)? [y/N] ")
    guard ["y", "yes"].contains(answer?.lowercased()) else {
      throw CommandError(
        .failed, "not begun: nothing has been changed", hint: "answer with y, or give --yes")
    }
  }

  private static func opening(
    _ answer: AdoptRotationResponse, _ status: RotationStatus, _ session: Session
  ) -> String {
    let cluster = session.cluster
    if answer.attached {
      return Printable.line(
        "rotation of \(status.component.word) of cluster \(cluster) is in progress: attached "
          + "(\(status.rotationID))") + "\n"
        + ListText.text(answer.notes, columns: session.surroundings.output.columns)
    }
    guard let first = answer.unfinished.first else {
      return AdoptionText.nothing(cluster)
        + ListText.text(answer.notes, columns: session.surroundings.output.columns)
    }
    return Printable.line(
      "rotation of \(first.component.word) of cluster \(cluster) taken over in \(first.phase.word), to be "
        + (answer.rollsBack ? "taken back" : "finished") + " (\(status.rotationID))") + "\n"
      + ListText.text(
        answer.unclear.map(AdoptionText.line), columns: session.surroundings.output.columns)
  }
}

extension SecretComponent {
  fileprivate static let rotatable: [SecretComponent] = [.talosCA, .kubernetesCA]
}
