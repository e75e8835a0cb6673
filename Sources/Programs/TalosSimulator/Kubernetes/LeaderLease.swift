/// The lease of a component that runs on every control plane and works on one of them
/// (`coordination.k8s.io/v1`, as client-go's leader election keeps it).
///
/// A holder that goes away stays in the lease until the lease has run out: only then does another
/// process take it, under its own identity.
struct LeaderLease: Sendable, Equatable {
  /// A process that holds the lease or would like to.
  struct Process: Sendable, Equatable {
    var node: String
    /// `NODE_uuid`; every start of the process makes another one.
    var identity: String
    /// The CA that a controller-manager publishes since it was started; nil for a scheduler.
    var issuing: PEMPair?
  }

  /// The processes that run, in the order they came up.
  private(set) var running: [Process] = []
  /// Who is named in the lease; may be away.
  private(set) var holder: Process?
  /// Counts the changes of the holder.
  private(set) var transitions = 0
  /// Nanoseconds since 1970 by the clock of the holder's machine.
  private(set) var acquired: Int64 = 0
  /// The last renewal of a holder that is away; nil while the holder runs and renews.
  private(set) var lastRenewal: Int64?

  /// Whether the holder runs.
  var isHeld: Bool { holder.map { running.contains($0) } ?? false }

  /// A process has started. It takes a lease that nobody has held yet, or that has run out.
  ///
  /// - Returns: whether it holds the lease now.
  mutating func started(_ process: Process, hasRunOut: Bool, now: Int64) -> Bool {
    running.removeAll { $0.node == process.node }
    running.append(process)
    guard holder == nil || (!isHeld && hasRunOut) else { return false }
    elect(process, now: now)
    return true
  }

  /// A process has ended. Returns whether it held the lease, which now has to run out.
  mutating func stopped(node: String, now: Int64) -> Bool {
    let wasHeld = isHeld
    running.removeAll { $0.node == node }
    guard wasHeld, !isHeld else { return false }
    lastRenewal = now
    return true
  }

  /// The lease of a holder that is away has run out: the process that has waited longest takes it.
  ///
  /// - Returns: whether somebody holds the lease now who did not before.
  mutating func ranOut(now: (String) -> Int64) -> Bool {
    guard !isHeld, let first = running.first else { return false }
    elect(first, now: now(first.node))
    return true
  }

  private mutating func elect(_ process: Process, now: Int64) {
    if holder != nil { transitions += 1 }
    holder = process
    acquired = now
    lastRenewal = nil
  }
}
