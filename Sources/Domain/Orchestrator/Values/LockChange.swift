import Rotation

/// Somebody locks or unlocks the cluster, or a machine of it.
struct LockChange: Sendable, Hashable {
  /// Nil: the cluster as a whole.
  var machine: String?
  /// Nil: it is unlocked.
  var lock: Lock?

  /// Makes the change. A lock that stands stays as it is: who locked first, when and why is not overwritten by who
  /// comes later. False: nothing has changed.
  func make(in locks: inout Locks) -> Bool {
    let before = locks
    if let machine {
      locks.machines[machine] = lock == nil ? nil : before.machines[machine] ?? lock
    } else {
      locks.cluster = lock == nil ? nil : before.cluster ?? lock
    }
    return locks != before
  }
}
