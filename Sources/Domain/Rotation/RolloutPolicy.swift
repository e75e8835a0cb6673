/// In which order the machines take their turn in a stage.
///
/// In every stage: the control planes one at a time, all of them; only then the workers, several at
/// a time. A worker's certificates and accepted CAs come from whichever control plane's trustd
/// answers it, so a worker that is changed before the last control plane may be handed the past.
/// Within a role the order is that of the names, but control planes whose processes lead the cluster go last:
/// when another one is changed, the lead stays where it is. Nobody is skipped: a machine that does not come through
/// keeps its turn, so at most one control plane, or `workerLimit` workers, can ever be in a state that was not
/// verified.
public struct RolloutPolicy: Sendable, Hashable {
  /// How many workers are in work at once; at least 1.
  public var workerLimit: Int

  public init(workerLimit: Int = 10) {
    self.workerLimit = max(1, workerLimit)
  }

  /// How far a machine is, as far as the order is concerned.
  public enum Turn: Sendable, Hashable, CaseIterable {
    /// Not begun.
    case pending
    /// Begun and not verified: being changed, being verified, or waited for.
    case inWork
    case done
  }

  /// The machines to begin now, in order.
  ///
  /// - Parameters:
  ///   - machines: every machine of the stage, in any order.
  ///   - locks: whose turn does not begin. The others take theirs: a locked control plane keeps the workers
  ///     waiting, a locked worker nobody.
  ///   - leaders: the names of the control planes that go last, in this order. Only the order depends on it; other
  ///     names in it mean nothing.
  public func next(
    _ machines: [(machine: Machine, turn: Turn)], locks: Locks = Locks(), leaders: [String] = []
  ) -> [Machine] {
    guard locks.cluster == nil else { return [] }
    let controlPlanes = machines.filter { $0.machine.role == .controlPlane }
    if controlPlanes.contains(where: { $0.turn != .done }) {
      // One that joined while workers were in work takes its turn first; no further worker begins.
      guard !controlPlanes.contains(where: { $0.turn == .inWork }) else { return [] }
      // Of several at one place the first by name.
      let first = pending(controlPlanes, locks).min { place($0, leaders) < place($1, leaders) }
      return first.map { [$0] } ?? []
    }
    let workers = machines.filter { $0.machine.role == .worker }
    let busy = workers.count { $0.turn == .inWork }
    return Array(pending(workers, locks).prefix(max(0, workerLimit - busy)))
  }

  private func place(_ machine: Machine, _ leaders: [String]) -> Int {
    leaders.lastIndex(of: machine.id) ?? -1
  }

  private func pending(
    _ machines: [(machine: Machine, turn: Turn)], _ locks: Locks
  ) -> [Machine] {
    machines.filter { $0.turn == .pending && !locks.hold($0.machine.id) }.map(\.machine)
      .sorted(by: RolloutPolicy.precedes)
  }

  /// The order in which machines are shown: control planes, then workers; each by name.
  public static func precedes(_ a: Machine, _ b: Machine) -> Bool {
    if a.role != b.role { return a.role == .controlPlane }
    return a.id < b.id
  }
}
