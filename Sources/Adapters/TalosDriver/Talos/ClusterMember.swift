import Rotation

/// A machine as cluster discovery knows it: what machines say of themselves, and so no proof.
struct ClusterMember: Sendable {
  /// The host name, which RFC 1123 allows.
  var name: String
  /// Further names under which the same machine is known.
  var aliases: [String] = []
  /// The node identity under which the machine is known to discovery.
  var identity: String
  var isControlPlane: Bool
  /// In the order of trying: IPv4 before IPv6, else as discovery has them.
  var addresses: [String]
  /// Where other control planes know it beside that: for asking whether it is there, and for nothing else.
  var otherAddresses: [String] = []

  var role: MachineRole { isControlPlane ? .controlPlane : .worker }

  /// The most addresses of a member that are looked at.
  static let addressLimit = 16

  /// The members as several control planes know them: each as the first of them has it that knows it, with the addresses of
  /// all. Control planes first, each role by name.
  static func merged(_ views: [[ClusterMember]]) -> [ClusterMember] {
    guard views.count > 1 else { return views.first ?? [] }
    var members: [ClusterMember] = []
    var positions: [String: Int] = [:]
    var names: Set<String> = []
    for member in views.joined() {
      if let position = positions[member.identity] {
        members[position].learn(member.addresses)
        continue
      }
      positions[member.identity] = members.count
      members.append(member)
      // Two views may have given one name to two machines.
      if !names.insert(member.name).inserted {
        members[members.count - 1].name += "@" + member.addresses[0]
      }
    }
    return members.sorted { a, b in
      (a.isControlPlane ? 0 : 1, a.name) < (b.isControlPlane ? 0 : 1, b.name)
    }
  }

  private mutating func learn(_ more: [String]) {
    for address in more
    where otherAddresses.count < Self.addressLimit
      && !(addresses + otherAddresses).contains(address)
    {
      otherAddresses.append(address)
    }
  }

  /// All addresses that several control planes know of each machine, by its identity, each once.
  static func addresses(_ members: [ClusterMember]) -> [String: [String]] {
    members.reduce(into: [:]) { addresses, member in
      let known = addresses[member.identity] ?? []
      addresses[member.identity] = known + member.addresses.filter { !known.contains($0) }
    }
  }
}
