import Rotation

/// A machine as cluster discovery knows it.
struct ClusterMember {
  var name: String
  var isControlPlane: Bool
  /// In the order of trying: IPv4 before IPv6, else as discovery has them.
  var addresses: [String]

  var role: MachineRole { isControlPlane ? .controlPlane : .worker }
}
