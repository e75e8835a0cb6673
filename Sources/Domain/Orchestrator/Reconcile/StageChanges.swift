import Rotation

extension Stage {
  /// The machines whose progress differs from what it was earlier in the same stage; nil when the stage is another one,
  /// or has other machines.
  func changedMachines(since earlier: Stage?) -> Set<String>? {
    guard let earlier, earlier.phase == phase, earlier.machines.count == machines.count else {
      return nil
    }
    var changed: Set<String> = []
    for (before, now) in zip(earlier.machines, machines) {
      guard before.machine.id == now.machine.id else { return nil }
      if before != now { changed.insert(now.machine.id) }
    }
    return changed
  }
}
