internal import Schema

/// `omnictl cluster forget NAME`.
enum ClusterForget {
  static let command: CommandSpec = .init(
    "forget", "Delete what omnid knows of a cluster, its CA keys included",
    discussion: """
      Nothing on the machines is changed. To take the cluster back into care, import it again. Refused
      while a rotation of the cluster is in progress.
      """,
    arguments: [ClusterGroup.nameArgument], clusterFlag: .substitute
  ) { session throws(CommandError) in
    var request = ForgetClusterRequest()
    request.cluster = session.cluster
    let response = try await session.call(ManagementServiceMethods.forgetCluster, request)
    switch session.format {
    case .json: session.printJSON(response)
    case .table: session.print("forgot cluster \(Printable.line(request.cluster))\n")
    }
  }
}
