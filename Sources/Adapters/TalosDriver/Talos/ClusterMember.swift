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

  var role: MachineRole { isControlPlane ? .controlPlane : .worker }

  /// The most addresses of a member that are looked at.
  static let addressLimit = 16

  /// All addresses that several control planes know of each machine, by its identity, each once.
  static func addresses(_ members: [ClusterMember]) -> [String: [String]] {
    members.reduce(into: [:]) { addresses, member in
      let known = addresses[member.identity] ?? []
      addresses[member.identity] = known + member.addresses.filter { !known.contains($0) }
    }
  }
}
