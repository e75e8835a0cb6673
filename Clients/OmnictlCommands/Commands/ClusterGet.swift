internal import Schema

/// `omnictl cluster get NAME`.
enum ClusterGet {
  static let command: CommandSpec = .init(
    "get", "Show one cluster: its CAs and when they expire, its machines, its rotation",
    examples: [
      "omnictl cluster get prod"
    ],
    discussion: "What a person has to know of it, an expired CA for one, stands below as warnings.",
    arguments: [ClusterGroup.nameArgument], clusterFlag: .substitute
  ) { session throws(CommandError) in
    let cluster = try await session.getCluster()
    switch session.format {
    case .json: session.printJSON(cluster)
    case .table:
      session.print(
        text(
          cluster, now: session.surroundings.now(), columns: session.surroundings.output.columns))
      session.print(Warnings.text(cluster, columns: session.surroundings.output.columns))
    }
  }

  static func text(_ cluster: Cluster, now: Timestamp, columns: Int? = nil) -> String {
    var properties = PropertyList()
    properties.add("Name", cluster.name)
    properties.add("Talos", cluster.talosVersion)
    properties.add("Endpoints", cluster.endpoints.joined(separator: ", "))
    properties.add("Kubernetes", cluster.kubernetesEndpoint)
    properties.add("Imported", Moment.text(cluster.importedAt))
    properties.add("Rotation", ClusterList.rotation(cluster.rotation))
    if let lock = cluster.lock { properties.add("Locked", LockCommands.origin(lock)) }
    for mark in cluster.marks {
      properties.add("Mark", "\(mark.name) since \(Moment.text(mark.since)): \(mark.detail)")
    }
    return properties.text(columns: columns) + "\n"
      + AuthorityTable.text(cluster, now: now, columns: columns) + "\n"
      + MachineList.table(cluster.machines, columns: columns)
  }
}

extension Session {
  func getCluster() async throws(CommandError) -> Cluster {
    var request = GetClusterRequest()
    request.cluster = cluster
    return try await call(ManagementServiceMethods.getCluster, request).cluster ?? Cluster()
  }
}
