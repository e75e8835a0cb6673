/// A cluster's state, as it was published to whoever watches. Shared, not copied, among them.
public final class RotationUpdate: Sendable {
  /// Where the update stands among all: greater than that of every update before it, and as a rule the snapshot's
  /// revision. It is greater than that where a state is learnt of late, which another orchestrator has written.
  public let position: UInt64
  public let snapshot: RotationSnapshot
  /// The position of the cluster's update before; 0 when there was none.
  public let previous: UInt64
  /// The machines that differ from the cluster's update before, whose rotation, stage, machines, notes and retiring
  /// credentials are the same;  /// nil: anything may differ.
  public let changed: Set<String>?

  init(
    position: UInt64, snapshot: RotationSnapshot, previous: UInt64 = 0,
    changed: Set<String>? = nil
  ) {
    self.position = position
    self.previous = previous
    self.snapshot = snapshot
    self.changed = changed
  }
}

/// How a watch ends that has nothing more to show.
public enum WatchEnding: Sendable, Equatable {
  /// Nothing that it watches is under way, and it was to stop then.
  case idle
  case failed(OrchestratorError)
}

/// What a watch begins with.
public struct WatchStart: Sendable, Equatable {
  /// The position of the newest update of what is watched.
  public var newest: UInt64
  /// How the watch ends once it has shown what is current; nil: it goes on.
  public var ending: WatchEnding?
}

/// Is told of everything that concerns watches, in the order in which it happens.
///
/// Every method is called under the lock of the watches: it must not block, nor ask the orchestrator anything.
/// An observer is told once, however many people it then tells.
public protocol RotationObserver: Sendable {
  /// A cluster has a newer state.
  ///
  /// - Parameter isAnyRunning: whether a rotation of any cluster is under way now.
  func published(_ update: RotationUpdate, isAnyRunning: Bool)
  /// A cluster has been forgotten: watches of it end with that error.
  func removed(cluster: String, _ error: OrchestratorError, isAnyRunning: Bool)
  /// A cluster's journal cannot be written: watches of it and of all clusters end with that error, because
  /// nothing else would ever come. A state that is not recorded is not shown.
  func failed(cluster: String, _ error: OrchestratorError)
  /// The orchestrator stops: every watch ends with that error.
  func closed(_ error: OrchestratorError)
}
