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

  private static let context = Flag<String?>.text(
    "context", "CTX", "the context in the talosconfig (default its current one)")

  private static let endpoints = Flag<[String]>.list(
    "endpoints", "ADDRESS",
    "where the Talos API is reached, host or host:port, instead of what the context names; may be "
      + "repeated, or hold several with commas")

  /// As the server has it.
  private static let sizeLimit = 1 << 20

  static let command: CommandSpec = .init(
    "import", "Take a cluster into care, from its talosconfig",
    discussion: """
      omnid finds the cluster's machines and reads its CAs; nothing on the machines is changed. The
      talosconfig is not kept. A talosconfig whose context names no endpoints, as talosctl generates
      it, needs --endpoints: the addresses of control planes.
      """,
    arguments: [
      ArgumentSpec("NAME", "the name to give it: lower-case letters, digits and '-'")
    ],
    flags: [talosconfig.spec, context.spec, endpoints.spec], clusterFlag: .substitute
  ) { session throws(CommandError) in
    let path = session.invocation[talosconfig]
    var request = ImportClusterRequest()
    request.cluster = session.cluster
    request.context = session.invocation[context] ?? ""
    request.endpoints = session.invocation[endpoints]
    do throws(InputFile.Failure) {
      request.talosconfig = try InputFile.text(path, limit: sizeLimit)
    } catch {
      throw CommandError(
        .wrongUsage, "the talosconfig '\(path)' cannot be read: \(error.reason)",
        hint: "--talosconfig names the file")
    }
    let cluster =
      try await session.call(ManagementServiceMethods.importCluster, request).cluster ?? Cluster()
    switch session.format {
    case .json: session.printJSON(cluster)
    case .table:
      session.print(
        "imported cluster \(Printable.line(cluster.name)): "
          + "\(cluster.controlPlanes.count) control planes, \(cluster.workers.count) workers\n")
      session.print(AuthorityTable.text(cluster, now: session.surroundings.now()))
      session.print(Warnings.text(cluster, columns: session.surroundings.output.columns))
    }
  }
}

extension Cluster {
  var controlPlanes: [Machine] { machines.filter(\.controlPlane) }
  var workers: [Machine] { machines.filter { !$0.controlPlane } }
}
