import Orchestrator
import Rotation

/// One look at a machine: at what, and what for.
struct MachineLook: Sendable {
  var change: TrustChange
  var machine: Machine
  /// What was seen before the change of the stage; nil where nothing had to be seen.
  var baseline: Baseline?
  var access: ClusterAccess
  var occasion: Occasion

  enum Occasion: Sendable {
    /// Whether the next machine may begin.
    case turn
    /// Whether the stage is over.
    case gate
  }
}
