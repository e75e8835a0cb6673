import Rotation

/// Whether retired authorities stay away. While a rotation is under way its own looks find them.
extension RotationOrchestrator {
  /// Looks at every cluster again and again, a few at a time.
  func guardAgainstDrift(every interval: Duration) async {
    while !Task.isCancelled {
      guard (try? await clock.sleep(for: interval)) != nil else { return }
      await withTaskGroup(of: Void.self) { group in
        var rest = journal.clusters().map(\.name)[...]
        for name in rest.prefix(Self.looksAtOnce) {
          group.addTask { await self.look(at: name) }
        }
        rest = rest.dropFirst(Self.looksAtOnce)
        while await group.next() != nil {
          guard !Task.isCancelled, let name = rest.popFirst() else { continue }
          group.addTask { await self.look(at: name) }
        }
      }
    }
  }

  private func look(at name: String) async {
    // While a rotation is under way its own looks tell whom it waits for.
    if journal.cluster(name)?.activeRotation == nil { await look(name) }
    await lookForRetired(name)
    await countStaleTrust(name)
  }

  private static let looksAtOnce = 8

  /// Looks for retired authorities in the configurations of one cluster's machines, and puts on record what has changed.
  func lookForRetired(_ name: String) async {
    guard let cluster = journal.cluster(name), cluster.activeRotation == nil,
      let retired = try? await retired(of: cluster), !retired.isEmpty
    else { return }
    let sightings = await driver.sightings(of: retired, access: access(cluster))
    // A rotation may have begun or ended meanwhile: what was seen is out of date then.
    guard !Task.isCancelled, let now = journal.cluster(name), now.activeRotation == nil,
      now.rotationCount == cluster.rotationCount
    else { return }
    var changed = now
    changed.returned = now.returned(after: sightings, at: clock.now())
    guard changed.returned != now.returned else { return }
    // Where somebody else writes at the same moment the next look comes soon.
    _ = try? await commit([.putCluster(changed, expected: now.revision)], cluster: name)
  }

  /// What the rotations of a cluster have retired.
  ///
  /// - Throws: where the history cannot be read; `.corrupt` names the row that is damaged.
  func retired(of cluster: ClusterRecord) async throws(StoreError) -> RetiredAuthorities {
    guard cluster.rotationCount > 0 else { return RetiredAuthorities() }
    // What a rotation that is under way retires is not known before it is over.
    if cluster.activeRotation == nil, let known = retiredAuthorities[cluster.name],
      known.rotationCount == cluster.rotationCount
    {
      return known.retired
    }
    let retired = try await journal.retired(of: cluster)
    if cluster.activeRotation == nil {
      retiredAuthorities[cluster.name] = (cluster.rotationCount, retired)
    }
    return retired
  }
}
