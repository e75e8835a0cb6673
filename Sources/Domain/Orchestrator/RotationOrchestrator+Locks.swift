import Rotation

extension RotationOrchestrator {
  /// Keeps the cluster, or a machine of it, from being changed until somebody unlocks it. A rotation that runs finishes
  /// and verifies what is in work, begins nothing more, and goes on where it was; none can be started.
  ///
  /// - Parameters:
  ///   - machine: nil: the cluster as a whole.
  ///   - reason: at most 1024 characters.
  ///   - requester: who asks; at most 256 characters.
  ///   - call: by which call, as the server's log has it; empty: by none.
  /// - Returns: the cluster with the lock. One that was locked before keeps that lock.
  /// - Throws: `.notFound`, `.machineNotFound`, `.invalidArgument`, `.journalUnavailable`.
  public func lock(
    cluster name: String, machine: String? = nil, reason: String = "", requester: String = "",
    call: String = ""
  ) async throws(OrchestratorError) -> ClusterRecord {
    let lock = Lock(requester: requester, lockedAt: clock.now(), reason: reason)
    return try await change(LockChange(machine: machine, lock: lock), of: name, by: call)
  }

  /// Ends a lock. Nothing happens where there is none.
  ///
  /// - Parameters:
  ///   - machine: nil: the cluster as a whole; the locks of its machines stay.
  ///   - call: by which call, as the server's log has it; empty: by none.
  /// - Throws: `.notFound`, `.machineNotFound`, `.invalidArgument`, `.journalUnavailable`.
  public func unlock(
    cluster name: String, machine: String? = nil, call: String = ""
  ) async throws(OrchestratorError) -> ClusterRecord {
    try await change(LockChange(machine: machine, lock: nil), of: name, by: call)
  }

  private func change(
    _ change: LockChange, of name: String, by call: String
  ) async throws(OrchestratorError) -> ClusterRecord {
    _ = try known(name) {
      if let machine = change.machine { $0.machine(machine) }
      $0.text(change.lock?.reason ?? "", "reason", limit: Arguments.reasonLimit)
      $0.text(change.lock?.requester ?? "", "requester", limit: Arguments.requesterLimit)
    }
    // A rotation may begin or end at the same moment: then look again, a few times.
    var last: OrchestratorError?
    for _ in 0..<8 {
      let cluster = try known(name)
      var changed = cluster
      // A lock outlives its machine, and can be ended all the same.
      guard
        change.machine.map({ id in
          cluster.locks.machines[id] != nil || cluster.machines.contains { $0.id == id }
        }) ?? true
      else {
        throw OrchestratorError(
          .machineNotFound,
          "'\(name)' has no machine named '\(change.machine ?? "")': list its machines to see their names",
          subject: name)
      }
      guard change.make(in: &changed.locks) else { return cluster }
      if journal.activeRotation(of: cluster) != nil {
        takeUp(name)
        if let run = runs[name]?.run, await run.give(.lock(change), by: call) == .done {
          return try known(name)
        }
        continue
      }
      do throws(StoreError) {
        changed.revision = try await commit(
          [.putCluster(changed, expected: cluster.revision)], cluster: name)
        return changed
      } catch {
        last = OrchestratorError(error, cluster: name)
        guard error.code == .conflict else { break }
      }
    }
    throw last
      ?? OrchestratorError(
        .journalConflict, "'\(name)' is being changed by somebody else at the moment: try again",
        subject: name)
  }
}
