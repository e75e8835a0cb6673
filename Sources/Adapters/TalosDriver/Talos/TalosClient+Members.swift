import Orchestrator
import Schema

extension TalosClient {
  /// The members of the cluster: control planes first, each role by name.
  func members() async throws(TalosFailure) -> [ClusterMember] {
    let specs = try await list(.members).map(\.spec)
    do throws(DriverError) {
      return try ClusterMember.members(specs)
    } catch { throw .unusable(error) }
  }
}

extension ClusterMember {
  /// Members that share an identity are one, with the addresses of all. A name that two machines share
  /// gets their address, so that it stays unique.
  ///
  /// - Throws: `.refused` for a member without a name, an identity or an address that can be one.
  static func members(_ specs: [Talos.MemberSpec]) throws(DriverError) -> [ClusterMember] {
    var members: [ClusterMember] = []
    var positions: [String: Int] = [:]
    for spec in specs {
      let member = try ClusterMember(spec)
      if let position = positions[member.identity] {
        members[position].join(member)
      } else {
        positions[member.identity] = members.count
        members.append(member)
      }
    }
    let shared = Dictionary(grouping: members, by: \.name).filter { $0.value.count > 1 }
    for index in members.indices where shared[members[index].name] != nil {
      members[index].name += "@" + members[index].addresses[0]
    }
    return members.sorted { a, b in
      (a.isControlPlane ? 0 : 1, a.name) < (b.isControlPlane ? 0 : 1, b.name)
    }
  }

  private init(_ spec: Talos.MemberSpec) throws(DriverError) {
    let shown = spec.nodeID.isEmpty ? spec.hostname : spec.nodeID
    func refusal(_ what: String) -> DriverError {
      DriverError(
        .refused, "cluster discovery knows a member (node id \(PeerText.clean(shown))) \(what)")
    }
    guard let identity = PeerText.identity(spec.nodeID) else {
      throw refusal("without a usable node id")
    }
    let text = spec.hostname.isEmpty ? spec.nodeID : spec.hostname
    guard let name = spec.hostname.isEmpty ? text : PeerText.hostName(text) else {
      throw refusal("whose name is no host name: \(PeerText.clean(text))")
    }
    let addresses = spec.addresses.prefix(Self.addressLimit).compactMap {
      NetworkAddress.text($0.ip)
    }
    guard !addresses.isEmpty else { throw refusal("without an address: \(name)") }
    let isControlPlane =
      switch spec.machineType {
      case .initNode, .controlPlane: true
      case .worker: false
      default: spec.controlPlane != nil
      }
    self.init(
      name: name, identity: identity, isControlPlane: isControlPlane,
      addresses: addresses.filter { !NetworkAddress.isV6($0) }
        + addresses.filter(NetworkAddress.isV6))
  }

  /// Takes over what another record of the same machine knows.
  private mutating func join(_ other: ClusterMember) {
    // The first name in order, so that every look gives the same.
    let names = Set([name, other.name] + aliases).sorted()
    name = names[0]
    aliases = Array(names.dropFirst())
    isControlPlane = isControlPlane || other.isControlPlane
    addresses += other.addresses.filter { !addresses.contains($0) }
  }
}
