internal import Schema

/// `omnictl cluster forget NAME`.
enum ClusterForget {
  private static let force = Flag<Bool>.switched(
    "force", fallback: false,
    "forget it although a rotation is in progress, which then stands still where it is")

  static let command: CommandSpec = .init(
    "forget", "Delete what omnid knows of a cluster, its CA keys included",
    examples: [
      "omnictl cluster forget prod"
    ],
    discussion: """
      Nothing on the machines is changed. To take the cluster back into care, import it again. Refused
      while a rotation of the cluster is in progress: until POST-ROTATE has begun, 'secret rotate abort'
      goes back to the old CA. --force forgets the cluster in the middle of a rotation too, and says what
      is lost by it: omnid's copy of the new CA's key is among it.

      On a terminal the cluster is forgotten only when that is answered with 'y'; --yes does not ask, and
      neither does a script.
      """,
    arguments: [ClusterGroup.nameArgument], flags: [force.spec, SecretRotate.yes.spec],
    clusterFlag: .substitute
  ) { session throws(CommandError) in
    var request = ForgetClusterRequest()
    request.cluster = session.cluster
    request.force = session.invocation[force]
    if session.format == .table, !session.invocation[SecretRotate.yes],
      let ask = session.surroundings.ask
    {
      let name = Printable.line(request.cluster)
      let answer = ask(
        "omnid deletes its CA keys, its retired CAs and the history and reports of its rotations; the machines stay as "
          + "they are\nforget cluster \(name)? [y/N] ")
      guard ["y", "yes"].contains(answer?.lowercased()) else {
        throw CommandError(
          .failed, "cluster \(name) is not forgotten", hint: "answer with y, or give --yes")
      }
    }
    let response = try await session.call(ManagementServiceMethods.forgetCluster, request)
    switch session.format {
    case .json: session.printJSON(response)
    case .table:
      session.print("forgot cluster \(Printable.line(request.cluster))\n")
      guard !response.lost.isEmpty else { return }
      session.print(
        "lost with it:\n"
          + ListText.text(response.lost, columns: session.surroundings.output.columns))
    }
  }
}
