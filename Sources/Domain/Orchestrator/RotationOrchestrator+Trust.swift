extension RotationOrchestrator {
  /// The authorities that whoever talks to the cluster has to trust now.
  ///
  /// - Throws: `.notFound`, `.invalidArgument`, `.shuttingDown`.
  public func trust(cluster name: String) throws(OrchestratorError) -> ClusterTrust {
    trust(try known(name))
  }

  /// The same of every cluster, in the order of their names.
  ///
  /// - Throws: `.shuttingDown`: what is known then is not all.
  public func trustOfAll() throws(OrchestratorError) -> [ClusterTrust] {
    try requireStarted()
    return journal.clusters().map(trust)
  }

  private func trust(_ cluster: ClusterRecord) -> ClusterTrust {
    ClusterTrust(
      cluster, rotation: journal.activeRotation(of: cluster),
      isOutdated: outdatedClusters.contains(cluster.name))
  }
}
