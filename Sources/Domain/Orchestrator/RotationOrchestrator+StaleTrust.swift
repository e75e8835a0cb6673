import Rotation

/// Who goes on with what the last rotations have retired, counted until nobody is left.
extension RotationOrchestrator {
  /// Counts for one cluster, where somebody is left or nobody has counted yet.
  func countStaleTrust(_ name: String) async {
    guard let cluster = journal.cluster(name), cluster.activeRotation == nil,
      cluster.staleTrust.contains(where: { !$0.isSettled }),
      clock.uptime() >= staleLooksDue[name] ?? .zero
    else { return }
    let begun = clock.uptime()
    var counts: [SecretComponent: StaleTrustCount] = [:]
    for stale in cluster.staleTrust where !stale.isSettled {
      // Of a cluster that cannot be asked the last count stands.
      counts[stale.component] = try? await driver.staleTrust(stale, access: access(cluster))
    }
    // A cluster of many pods is asked less often: a count is to be a small part of its API servers' work.
    staleLooksDue[name] = clock.uptime() + (clock.uptime() - begun) * 20
    guard !Task.isCancelled, let now = journal.cluster(name), now.activeRotation == nil,
      now.rotationCount == cluster.rotationCount
    else { return }
    var changed = now
    for index in changed.staleTrust.indices {
      guard let count = counts[changed.staleTrust[index].component],
        count != changed.staleTrust[index].count
      else { continue }
      changed.staleTrust[index].count = count
      changed.staleTrust[index].countedAt = clock.now()
    }
    guard changed != now else { return }
    // Where somebody else writes at the same moment the next count comes soon.
    _ = try? await commit([.putCluster(changed, expected: now.revision)], cluster: name)
  }
}
