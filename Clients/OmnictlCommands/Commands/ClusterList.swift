internal import Schema

/// `omnictl cluster list`.
enum ClusterList {
  static let command: CommandSpec = .init(
    "list", "List the clusters in care",
    examples: [
      "omnictl cluster list",
      "omnictl cluster list -o json | jq -r '.clusters[].name'",
    ]
  ) {
    session throws(CommandError) in
    var all = ListClustersResponse()
    all.clusters = try await session.allClusters()
    switch session.format {
    case .json: session.printJSON(all)
    case .table: session.print(table(all.clusters, columns: session.surroundings.output.columns))
    }
  }

  static func table(_ clusters: [Cluster], columns: Int? = nil) -> String {
    var table = TextTable("NAME", "TALOS", "CONTROL-PLANES", "WORKERS", "ROTATION", "MARKS")
    for cluster in clusters {
      table.add(
        cluster.name, cluster.talosVersion, String(cluster.controlPlanes.count),
        String(cluster.workers.count), rotation(cluster.rotation),
        cluster.marks.map(\.name).joined(separator: ","))
    }
    return table.text(columns: columns)
  }

  /// `talos-ca RUNNING ROTATE 2/5`, `talos-ca SUCCEEDED`, or `-` when there was none.
  static func rotation(_ status: RotationStatus?) -> String {
    guard let status, !status.rotationID.isEmpty else { return "" }
    let outcome = "\(status.component.word) \(status.state.word)"
    return status.isOver
      ? outcome
      : "\(outcome) \(status.phase.word) \(status.machinesDone)/\(status.machinesTotal)"
  }
}
