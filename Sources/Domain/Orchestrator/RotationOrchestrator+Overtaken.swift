import Rotation

/// A rotation whose record is older than the machines: its store was restored from a backup, or another omnid has gone on.
extension RotationOrchestrator {
  /// Ends the record of a rotation that the machines have overtaken, so that what they show can be taken up. Its new
  /// authority, which the machines issue from, becomes the cluster's, and no configuration is written.
  ///
  /// - Returns: the cluster without that rotation, and what to tell whoever asked; nil where the record is right, or the
  ///   machines cannot be asked.
  /// - Throws: `.journalUnavailable`, `.journalConflict`.
  func endOvertaken(
    _ order: AdoptionOrder, _ cluster: ClusterRecord
  ) async throws(OrchestratorError) -> (cluster: ClusterRecord, text: String)? {
    guard let rotation = journal.activeRotation(of: cluster) else { return nil }
    guard case .overtaken(rotation.component, _) = await look(cluster.name) else { return nil }
    let text =
      "the record of rotation \(rotation.id) was older than the machines (a restored backup, or another omnid): "
      + (order.dryRun ? "it would end as FAILED" : "it has ended as FAILED")
      + ", and what the machines show is taken up"
    guard !order.dryRun else { return (ended(cluster, rotation).cluster, text) }
    withdrawn.insert(cluster.name)
    defer { withdrawn.remove(cluster.name) }
    // It stays in the table while it is waited for, so that whoever else does the same waits too.
    if let run = runs[cluster.name] {
      run.task.cancel()
      await run.task.value
      runs[cluster.name] = nil
    }
    // The run may have come to another state before it ended.
    guard let now = journal.cluster(cluster.name), let last = journal.activeRotation(of: now),
      last.id == rotation.id, last.change(last.state.stage) == rotation.change(rotation.state.stage)
    else {
      resume(cluster.name)
      throw OrchestratorError(
        .journalConflict, "the rotation of '\(cluster.name)' is just ending: try again",
        subject: cluster.name)
    }
    var (next, failed) = ended(now, last)
    do throws(StoreError) {
      next.revision = try await commit(
        [
          .putCluster(next, expected: now.revision), .putRotation(failed, expected: last.revision),
        ], cluster: cluster.name)
    } catch {
      resume(cluster.name)
      throw OrchestratorError(error, cluster: cluster.name)
    }
    failed.revision = next.revision
    standings[cluster.name] = nil
    return (next, text)
  }

  /// Goes on with the rotation, which has not been ended after all.
  private func resume(_ name: String) {
    withdrawn.remove(name)
    takeUp(name)
  }

  private func ended(
    _ cluster: ClusterRecord, _ rotation: RotationRecord
  ) -> (cluster: ClusterRecord, rotation: RotationRecord) {
    var (cluster, rotation) = (cluster, rotation)
    let now = max(clock.now(), rotation.updatedAt)
    rotation.state = .failed(
      reason:
        "its record was older than the machines, as after a restored backup; what they showed was taken up"
    )
    rotation.updatedAt = now
    rotation.finishedAt = now
    cluster.activeRotation = nil
    cluster.predecessors[rotation.component] = rotation.old
    cluster.authorities[rotation.component] = rotation.new
    return (cluster, rotation)
  }
}
