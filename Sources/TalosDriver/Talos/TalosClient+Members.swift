import Orchestrator
import Schema

extension TalosClient {
  /// The members of the cluster: control planes first, each role by name.
  func members() async throws(TalosFailure) -> [ClusterMember] {
    let specs = try await list(.members).map(\.spec)
    guard let members = ClusterMember.members(specs) else {
      throw .unusable(
        DriverError(.refused, "cluster discovery knows a member without a name or an address"))
    }
    return members
  }
}

extension ClusterMember {
  /// Nil if a member has no name or no address. A name that two machines share gets their address, so
  /// that it stays unique.
  static func members(_ specs: [Talos.MemberSpec]) -> [ClusterMember]? {
    var members: [ClusterMember] = []
    for spec in specs {
      let addresses = spec.addresses.compactMap { NetworkAddress.text($0.ip) }
      let name = spec.hostname.isEmpty ? spec.nodeID : spec.hostname
      guard !addresses.isEmpty, !name.isEmpty else { return nil }
      let isControlPlane =
        switch spec.machineType {
        case .initNode, .controlPlane: true
        case .worker: false
        default: spec.controlPlane != nil
        }
      members.append(
        ClusterMember(
          name: name, isControlPlane: isControlPlane,
          addresses: addresses.filter { !NetworkAddress.isV6($0) }
            + addresses.filter(NetworkAddress.isV6)))
    }
    let shared = Dictionary(grouping: members, by: \.name).filter { $0.value.count > 1 }
    for index in members.indices where shared[members[index].name] != nil {
      members[index].name += "@" + members[index].addresses[0]
    }
    return members.sorted { a, b in
      (a.isControlPlane ? 0 : 1, a.name) < (b.isControlPlane ? 0 : 1, b.name)
    }
  }
}
