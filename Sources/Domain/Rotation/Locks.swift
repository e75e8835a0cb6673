/// Somebody keeps a cluster or a machine from being changed.
public struct Lock: Sendable, Hashable {
  /// Who.
  public var requester: String
  public var lockedAt: Instant
  /// Why, in that person's words; may be empty.
  public var reason: String

  public init(requester: String, lockedAt: Instant, reason: String) {
    self.requester = requester
    self.lockedAt = lockedAt
    self.reason = reason
  }
}

/// The locks of a cluster. They outlive rotations: only who unlocks ends them.
public struct Locks: Sendable, Hashable {
  /// Of the cluster as a whole.
  public var cluster: Lock?
  /// Of single machines, by name.
  public var machines: [String: Lock]

  public init(cluster: Lock? = nil, machines: [String: Lock] = [:]) {
    self.cluster = cluster
    self.machines = machines
  }

  public var isEmpty: Bool { cluster == nil && machines.isEmpty }

  /// Whether a machine's turn may not begin.
  public func hold(_ machine: String) -> Bool { cluster != nil || machines[machine] != nil }
}

extension Stage {
  /// The machines whose turn it is and whose locks alone keep the stage from going on, by name;
  /// empty while any machine is in work, or may begin.
  public func held(by locks: Locks) -> [String] {
    guard !locks.isEmpty, !machines.contains(where: { $0.state.turn == .inWork }) else { return [] }
    let isPlanes = machines.contains {
      $0.machine.role == .controlPlane && $0.state.turn != .done
    }
    let next = machines.filter {
      ($0.machine.role == .controlPlane) == isPlanes && $0.state.turn == .pending
    }
    return next.allSatisfy { locks.hold($0.machine.id) } ? next.map(\.machine.id) : []
  }
}

extension RotationMachine {
  /// Somebody has locked or unlocked the cluster or a machine.
  ///
  /// What is in work is finished: a lock keeps turns from beginning.
  public mutating func locksChanged(_ locks: Locks, at now: Instant) -> [Effect] {
    let wasLocked = self.locks.cluster != nil
    let isChanged = self.locks != locks
    self.locks = locks
    if let hold = state.hold { return wasLocked ? asking(hold.phase, after: .zero) : [] }
    guard case .rolling(var stage) = state else { return [] }
    // A lock may have lasted for hours.
    if isChanged { stage.confirmAgain() }
    return roll(stage, at: now)
  }
}
