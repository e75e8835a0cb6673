/// What is rotated: one of a cluster's root certificate authorities.
///
/// The raw values are the words used on the command line.
public enum SecretComponent: String, Sendable, Hashable, CaseIterable {
  /// The CA of the Talos machine API (`machine.ca`): apid, trustd and every talosconfig.
  case talosCA = "talos-ca"
  /// The CA of Kubernetes (`cluster.ca`): API servers, kubelets and every kubeconfig.
  case kubernetesCA = "kubernetes-ca"
}

/// The three stages of a rotation, in the order in which they are run.
///
/// A stage is finished only when every machine has been verified in it and the cluster as a whole
/// has passed the gate after it.
public enum RotationPhase: Int, Sendable, Hashable, CaseIterable, Comparable {
  /// Every machine learns to trust the new CA; the old one still issues.
  case preRotate = 1
  /// Every machine issues from the new CA; the old one is still trusted.
  case rotate = 2
  /// Every machine forgets the old CA.
  case postRotate = 3

  /// The stage that follows, or nil after the last.
  public var next: RotationPhase? { RotationPhase(rawValue: rawValue + 1) }

  /// The stage before, or nil before the first.
  public var previous: RotationPhase? { RotationPhase(rawValue: rawValue - 1) }

  /// The name people see: `PRE_ROTATE`, `ROTATE` or `POST_ROTATE`.
  public var name: String {
    switch self {
    case .preRotate: "PRE_ROTATE"
    case .rotate: "ROTATE"
    case .postRotate: "POST_ROTATE"
    }
  }

  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// Which way a stage is walked: into it, or back out of it.
public enum RotationDirection: Sendable, Hashable, CaseIterable {
  /// The stage is carried out.
  case forward
  /// The stage is undone: each machine returns to what it held before the stage.
  case backward
}

/// What a machine is in its cluster.
public enum MachineRole: String, Sendable, Hashable, CaseIterable {
  case controlPlane = "control-plane"
  case worker
}

/// One machine of a cluster, as far as a rotation has to know it.
public struct Machine: Sendable, Hashable {
  /// The host name: unique within the cluster, and the order in which machines take their turn.
  public var id: String
  /// The IP address at which apid answers, without a port.
  public var address: String
  public var role: MachineRole
  /// The TCP port of apid; 50000 on every real machine.
  public var port: Int
  /// The node identity that the machine itself shows (`Identities.cluster.talos.dev`): random, kept over
  /// reboots, lost when the machine is wiped. It tells whether the one that answers at an address is
  /// the one that was meant. Empty where it is not known: in records of release 0.1.0.
  public var identity: String

  public init(
    id: String, address: String, role: MachineRole, port: Int = 50000, identity: String = ""
  ) {
    self.id = id
    self.address = address
    self.role = role
    self.port = port
    self.identity = identity
  }
}
