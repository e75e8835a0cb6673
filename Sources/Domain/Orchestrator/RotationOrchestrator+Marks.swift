import Rotation

extension RotationOrchestrator {
  /// Takes a mark off the cluster with which a person has dealt: one of which no rotation is left to do.
  ///
  /// - Parameter mark: its name, as in `leaked-secrets`.
  /// - Throws: `.notFound`, `.invalidArgument`, `.markPending` while something has to be rotated yet,
  ///   `.rotationInProgress`, `.journalUnavailable`. Nothing happens where there is no such mark.
  public func clearMark(
    _ mark: String, of name: String
  ) async throws(OrchestratorError) -> ClusterRecord {
    _ = try known(name) {
      if ClusterMark.Kind(rawValue: mark) == nil { $0.mark(mark) }
    }
    // Somebody else may write at the same moment: then look again, a few times.
    for _ in 0..<8 {
      do throws(OrchestratorError) { return try await clear(mark, of: name) } catch {
        guard error.code == .journalConflict else { throw error }
      }
    }
    return try await clear(mark, of: name)
  }

  /// Notes something of the cluster, also while a rotation runs, which does not deal with it.
  func note(_ note: ClusterNote, on name: String) async throws(OrchestratorError) {
    var last: OrchestratorError?
    for _ in 0..<8 {
      let cluster = try known(name)
      if journal.activeRotation(of: cluster) != nil {
        takeUp(name)
        if let run = runs[name]?.run, await run.give(.note(note)) == .done { return }
        continue
      }
      var changed = cluster
      changed.take(note, at: clock.now())
      do throws(StoreError) {
        _ = try await commit([.putCluster(changed, expected: cluster.revision)], cluster: name)
        return
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

  private func clear(
    _ mark: String, of name: String
  ) async throws(OrchestratorError) -> ClusterRecord {
    let cluster = try known(name)
    guard let found = cluster.marks.first(where: { $0.kind.rawValue == mark }) else {
      return cluster
    }
    guard found.pending.isEmpty else {
      throw OrchestratorError(
        .markPending,
        "the mark \(mark) of '\(name)' stays: \(found.explanation(cluster: name))", subject: name)
    }
    guard cluster.activeRotation == nil else {
      throw OrchestratorError(
        .rotationInProgress,
        "a rotation of '\(name)' is in progress: clear the mark when it is over",
        subject: name)
    }
    var changed = cluster
    changed.marks.removeAll { $0.kind == found.kind }
    do throws(StoreError) {
      changed.revision = try await commit(
        [.putCluster(changed, expected: cluster.revision)], cluster: name)
    } catch {
      throw OrchestratorError(error, cluster: name)
    }
    return changed
  }
}
