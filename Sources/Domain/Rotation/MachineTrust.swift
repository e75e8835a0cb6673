/// What one machine holds of a component that somebody else has begun to rotate.
public struct MachineTrust: Sendable, Hashable {
  public enum Standing: String, Sendable, Hashable, CaseIterable {
    /// It issues from the old authority and accepts that alone: as before PRE_ROTATE.
    case before
    /// It issues from the old authority and accepts both: as after PRE_ROTATE.
    case prepared
    /// It issues from the new authority and accepts both: as after ROTATE.
    case rotated
    /// It issues from the new authority and accepts that alone: as after POST_ROTATE.
    case finished
    /// What no stage leaves behind: it does not accept what it issues from, or issues from a third authority.
    case irregular
  }

  public var machine: Machine
  public var standing: Standing
  /// The fingerprint of the authority in its configuration; empty where there is none.
  public var issuing: String
  /// The fingerprints of what it accepts, by its configuration or in use; sorted.
  public var accepted: [String]

  public init(machine: Machine, standing: Standing, issuing: String, accepted: [String]) {
    self.machine = machine
    self.standing = standing
    self.issuing = issuing
    self.accepted = accepted
  }
}
