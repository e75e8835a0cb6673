/// A Kubernetes node that no machine of the cluster answers for: another system's, or one whose
/// machine has no discovery.
public struct StrayNode: Sendable, Equatable {
  public var name: String
  public var address: String
  public var isReady: Bool

  public init(name: String, address: String, isReady: Bool = true) {
    self.name = name
    self.address = address
    self.isReady = isReady
  }
}

extension SimulatedCluster {
  /// The Kubernetes nodes that no machine answers for.
  public func setStrayNodes(_ nodes: [StrayNode]) async { await hub.setStrayNodes(nodes) }
}

extension ClusterHub {
  func setStrayNodes(_ nodes: [StrayNode]) {
    strayNodes = nodes
    for node in nodes { deletedNodes.remove(node.name) }
  }
}
