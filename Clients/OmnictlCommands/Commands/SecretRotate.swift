internal import Schema

/// `omnictl cluster -n NAME secret rotate talos-ca|kubernetes-ca`.
enum SecretRotate {
  static let dryRun = Flag<Bool>.switched(
    "dry-run", fallback: false, "only show what would be done")

  private static let reason = Flag<String?>.text(
    "reason", "TEXT", "why, for the history")

  static let talosCA = command(.talosCA)
  static let kubernetesCA = command(.kubernetesCA)

  private static func command(_ component: SecretComponent) -> CommandSpec {
    CommandSpec(
      component.word, "Rotate the \(component.title), or attach to its rotation",
      discussion: """
        Three stages: PRE-ROTATE, every machine accepts the new CA too; ROTATE, every machine gets its
        certificates from the new CA; POST-ROTATE, no machine accepts the old CA any more. From then on
        talosconfigs and kubeconfigs of the old CA are refused: issue fresh ones.
        """,
      flags: WaitFlags.all + [dryRun.spec, reason.spec], clusterFlag: .required
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
    request.reason = session.invocation[reason] ?? ""
    let answer = try await session.call(ManagementServiceMethods.rotateSecret, request)
    if request.dryRun {
      switch session.format {
      case .json: session.printJSON(answer)
      case .table: session.print(PlanText.text(answer, component, cluster: session.cluster))
      }
      return
    }
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

  private static func opening(
    _ answer: RotateSecretResponse, _ component: SecretComponent, _ session: Session
  ) -> String {
    let what = "rotation of \(component.word) of cluster \(session.cluster)"
    let id = answer.status?.rotationID ?? ""
    return Printable.line(
      answer.attached ? "\(what) is in progress: attached (\(id))" : "\(what) started (\(id))")
      + "\n"
  }
}
