extension SimulatedCluster {
  /// The address that one control plane holds for all of them; nil when the cluster has none.
  public var sharedAddress: String? { options.sharedAddress }

  /// Moves the shared address to a control plane, or away from all of them.
  ///
  /// The old holder stops answering there, with every connection that was open to it; the members'
  /// records follow.
  ///
  /// - Throws: `SimulatorError.options` when the cluster has no shared address or the machine is no
  ///   control plane, `.setup` when the address or port is taken.
  public func moveSharedAddress(to holder: SimulatedNode?) async throws {
    guard let address = options.sharedAddress else {
      throw SimulatorError.options("the cluster has no shared address")
    }
    if let holder, !holder.isControlPlane {
      throw SimulatorError.options("\(holder.name) is no control plane")
    }
    for node in nodes where node !== holder { await node.servers.giveUpShared() }
    if let holder { try await holder.servers.takeShared(address, for: holder) }
    await publishMembers()
  }

  /// The control plane that holds the shared address.
  public var sharedAddressHolder: SimulatedNode? { nodes.first { $0.servers.holdsShared } }

  /// Tells every machine the true members.
  func publishMembers() async {
    var list = nodes.map { node in
      ClusterMember(
        name: node.name, nodeID: node.nodeID, addresses: [node.address], type: node.type,
        apiServerPort: node.isControlPlane && !options.withoutKubernetes ? kubernetesPort : nil)
    }
    if let shared = options.sharedAddress,
      let index = nodes.firstIndex(where: { $0.servers.holdsShared })
    {
      list[index].addresses.append(shared)
      list[index].sortAddresses()
    }
    for node in nodes { await node.learnMembers(list) }
  }
}
