public import Rotation

/// The machines of a cluster as a person names them, because cluster discovery is off and no machine knows the others.
///
/// The list says where to ask, and no more: each machine's identity, name and role are read from the machine itself, and
/// Kubernetes, where there is one, tells whether the list is complete.
public struct MachineListing: Sendable, Hashable {
  /// Where the Talos API of each control plane answers, without a port, which is that of the talosconfig. At least one.
  public var controlPlanes: [String]
  /// The same of the workers; these are reached through the control planes.
  public var workers: [String]

  public init(controlPlanes: [String], workers: [String] = []) {
    self.controlPlanes = controlPlanes
    self.workers = workers
  }

  /// The listing that a record stands for.
  public init(_ machines: [Machine]) {
    func addresses(_ role: MachineRole) -> [String] {
      machines.filter { $0.role == role }.map(\.address)
    }
    self.init(controlPlanes: addresses(.controlPlane), workers: addresses(.worker))
  }
}
