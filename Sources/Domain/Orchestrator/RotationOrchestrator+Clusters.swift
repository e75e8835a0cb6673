public import Rotation

extension RotationOrchestrator {
  /// Takes a cluster into care, from nothing but a talosconfig.
  ///
  /// - Parameters:
  ///   - name: 1 to 63 lower-case letters, digits and `-`, not at either end.
  ///   - context: the talosconfig's context; nil or empty: its current one.
  ///   - endpoints: addresses to dial instead of the context's own; empty: those.
  ///   - listing: the machines, where cluster discovery is off.
  ///   - leftOut: members that need not answer, because a person has said that they are gone.
  /// - Throws: `.alreadyExists` for the name, and for a cluster that is known under another one;
  ///   `.invalidArgument`, `.unsupportedVersion`, `.clusterUnreachable`, `.credentialsRefused`, `.clocksDisagree`,
  ///   `.accessDenied`, `.clusterRefused`, `.journalUnavailable`.
  public func importCluster(
    name: String, talosconfig: String, context: String? = nil, endpoints: [String] = [],
    listing: MachineListing? = nil, leftOut: LeftOutMachines = LeftOutMachines()
  ) async throws(OrchestratorError) -> DiscoveredCluster {
    var arguments = Arguments()
    arguments.cluster(name)
    arguments.talosconfig(talosconfig)
    arguments.text(context ?? "", "context", limit: Arguments.contextLimit)
    arguments.endpoints(endpoints)
    if let listing { arguments.listing(listing) }
    arguments.leftOut(leftOut)
    try arguments.check()
    try requireStarted()
    guard journal.cluster(name) == nil else { throw .taken(name) }
    var found: DiscoveredCluster
    do throws(DriverError) {
      let request = DiscoveryRequest(
        name: name, talosconfig: talosconfig, context: context == "" ? nil : context,
        endpoints: endpoints, listing: listing, leftOut: leftOut)
      found = try await away { driver async throws(DriverError) in
        try await driver.discover(request)
      }
    } catch {
      throw OrchestratorError(
        error, cluster: error.code == .invalidInput ? "talosconfig" : name)
    }
    // Whoever asked may have left while the machines were asked: nothing is recorded for nobody.
    guard !Task.isCancelled else {
      throw OrchestratorError(.shuttingDown, "the import was cancelled", subject: name)
    }
    var cluster = found.record
    cluster.name = name
    cluster.machines.sort(by: RolloutPolicy.precedes)
    cluster.importedAt = clock.now()
    cluster.activeRotation = nil
    cluster.rotationCount = 0
    cluster.marks.add(.importing, at: cluster.importedAt, of: Set(cluster.authorities.keys))
    let claim = try claim(cluster, as: name)
    defer { claims.subtract(claim) }
    do throws(StoreError) {
      cluster.revision = try await commit([.putCluster(cluster, expected: 0)], cluster: name)
    } catch {
      throw error.code == .conflict ? .taken(name) : OrchestratorError(error, cluster: name)
    }
    standings[name] = .current
    standingsSeenAt[name] = clock.uptime()
    found.record = cluster
    return found
  }

  /// Reserves a cluster that is about to be recorded, so that nobody records it under another name meanwhile: it would have
  /// two rotations at once.
  ///
  /// - Parameter isKnown: whether it is on record under that name already.
  /// - Returns: what has to be given back when the record is there, or is not to be.
  /// - Throws: `.alreadyExists` for a cluster that is known, or is just being recorded, under another name.
  func claim(
    _ cluster: ClusterRecord, as name: String, isKnown: Bool = false
  ) throws(OrchestratorError) -> Set<String> {
    if let twin = journal.twin(of: cluster, besides: isKnown ? name : nil) {
      throw .known(as: twin, wanted: name)
    }
    var claim = Set(cluster.authorities.values.map(\.fingerprint))
    if !cluster.clusterID.isEmpty { claim.insert(cluster.clusterID) }
    guard claims.isDisjoint(with: claim) else {
      throw OrchestratorError(
        .journalConflict,
        "the cluster that is to be '\(name)' is just being recorded by somebody else: try again",
        subject: name)
    }
    claims.formUnion(claim)
    return claim
  }

  /// - Throws: `.notFound`, `.invalidArgument`, `.shuttingDown`, `.journalUnavailable`, `.journalDamaged`.
  public func cluster(_ name: String) async throws(OrchestratorError) -> ClusterRecord {
    try Self.check(cluster: name)
    if let early = try await early(cluster: name) { return early }
    return try known(name)
  }

  /// How many clusters there are; 0 while the orchestrator does not run.
  ///
  /// - Parameter names: only these; nil: all.
  public func clusterCount(among names: Set<String>? = nil) -> Int {
    guard (try? requireStarted()) != nil else { return 0 }
    guard let names else { return journal.clusters().count }
    return names.count { journal.cluster($0) != nil }
  }

  /// Clusters in the order of their names.
  ///
  /// - Parameters:
  ///   - pageSize: 0 means 50; more than 1000 counts as 1000.
  ///   - pageToken: empty, or the `nextPageToken` of the page before.
  ///   - names: only these; nil: all.
  /// - Throws: `.invalidArgument`, `.shuttingDown`, `.journalUnavailable`, `.journalDamaged`.
  public func clusters(
    pageSize: Int = 0, pageToken: String = "", among names: Set<String>? = nil
  ) async throws(OrchestratorError) -> ClusterPage {
    let request = PageRequest(size: pageSize, token: pageToken, order: .name)
    var arguments = Arguments()
    arguments.page(request)
    try arguments.check()
    if names == nil, let early = try await early(page: request) { return early }
    try requireStarted()
    // One more than is shown, which tells whether there is another page.
    let clusters =
      if let names {
        Array(
          names.sorted().filter { $0 > request.after ?? "" }
            .compactMap { journal.cluster($0) }.prefix(request.limit + 1))
      } else {
        journal.clusters(after: request.after, limit: request.limit + 1)
      }
    return ClusterPage(clusters, request)
  }

  /// Forgets the cluster, its authorities and its history. Touches no machine.
  ///
  /// - Parameter force: also while a rotation is in progress, which then stands still where it is.
  /// - Returns: what cannot be had again, a line each; empty without `force`.
  /// - Throws: `.notFound`, `.invalidArgument`, `.rotationInProgress`, `.journalUnavailable`.
  @discardableResult
  public func forgetCluster(
    _ name: String, force: Bool = false
  ) async throws(OrchestratorError) -> [String] {
    var cluster = try known(name)
    guard cluster.activeRotation == nil || force else {
      throw OrchestratorError(
        .rotationInProgress,
        "a rotation of '\(name)' is in progress: wait until it is over, go back to the old CA "
          + "(secret rotate abort), or forget it with --force", subject: name)
    }
    withdrawn.insert(name)
    defer { withdrawn.remove(name) }
    if let run = runs[name] {
      run.task.cancel()
      await run.task.value
      runs[name] = nil
    }
    cluster = try known(name)
    // One may have been started while the last run was waited for.
    guard cluster.activeRotation == nil || force else {
      withdrawn.remove(name)
      takeUp(name)
      throw OrchestratorError(
        .rotationInProgress, "a rotation of '\(name)' has just been started", subject: name)
    }
    let lost = force ? Losses.lines(cluster, journal.activeRotation(of: cluster)) : []
    do throws(StoreError) {
      try await remove(cluster)
    } catch {
      withdrawn.remove(name)
      takeUp(name)
      throw OrchestratorError(error, cluster: name)
    }
    standings[name] = nil
    standingsSeenAt[name] = nil
    retiredAuthorities[name] = nil
    staleLooksDue[name] = nil
    return lost
  }

  /// Removes the cluster, also where its record has changed meanwhile in what forgetting does not ask about.
  private func remove(_ cluster: ClusterRecord) async throws(StoreError) {
    var cluster = cluster
    for _ in 0..<8 {
      do throws(StoreError) {
        _ = try await commit(
          [.removeCluster(cluster.name, expected: cluster.revision)], cluster: cluster.name)
        return
      } catch {
        guard error.code == .conflict, let now = journal.cluster(cluster.name),
          now.activeRotation == cluster.activeRotation, now.revision != cluster.revision
        else { throw error }
        cluster = now
      }
    }
    throw StoreError(.conflict, "'\(cluster.name)' is being changed by somebody else")
  }

  /// The cluster's secrets bundle, for tools that make configurations from one. Not while a rotation runs: a bundle
  /// names one authority of each kind, and whoever made configurations from it then would undo the rotation.
  ///
  /// - Throws: `.notFound`, `.invalidArgument`, `.rotationInProgress`, or what the driver met.
  public func secretsBundle(cluster name: String) async throws(OrchestratorError) -> String {
    let cluster = try known(name)
    guard cluster.activeRotation == nil else {
      throw OrchestratorError(
        .rotationInProgress,
        "a rotation of '\(name)' is in progress: its secrets change; export them when it is over",
        subject: name)
    }
    do throws(DriverError) {
      let access = access(cluster)
      return try await away { driver async throws(DriverError) in
        try await driver.secretsBundle(access)
      }
    } catch {
      throw OrchestratorError(error, cluster: name)
    }
  }
}
