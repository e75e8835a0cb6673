import Rotation

extension RotationOrchestrator {
  /// How the cluster's rotation stands: the one under way, else the last one, else `.idle`.
  ///
  /// - Throws: `.notFound`, `.invalidArgument`, `.shuttingDown`, `.journalUnavailable`, `.journalDamaged`.
  public func status(cluster name: String) async throws(OrchestratorError) -> RotationSnapshot {
    try await status(of: try await cluster(name))
  }

  /// The same, for a cluster that has been read.
  public func status(of cluster: ClusterRecord) async throws(OrchestratorError) -> RotationSnapshot
  {
    if let early = try await early(status: cluster) { return early }
    return try snapshot(cluster: cluster.name)
  }

  /// The same, as the journal has it.
  func snapshot(cluster name: String) throws(OrchestratorError) -> RotationSnapshot {
    try requireStarted()
    guard let snapshot = journal.hub.snapshot(cluster: name) else { throw .unknown(name) }
    return snapshot
  }

  /// Watches one cluster, or all: the present state first, then every newer one.
  ///
  /// - Parameters:
  ///   - cluster: nil or empty: all clusters, those that are imported later too.
  ///   - afterRevision: the last revision that has been seen; states that are not newer are left
  ///     out. 0: everything is new.
  ///   - stopWhenIdle: ends the watch once nothing is under way, after the last state.
  /// - Throws: `.notFound`; `.invalidArgument` for a revision that lies ahead of the journal.
  public nonisolated func watch(
    cluster: String? = nil, afterRevision: Revision = 0, stopWhenIdle: Bool = false
  ) throws(OrchestratorError) -> RotationWatch {
    let cluster = cluster == "" ? nil : cluster
    if let cluster { try Self.check(cluster: cluster) }
    return RotationWatch(
      subscription: try journal.hub.subscribe(
        cluster: cluster, afterRevision: afterRevision, stopWhenIdle: stopWhenIdle))
  }

  /// The revision that the journal has reached.
  public nonisolated var revision: Revision { journal.hub.revision }

  /// Tells the observer from now on of everything that concerns watches.
  public nonisolated func observe(_ observer: any RotationObserver) { journal.hub.add(observer) }

  /// Begins a watch for somebody whom an observer tells of changes; the arguments are those of `watch`.
  ///
  /// - Parameter join: makes the watch. Nothing changes between what it is given and what the observer is told next.
  ///   Called under the lock of the watches: see `RotationObserver`.
  /// - Throws: as `watch` does; `.shuttingDown`.
  public nonisolated func beginWatch<Watch>(
    cluster: String? = nil, afterRevision: Revision = 0, stopWhenIdle: Bool = false,
    _ join: (WatchStart) -> Watch
  ) throws(OrchestratorError) -> Watch {
    if let cluster { try Self.check(cluster: cluster) }
    return try journal.hub.admit(
      cluster: cluster, afterRevision: afterRevision, stopWhenIdle: stopWhenIdle, join)
  }

  static func check(cluster: String) throws(OrchestratorError) {
    var arguments = Arguments()
    arguments.cluster(cluster)
    try arguments.check()
  }

  /// The cluster's present state as an update; nil where there is none, and while the orchestrator does not
  /// run: `status` says why.
  public nonisolated func current(cluster: String) -> RotationUpdate? {
    journal.hub.current(cluster: cluster)
  }

  /// The present state of every cluster, or of one, that is newer than a position: the oldest first.
  ///
  /// - Parameter position: a revision, or the position of an update.
  public nonisolated func changed(
    after position: UInt64, cluster: String? = nil, limit: Int
  ) -> [RotationUpdate] {
    journal.hub.changed(after: position, cluster: cluster, limit: limit)
  }

  /// The cluster's rotations, the newest first, the one under way among them. The newest
  /// `OrchestratorSettings.historyLimit` are kept.
  ///
  /// - Parameters:
  ///   - pageSize: 0 means 50; more than 1000 counts as 1000.
  ///   - pageToken: empty, or the `nextPageToken` of the page before.
  /// - Throws: `.notFound`, `.invalidArgument`, `.journalUnavailable`.
  public func history(
    cluster name: String, pageSize: Int = 0, pageToken: String = ""
  ) async throws(OrchestratorError) -> RotationPage {
    let request = PageRequest(size: pageSize, token: pageToken, order: .ordinal)
    _ = try known(name) { $0.page(request) }
    let size = request.limit
    var rotations: [RotationRecord]
    do throws(StoreError) {
      rotations = try await journal.store.rotations(
        cluster: name, before: request.ordinal, limit: size + 1)
    } catch {
      throw OrchestratorError(error, cluster: name)
    }
    let more = rotations.count > size
    rotations = Array(rotations.prefix(size))
    return RotationPage(
      rotations: rotations.map { RotationSnapshot(rotation: $0) },
      nextPageToken: more
        ? rotations.last.map { PageRequest.token(after: $0.ordinal) } ?? "" : ""
    )
  }
}
