internal import Schema

/// `omnictl cluster import NAME --talosconfig FILE [--context CTX]`.
enum ClusterImport {
  private static let talosconfig = Flag<String>(
    "talosconfig", form: .valued("FILE"), completion: .files,
    summary: "a talosconfig with role os:admin; - for standard input"
  ) { values throws(InvalidValue) in
    guard let value = values.last, !value.isEmpty else {
      throw InvalidValue(reason: "is missing: a file with a talosconfig of role os:admin")
    }
    return value
  }

  static let command: CommandSpec = .init(
    "import", "Take a cluster into care, from its talosconfig",
    examples: [
      "omnictl cluster import prod --talosconfig ~/.talos/config",
      "omnictl cluster import prod --talosconfig talosconfig --endpoints 10.0.0.2,10.0.0.3,10.0.0.4",
    ],
    discussion: """
      omnid finds the cluster's machines and reads its CAs; nothing on the machines is changed. The
      talosconfig is not kept. A talosconfig whose context names no endpoints, as talosctl generates
      it, needs --endpoints: the addresses of control planes.

      Where cluster discovery is off, --control-planes and --workers name all machines. The list is
      compared with the Kubernetes nodes; machines that join later are found by their nodes.

      A cluster whose rotation was left half done is refused: 'cluster adopt' takes it over.
      """,
    arguments: [
      ArgumentSpec("NAME", "the name to give it: lower-case letters, digits and '-'")
    ],
    flags: [
      talosconfig.spec, TalosconfigAccess.context.spec, TalosconfigAccess.endpoints.spec,
      TalosconfigAccess.controlPlanes.spec, TalosconfigAccess.workers.spec,
      TalosconfigAccess.leaveOut.spec,
    ], clusterFlag: .substitute
  ) { session throws(CommandError) in
    var request = ImportClusterRequest()
    request.cluster = session.cluster
    request.context = session.invocation[TalosconfigAccess.context] ?? ""
    request.endpoints = session.invocation[TalosconfigAccess.endpoints]
    request.controlPlanes = session.invocation[TalosconfigAccess.controlPlanes]
    request.workers = session.invocation[TalosconfigAccess.workers]
    request.leaveOut = session.invocation[TalosconfigAccess.leaveOut]
    request.talosconfig = try TalosconfigAccess.read(session.invocation[talosconfig])
    let cluster =
      try await session.call(ManagementServiceMethods.importCluster, request).cluster ?? Cluster()
    switch session.format {
    case .json: session.printJSON(cluster)
    case .table:
      session.print(
        "imported cluster \(Printable.line(cluster.name)): "
          + "\(cluster.controlPlanes.count) control planes, \(cluster.workers.count) workers\n")
      session.print(
        AuthorityTable.text(
          cluster, now: session.surroundings.now(), columns: session.surroundings.output.columns))
      session.print(Warnings.text(cluster, columns: session.surroundings.output.columns))
    }
  }
}

extension Cluster {
  var controlPlanes: [Machine] { machines.filter(\.controlPlane) }
  var workers: [Machine] { machines.filter { !$0.controlPlane } }
}
