import Rotation
import Synchronization

/// The store, seen by everybody in the orchestrator: one commit at a time, and a mirror of what is
/// in it. What has been committed is published to the watches, in the order of the commits, before
/// the next commit begins; so revisions only ever rise for whoever watches.
final class Journal: Sendable {
  let store: any RotationStore
  let hub: WatchHub
  private let turnstile = Turnstile()
  private let mirror = Mutex(Mirror())

  private struct Mirror {
    private(set) var clusters: [String: ClusterRecord] = [:]
    /// The clusters' names, in order.
    private(set) var names: [String] = []
    /// The newest rotation of each cluster.
    var rotations: [String: RotationRecord] = [:]
    /// The commit of which it is not known whether it was made.
    var doubtful: [StoreChange]?

    init(_ clusters: [ClusterRecord] = [], _ rotations: [RotationRecord] = []) {
      self.clusters = Dictionary(uniqueKeysWithValues: clusters.map { ($0.name, $0) })
      names = self.clusters.keys.sorted()
      self.rotations = Dictionary(uniqueKeysWithValues: rotations.map { ($0.cluster, $0) })
    }

    /// - Parameter cluster: nil when there is none of that name.
    mutating func set(_ cluster: ClusterRecord?, _ name: String) {
      let known = clusters[name]
      clusters[name] = cluster
      let index = firstIndex { $0 >= name }
      if known == nil, cluster != nil { names.insert(name, at: index) }
      if known != nil, cluster == nil { names.remove(at: index) }
      if cluster == nil { rotations[name] = nil }
    }

    /// The first name in order that is so; all after it have to be.
    func firstIndex(_ isSo: (String) -> Bool) -> Int {
      var (low, high) = (0, names.count)
      while low < high {
        let middle = (low + high) / 2
        if isSo(names[middle]) { high = middle } else { low = middle + 1 }
      }
      return low
    }
  }

  init(store: any RotationStore, hub: WatchHub) {
    self.store = store
    self.hub = hub
  }

  /// Reads what is there.
  func open() async throws(StoreError) {
    try await turnstile.pass { () async throws(StoreError) in
      let contents = try await store.load()
      let mirror = Mirror(contents.clusters, contents.rotations)
      self.mirror.withLock { $0 = mirror }
      hub.open(
        revision: contents.revision,
        snapshots: contents.clusters.map {
          RotationSnapshot(cluster: $0, rotation: mirror.rotations[$0.name])
        })
    }
  }

  // MARK: - Reading

  func cluster(_ name: String) -> ClusterRecord? { mirror.withLock { $0.clusters[name] } }

  /// The name under which the same cluster is known already: one with its Talos CA, also as a CA that a
  /// rotation is replacing or bringing, or with its cluster identifier.
  func twin(of cluster: ClusterRecord, besides own: String? = nil) -> String? {
    let fingerprint = cluster.authorities[.talosCA]?.fingerprint
    return mirror.withLock { mirror in
      mirror.names.first { name in
        guard name != own, let other = mirror.clusters[name] else { return false }
        let rotation = mirror.rotations[name].flatMap { rotation in
          rotation.component == .talosCA && rotation.id == other.activeRotation ? rotation : nil
        }
        let known = [
          other.authorities[.talosCA]?.fingerprint, rotation?.old.fingerprint,
          rotation?.new.fingerprint,
        ]
        return (fingerprint != nil && known.contains(fingerprint))
          || (!cluster.clusterID.isEmpty && cluster.clusterID == other.clusterID)
      }
    }
  }

  /// Clusters in the order of their names, from the first one after `name` on.
  func clusters(after name: String? = nil, limit: Int = .max) -> [ClusterRecord] {
    mirror.withLock { mirror in
      let start = name.map { name in mirror.firstIndex { $0 > name } } ?? 0
      return mirror.names[start...].prefix(limit).compactMap { mirror.clusters[$0] }
    }
  }

  /// The newest rotation of the cluster.
  func rotation(cluster: String) -> RotationRecord? { mirror.withLock { $0.rotations[cluster] } }

  /// The rotation that is under way.
  func activeRotation(of cluster: ClusterRecord) -> RotationRecord? {
    guard let id = cluster.activeRotation, let rotation = rotation(cluster: cluster.name),
      rotation.id == id
    else { return nil }
    return rotation
  }

  /// What the rotations of the cluster that are over have retired.
  ///
  /// - Throws: where the history cannot be read; `.corrupt` names the row that is damaged.
  func retired(of cluster: ClusterRecord) async throws(StoreError) -> RetiredAuthorities {
    var retired = RetiredAuthorities()
    var before: UInt64?
    while true {
      // A few at a time, because a rotation of many machines is large and others wait for the store.
      let rotations = try await store.rotations(cluster: cluster.name, before: before, limit: 4)
      retired.add(RetiredAuthorities(of: cluster, rotations))
      guard let last = rotations.last, rotations.count == 4 else { return retired }
      before = last.ordinal
    }
  }

  // MARK: - Writing

  /// Makes all changes or none, then publishes them. See `RotationStore.commit`.
  ///
  /// After `.unavailable` the commit is in doubt. Nothing else is committed before it is known what
  /// became of it; making the same commit again finds out, and does not do it twice.
  func commit(_ changes: [StoreChange]) async throws(StoreError) -> Revision {
    try await turnstile.pass { () async throws(StoreError) in
      if let (settled, revision) = try await settle(), settled == changes { return revision }
      do throws(StoreError) {
        let revision = try await store.commit(changes)
        adopt(changes, revision: revision)
        return revision
      } catch {
        if error.code == .unavailable { mirror.withLock { $0.doubtful = changes } }
        throw error
      }
    }
  }

  /// Finds out what became of a commit that was in doubt.
  func resolve() async throws(StoreError) {
    try await turnstile.pass { () async throws(StoreError) in _ = try await settle() }
  }

  /// The changes that were in doubt and their revision, if they have been made after all.
  private func settle() async throws(StoreError) -> ([StoreChange], Revision)? {
    guard let changes = mirror.withLock({ $0.doubtful }) else { return nil }
    let revision = try await revision(of: changes)
    mirror.withLock { $0.doubtful = nil }
    guard let revision else { return nil }
    adopt(changes, revision: revision)
    return (changes, revision)
  }

  /// The revision at which the changes stand in the store; nil when they do not.
  private func revision(of changes: [StoreChange]) async throws(StoreError) -> Revision? {
    for change in changes {
      switch change {
      case .putCluster(let wanted, _):
        guard let stored = try await store.cluster(wanted.name) else { return nil }
        return stored.differsOnlyInRevision(from: wanted) ? stored.revision : nil
      case .putRotation(let wanted, _, _):
        guard let stored = try await store.rotation(wanted.id) else { return nil }
        return stored.differsOnlyInRevision(from: wanted) ? stored.revision : nil
      case .putRequest(let wanted):
        guard let stored = try await store.request(wanted.id, cluster: wanted.cluster),
          stored == wanted
        else { return nil }
        return hub.revision
      case .removeCluster(let name, _):
        return try await store.cluster(name) == nil ? hub.revision : nil
      case .pruneRotations:
        continue
      }
    }
    return nil
  }

  /// Reads one cluster again, after a commit that ended in doubt or a conflict.
  func refresh(_ name: String) async throws(StoreError) {
    try await turnstile.pass { () async throws(StoreError) in
      let cluster = try await store.cluster(name)
      let rotation = try await store.rotations(cluster: name, before: nil, limit: 1).first
      mirror.withLock {
        $0.rotations[name] = rotation
        $0.set(cluster, name)
      }
      if let cluster {
        hub.publish(RotationSnapshot(cluster: cluster, rotation: rotation))
      } else {
        hub.remove(cluster: name)
      }
    }
  }

  private func adopt(_ changes: [StoreChange], revision: Revision) {
    var touched: Set<String> = []
    /// By cluster, the machines that have changed, where nothing else needs to be looked at.
    var machinesChanged: [String: Set<String>] = [:]
    /// Clusters of which a credential has been handed out.
    var handedOut: Set<String> = []
    let snapshots = mirror.withLock { mirror -> [RotationSnapshot] in
      for change in changes {
        switch change {
        case .putCluster(var cluster, _):
          cluster.revision = revision
          if mirror.clusters[cluster.name]?.credentials != cluster.credentials {
            handedOut.insert(cluster.name)
          }
          mirror.set(cluster, cluster.name)
          touched.insert(cluster.name)
        case .putRotation(var rotation, let expected, let machines):
          rotation.revision = revision
          let before = mirror.rotations.updateValue(rotation, forKey: rotation.cluster)
          if before?.id == rotation.id, before?.revision == expected, !rotation.state.isFinal,
            before?.notes == rotation.notes
          {
            machinesChanged[rotation.cluster] = machines
          }
          touched.insert(rotation.cluster)
        case .removeCluster(let name, _):
          mirror.set(nil, name)
          touched.insert(name)
        case .pruneRotations, .putRequest:
          break
        }
      }
      return touched.sorted().compactMap { name in
        mirror.clusters[name].map {
          RotationSnapshot(cluster: $0, rotation: mirror.rotations[name])
        }
      }
    }
    hub.advance(to: revision)
    for snapshot in snapshots {
      let changed =
        handedOut.contains(snapshot.cluster) ? nil : machinesChanged[snapshot.cluster]
      hub.publish(snapshot, changed: changed)
    }
    for name in touched where !snapshots.contains(where: { $0.cluster == name }) {
      hub.remove(cluster: name)
    }
  }
}

extension ClusterRecord {
  fileprivate func differsOnlyInRevision(from other: ClusterRecord) -> Bool {
    var copy = self
    copy.revision = other.revision
    return copy == other
  }
}

extension RotationRecord {
  fileprivate func differsOnlyInRevision(from other: RotationRecord) -> Bool {
    var copy = self
    copy.revision = other.revision
    return copy == other
  }
}
