internal import ProtoCodec
internal import Schema

/// `omnictl cluster -n NAME secret rotate talos-ca|kubernetes-ca`.
enum SecretRotate {
  static let dryRun = Flag<Bool>.switched(
    "dry-run", fallback: false, "only show what would be done")

  private static let reason = Flag<String?>(
    "reason", form: .valued("WHY"),
    completion: .words(RotationCause.all.map(\.word)),
    summary:
      "why, for the history: leaked-talosconfig, leaked-kubeconfig, leaked-secrets, imported, expiring or "
      + "routine, then ': ' and any text if you like; or any text"
  ) { values throws(InvalidValue) in
    guard let value = values.last else { return nil }
    if value.isEmpty { throw InvalidValue(reason: "must not be empty") }
    if let cause = RotationCause.mistyped(value) {
      throw InvalidValue(reason: "'\(value)' is no cause that marks the cluster", suggestion: cause)
    }
    return value
  }

  static let ownerAck = Flag<Bool>.switched(
    "owner-ack", fallback: false,
    "start although Omni or Cluster API owns the configurations and may write the old CA back")

  static let maxParallelWorkers = Flag<Int>.number(
    "max-parallel-workers", fallback: 10, "how many workers are changed at once at most")

  static let removeForeign = Flag<Bool>.switched(
    "remove-foreign", fallback: false,
    "take CAs that are neither the old nor the new one out of every trust list; counts for a "
      + "rotation in progress from now on")

  private static let allowUnready = Flag<Bool>.switched(
    "allow-unready", fallback: false,
    "start although nodes or control plane components are not ready, and do not wait for these")

  static let allowUnmanagedNodes = Flag<Bool>.switched(
    "allow-unmanaged-nodes", fallback: false,
    "start although Kubernetes has nodes that no machine of the cluster answers for")

  static let leaveOut = Flag<[String]>.list(
    "leave-out", "MACHINE", completion: .machines,
    "go on without a machine that is gone for good, by name or node id; nothing is proved of it, and "
      + "one that is there is not left out; counts for a rotation in progress from now on. At a start "
      + "also an endpoint of the talosconfig that is gone, by address"
  )

  static let yes = Flag<Bool>.switched(
    "yes", short: "y", fallback: false, "do not ask on a terminal")

  private static let requestID = Flag<String?>.text(
    "request-id", "TEXT",
    "makes the command safe to repeat: the same value again attaches and never rotates twice")

  private static let soak = Flag<Duration?>.duration(
    "soak",
    "wait this long before POST-ROTATE, with both CAs accepted; 'rotate continue' ends it early")

  private static let soakUntilContinued = Flag<Bool>.switched(
    "soak-until-continued", fallback: false, "wait there until 'rotate continue'")

  private static let tries = Flag<Bool>.switched(
    "try", fallback: false,
    "try each change first: a machine goes back by itself if the change is not verified in time")

  private static let tryTimeout = Flag<Duration?>.duration(
    "try-timeout", "how long a machine waits for that before it goes back (default 5m); means --try"
  )

  static let talosCA = command(.talosCA)
  static let kubernetesCA = command(.kubernetesCA)

  private static func command(_ component: SecretComponent) -> CommandSpec {
    CommandSpec(
      component.word, "Rotate the \(component.title), or attach to its rotation",
      examples: [
        "omnictl cluster -n prod secret rotate \(component.word) --dry-run",
        "omnictl cluster -n prod secret rotate \(component.word) --reason 'leaked-\(component.credential): laptop of Ann'",
        "omnictl cluster -n prod secret rotate \(component.word) --yes --soak 24h",
      ],
      discussion: """
        Three stages: PRE-ROTATE, every machine accepts the new CA too; ROTATE, every machine gets its
        certificates from the new CA; POST-ROTATE, no machine accepts the old CA any more. From then on
        what the old CA has signed is refused: issue a fresh \(component.credential).

        Before it begins the machines are asked whether it can reach its end. What keeps it from that is
        named, nothing is changed, and the exit code is 3; --dry-run asks the same. Until POST-ROTATE has
        begun, 'secret rotate abort' goes back to the old CA.

        What has leaked decides what has to go: a kubeconfig, the Kubernetes CA; a talosconfig, both CAs,
        because with os:admin it reads their keys; secrets or a control plane's configuration, both CAs
        and more. Say so with --reason: the cluster bears a mark until all of it is done.

        On a terminal the plan is shown and a rotation begins only when it is answered with 'y'; --yes
        does not ask, and neither does a script.
        """,
      flags: WaitFlags.all + [
        dryRun.spec, reason.spec, removeForeign.spec, allowUnready.spec, allowUnmanagedNodes.spec,
        ownerAck.spec, maxParallelWorkers.spec,
        leaveOut.spec, soak.spec, soakUntilContinued.spec, tries.spec, tryTimeout.spec,
        requestID.spec, yes.spec,
      ], clusterFlag: .required
    ) { session throws(CommandError) in
      try await run(component, session)
    }
  }

  private static func run(
    _ component: SecretComponent, _ session: Session
  ) async throws(CommandError) {
    var request = RotateSecretRequest()
    request.cluster = session.cluster
    request.component = component
    request.dryRun = session.invocation[dryRun]
    (request.cause, request.reason) = RotationCause.read(session.invocation[reason] ?? "")
    request.ownerAck = session.invocation[ownerAck]
    request.maxParallelWorkers = try limit(session)
    request.removeForeign = session.invocation[removeForeign]
    request.allowUnready = session.invocation[allowUnready]
    request.allowUnmanagedNodes = session.invocation[allowUnmanagedNodes]
    if let duration = session.invocation[soak] {
      let (seconds, attoseconds) = duration.components
      request.soak = ProtoDuration(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
    }
    if session.invocation[tries] || session.invocation[tryTimeout] != nil {
      let wait = session.invocation[tryTimeout] ?? .seconds(300)
      request.tryTimeout = ProtoDuration(seconds: wait.components.seconds, nanos: 0)
    }
    request.leaveOut = session.invocation[leaveOut]
    request.soakUntilContinued = session.invocation[soakUntilContinued]
    request.requestID = session.invocation[requestID] ?? ""
    if !request.dryRun, !session.invocation[yes] { try await confirm(request, component, session) }
    let answer = try await session.call(ManagementServiceMethods.rotateSecret, request)
    if request.dryRun { return session.show(answer, component) }
    let status = answer.status ?? RotationStatus()
    if session.invocation[WaitFlags.wait] {
      if session.format == .table { session.print(opening(answer, component, session)) }
      try await session.follow(status)
    } else {
      switch session.format {
      case .json: session.printJSON(answer)
      case .table:
        session.print(opening(answer, component, session))
        session.print("follow it: \(session.followLine)\n")
      }
    }
  }

  /// 0 where nobody has said: the server's own.
  static func limit(_ session: Session) throws(CommandError) -> Int32 {
    guard session.invocation.given.contains(maxParallelWorkers.spec.name) else { return 0 }
    let number = session.invocation[maxParallelWorkers]
    guard number > 0 else {
      throw CommandError(.wrongUsage, "--max-parallel-workers must be at least 1")
    }
    return Int32(clamping: number)
  }

  /// Shows whoever sits at the terminal what would be done, and asks. Whoever attaches to a rotation that runs is not
  /// asked.
  ///
  /// - Throws: when the answer is not yes, and for what keeps the rotation from starting.
  private static func confirm(
    _ request: RotateSecretRequest, _ component: SecretComponent, _ session: Session
  ) async throws(CommandError) {
    guard session.format == .table, let ask = session.surroundings.ask else { return }
    var rehearsal = request
    rehearsal.dryRun = true
    session.print("asking every machine whether a rotation can reach its end …\n")
    let plan = try await session.call(ManagementServiceMethods.rotateSecret, rehearsal)
    guard !plan.attached, plan.answeredAt == nil else { return }
    session.show(plan, component)
    let answer = ask(
      "\nrotate \(component.word) of cluster \(Printable.line(session.cluster))? [y/N] ")
    guard ["y", "yes"].contains(answer?.lowercased()) else {
      throw CommandError(
        .failed, "not begun: nothing has been changed", hint: "answer with y, or give --yes")
    }
  }

  private static func opening(
    _ answer: RotateSecretResponse, _ component: SecretComponent, _ session: Session
  ) -> String {
    let what = "rotation of \(component.word) of cluster \(session.cluster)"
    let id = answer.status?.rotationID ?? ""
    let notes = ListText.text(answer.notes, columns: session.surroundings.output.columns)
    if let answered = answer.answeredAt {
      return Printable.line(
        "\(what) (\(id)) is what a request with this --request-id was answered with on "
          + Moment.text(answered)) + "\n" + notes
    }
    guard answer.attached else {
      return Printable.line("\(what) started (\(id))") + "\n" + notes
    }
    let foreign =
      session.invocation[removeForeign] ? "; foreign CAs are removed from now on" : ""
    return Printable.line("\(what) is in progress: attached (\(id))\(foreign)") + "\n" + notes
  }
}
