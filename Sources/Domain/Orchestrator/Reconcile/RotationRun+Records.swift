import Rotation

extension RotationRun {
  /// The records as they are to be, and the changes that make them so.
  func commit(
    _ options: RotationOptions, _ spent: Duration, locking locked: String?,
    noting note: ClusterNote?, by call: String, count: StaleTrustCount?, at now: Instant
  ) -> (next: (cluster: ClusterRecord, rotation: RotationRecord), changes: [StoreChange]) {
    var rotation = rotation
    var cluster = cluster
    cluster.locks = machine.locks
    if let note { cluster.take(note, at: max(now, rotation.lateMoment)) }
    rotation.state = machine.state
    rotation.notes = machine.notes
    rotation.options = options
    if !call.isEmpty { rotation.call = call }
    rotation.elapsed += spent
    rotation.updatedAt = max(now, rotation.updatedAt)
    if let stage = machine.state.stage { cluster.take(machines: stage.machines.map(\.machine)) }
    if machine.state.isFinal {
      rotation.finishedAt = rotation.updatedAt
      cluster.activeRotation = nil
    }
    // One that was taken over may have had the new authority on record before.
    if case .aborted(_, _?) = machine.state {
      cluster.authorities[rotation.component] = rotation.old
    }
    if case .succeeded = machine.state {
      cluster.authorities[rotation.component] = rotation.new
      cluster.predecessors[rotation.component] = nil
      // The key of an authority that another tool has made was elsewhere.
      if !rotation.isAdopted {
        cluster.marks.rotated(rotation.component, begunAt: rotation.startedAt)
      }
      cluster.returned.removeAll { $0.component == rotation.component }
      cluster.beginStaleTrust(after: rotation, count: count)
    }
    let before = self.rotation
    var shown = rotation.state.stage?.changedMachines(since: before.state.stage)
    if let locked { shown?.insert(locked) }
    var changes: [StoreChange] = [
      .putRotation(rotation, expected: before.revision, machines: shown)
    ]
    if cluster != self.cluster {
      changes.append(.putCluster(cluster, expected: self.cluster.revision))
    }
    if machine.state.isFinal, rotation.ordinal > settings.historyLimit {
      changes.append(
        .pruneRotations(
          cluster: cluster.name, before: rotation.ordinal - settings.historyLimit + 1))
    }
    return ((cluster, rotation), changes)
  }
}
