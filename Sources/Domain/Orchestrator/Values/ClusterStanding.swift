public import Rotation

/// Whether the record of a cluster is what its machines live by.
public enum ClusterStanding: Sendable, Hashable {
  case current
  /// The machines issue from another authority: the record is older than they are, as after a restored
  /// backup, or another tool has rotated.
  case outdated(SecretComponent, String)
  /// The machines are further than the record of the rotation that is under way: they issue from its new authority, and
  /// every control plane has been asked.
  case overtaken(SecretComponent, String)
  /// The machines could not be asked.
  case unknown(String)
}

extension ClusterStanding {
  /// Of which component the record is not what the machines live by, and why; nil where it is, or nobody knows.
  public var fault: (component: SecretComponent, reason: String)? {
    switch self {
    case .outdated(let component, let reason), .overtaken(let component, let reason):
      (component, reason)
    case .current, .unknown: nil
    }
  }
}
