internal import Schema

/// `omnictl cluster get NAME`.
enum ClusterGet {
  static let command: CommandSpec = .init(
    "get", "Show one cluster", arguments: [ClusterGroup.nameArgument], clusterFlag: .substitute
  ) { session throws(CommandError) in
    let cluster = try await session.getCluster()
    switch session.format {
    case .json: session.printJSON(cluster)
    case .table: session.print(text(cluster))
    }
  }

  static func text(_ cluster: Cluster) -> String {
    var properties = PropertyList()
    properties.add("Name", cluster.name)
    properties.add("Talos", cluster.talosVersion)
    properties.add("Endpoints", cluster.endpoints.joined(separator: ", "))
    properties.add("Kubernetes", cluster.kubernetesEndpoint)
    properties.add("Talos CA", cluster.talosCAFingerprint)
    properties.add("Kubernetes CA", cluster.kubernetesCAFingerprint)
    properties.add("Imported", Moment.text(cluster.importedAt))
    properties.add("Rotation", ClusterList.rotation(cluster.rotation))
    return properties.text + "\n" + MachineList.table(cluster.machines)
  }
}

extension Session {
  func getCluster() async throws(CommandError) -> Cluster {
    var request = GetClusterRequest()
    request.cluster = cluster
    return try await call(ManagementServiceMethods.getCluster, request).cluster ?? Cluster()
  }
}
