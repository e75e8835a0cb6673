internal import Schema

/// `omnictl cluster -n NAME mark clear MARK`.
enum MarkClear {
  private static let mark = ArgumentSpec(
    "MARK", "the mark, as 'cluster get' names it", completion: .marks)

  static let command: CommandSpec = .init(
    "clear", "Take a mark off a cluster, when you have dealt with what no rotation deals with",
    examples: [
      "omnictl cluster -n prod mark clear leaked-secrets"
    ],
    discussion: """
      A leaked-secrets mark stays after both CAs have been rotated, because the secrets hold more that
      no rotation of a CA revokes. Clear it when that has been replaced. Other marks go by themselves.
      Refused (exit code 3) while something has to be rotated yet.
      """,
    arguments: [mark], clusterFlag: .required
  ) { session throws(CommandError) in
    var request = ClearClusterMarkRequest()
    request.cluster = session.cluster
    request.mark = session.invocation[mark]
    let answer = try await session.call(ManagementServiceMethods.clearClusterMark, request)
    switch session.format {
    case .json: session.printJSON(answer)
    case .table:
      session.print(
        Printable.line("cluster \(session.cluster) has no mark \(request.mark) any more") + "\n")
    }
  }
}
