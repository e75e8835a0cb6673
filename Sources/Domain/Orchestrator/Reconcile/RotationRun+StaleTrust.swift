import Rotation

extension RotationRun {
  /// How long the first count may take.
  private static let countLimit = Duration.seconds(5)

  /// Who goes on with what the rotation has retired, counted just before its end is put on record: the status of a
  /// rotation that is over would else change a moment later. Nil where it has not succeeded, and where the cluster does
  /// not answer in time.
  func firstCount() async -> StaleTrustCount? {
    guard settings.driftInterval != nil, case .succeeded = machine.state,
      cluster.authorities[.kubernetesCA] != nil
    else { return nil }
    var known = cluster
    known.authorities[rotation.component] = rotation.new
    let stale = StaleTrust(
      component: rotation.component, rotation: rotation.id, changedBy: clock.now())
    let (driver, clock, access) = (driver, clock, ClusterAccess(cluster: known))
    return await withTaskGroup(of: StaleTrustCount?.self) { group in
      group.addTask { try? await driver.staleTrust(stale, access: access) }
      group.addTask {
        try? await clock.sleep(for: Self.countLimit)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
  }
}
