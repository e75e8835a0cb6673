public import Rotation

extension RotationOrchestrator {
  /// What the records of a cluster show to be told, the earliest first: of its newest rotation, and of the cluster itself.
  ///
  /// - Parameters:
  ///   - expiries: when the authorities on record expire, as far as that is known.
  ///   - history: the older rotations that had not ended then are looked at too; nil: the newest alone is.
  /// - Throws: `.notFound`, `.shuttingDown`; `.journalUnavailable` where the history cannot be read.
  public func events(
    cluster name: String, expiries: [SecretComponent: Instant] = [:], since history: Instant? = nil
  ) async throws(OrchestratorError) -> [ClusterEvent] {
    let cluster = try known(name)
    var rotations = journal.rotation(cluster: name).map { [$0] } ?? []
    // Whatever came before the newest one had ended when that began.
    if let history, let newest = rotations.first, newest.startedAt >= history {
      rotations += try await ended(of: name, before: newest.ordinal, since: history)
    }
    return ClusterEvent.all(
      of: cluster, rotations: rotations, expiries: expiries,
      isOutdated: outdatedClusters.contains(name), at: clock.now())
  }

  private func ended(
    of name: String, before ordinal: UInt64, since history: Instant
  ) async throws(OrchestratorError) -> [RotationRecord] {
    var found: [RotationRecord] = []
    var before = ordinal
    while true {
      let page: [RotationRecord]
      do throws(StoreError) {
        // A few at a time, because a rotation of many machines is large.
        page = try await journal.store.rotations(cluster: name, before: before, limit: 4)
      } catch {
        throw OrchestratorError(error, cluster: name)
      }
      found += page.filter { ($0.finishedAt ?? $0.updatedAt) >= history }
      guard let last = page.last, page.count == 4,
        (last.finishedAt ?? last.updatedAt) >= history
      else { return found }
      before = last.ordinal
    }
  }
}
