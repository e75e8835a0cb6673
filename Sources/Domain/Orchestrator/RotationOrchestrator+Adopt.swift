import Rotation

/// Taking over what somebody else has left half done.
extension RotationOrchestrator {
  /// Reads from the machines how far a rotation has come that another tool, or an omnid whose store is lost, has begun,
  /// and finishes it, or takes it back. No third authority is made.
  ///
  /// A component that cannot be told apart is left alone, put on record as such, and does not keep the other one from
  /// being taken over.
  ///
  /// A cluster that is not known is taken into care with it. One of which nothing was left half done stays as it is; where
  /// it is not known yet, it is imported. Of one whose rotation runs see `attached`.
  ///
  /// - Throws: `.notFound`, `.invalidArgument`, `.anotherRotationInProgress`, `.alreadyExists` for a cluster that is
  ///   known under another name, `.locked`, `.notReady`, `.clusterRefused` where neither way is open, what is asked for
  ///   or all that is left cannot be told apart, or the talosconfig is another cluster's, `.recordOutdated` where the
  ///   machines refuse what the record has, whatever keeps the machines from being asked, `.journalUnavailable`,
  ///   `.journalConflict`, `.journalDamaged`.
  public func adopt(_ order: AdoptionOrder) async throws(OrchestratorError) -> AdoptionTicket {
    try check(order)
    try requireStarted()
    // Somebody else may write at the same moment, such as a count of stale trust: then look again, a few times.
    for _ in 0..<4 {
      do throws(OrchestratorError) { return try await adopted(order) } catch {
        guard error.code == .journalConflict else { throw error }
      }
    }
    return try await adopted(order)
  }

  private func adopted(_ order: AdoptionOrder) async throws(OrchestratorError) -> AdoptionTicket {
    var known = journal.cluster(order.cluster)
    var overtaken = ""
    if let current = known, let note = try await endOvertaken(order, current) {
      overtaken = note.text
      known = note.cluster
    } else if let current = known, let ticket = try await attached(order, current) {
      return ticket
    }
    guard known != nil || order.access != nil else { throw .unknownToAdopt(order.cluster) }
    let id = settings.makeID()
    var retired = RetiredAuthorities()
    if let known { retired = try await readRetired(of: known) }
    let survey = try await survey(
      SurveyRequest(
        cluster: order.cluster, rotation: id, known: known, retired: retired, access: order.access,
        listing: order.listing, leftOut: order.options.leftOut))
    if let known { try requireSame(known, survey) }
    guard known == nil else {
      var ticket = try await decide(order, id, known, survey, retired)
      if !overtaken.isEmpty { ticket.notes.append(overtaken) }
      return ticket
    }
    let claim = try claim(survey.record, as: order.cluster)
    defer { claims.subtract(claim) }
    return try await decide(order, id, known, survey, retired)
  }

  private func check(_ order: AdoptionOrder) throws(OrchestratorError) {
    var arguments = Arguments()
    arguments.cluster(order.cluster)
    if let access = order.access {
      arguments.talosconfig(access.talosconfig)
      arguments.text(access.context ?? "", "context", limit: Arguments.contextLimit)
      arguments.endpoints(access.endpoints)
    }
    if let listing = order.listing { arguments.listing(listing) }
    arguments.workerLimit(order.options.workerLimit)
    arguments.leftOut(order.options.leftOut)
    arguments.soak(order.options.soak)
    arguments.text(order.reason, "reason", limit: Arguments.reasonLimit)
    arguments.text(order.requester, "requester", limit: Arguments.requesterLimit)
    try arguments.check()
  }

  /// What rotations of the cluster have retired.
  ///
  /// - Throws: `.journalUnavailable`, `.journalDamaged`.
  func readRetired(
    of cluster: ClusterRecord
  ) async throws(OrchestratorError) -> RetiredAuthorities {
    do throws(StoreError) { return try await retired(of: cluster) } catch {
      throw .historyUnreadable(error, cluster: cluster.name)
    }
  }

  /// - Throws: `.clusterRefused` where the machines that were asked are another cluster's.
  func requireSame(
    _ known: ClusterRecord, _ survey: SurveyedCluster
  ) throws(OrchestratorError) {
    guard !known.clusterID.isEmpty, !survey.record.clusterID.isEmpty,
      known.clusterID != survey.record.clusterID
    else { return }
    throw OrchestratorError(
      .clusterRefused,
      "the talosconfig is of another cluster than '\(known.name)': their cluster identifiers differ",
      subject: known.name)
  }

  func survey(_ request: SurveyRequest) async throws(OrchestratorError) -> SurveyedCluster {
    do throws(DriverError) {
      return try await away { driver async throws(DriverError) in
        try await driver.survey(request)
      }
    } catch {
      if request.access == nil, error.code == .unauthenticated {
        throw OrchestratorError(
          .recordOutdated,
          "the machines refuse what the record of '\(request.cluster)' has: take it over with a talosconfig "
            + "that works (omnictl cluster adopt \(request.cluster) --talosconfig FILE); \(error.message)",
          subject: request.cluster)
      }
      throw OrchestratorError(
        error, cluster: error.code == .invalidInput ? "talosconfig" : request.cluster)
    }
  }

  private func decide(
    _ order: AdoptionOrder, _ id: String, _ known: ClusterRecord?, _ survey: SurveyedCluster,
    _ retired: RetiredAuthorities
  ) async throws(OrchestratorError) -> AdoptionTicket {
    let name = order.cluster
    let unfinished = survey.unfinished.filter { found in
      (order.component.map { $0 == found.component } ?? true)
        && (!order.onlyHeals
          || retired.fingerprints[found.component]?.contains(found.old.fingerprint) == true)
    }
    let unclear = survey.unclear.first { order.component ?? $0.component == $0.component }
    if let unclear, unfinished.isEmpty { throw .unclear(unclear, cluster: name) }
    let left =
      survey.unclear.map { "\($0.text); nothing is done about it" }
      + survey.unfinished.filter { !unfinished.contains($0) }.map {
        "the rotation of the \($0.component.rawValue) is unfinished, and was not asked for"
      }
    var ticket = AdoptionTicket(
      status: nil, isAttached: false, unfinished: unfinished, unclear: survey.unclear,
      goesBack: false, notes: survey.warnings + left)
    guard let first = unfinished.first else {
      guard known != nil || left.isEmpty else {
        throw OrchestratorError(
          .clusterRefused, "'\(name)' cannot be imported: \(left.joined(separator: "; "))",
          subject: name)
      }
      if !order.dryRun {
        if let known {
          try await take(survey, of: known, order)
        } else {
          try await take(survey.record, into: name, nil)
        }
      }
      if journal.cluster(name) != nil { ticket.status = try snapshot(cluster: name) }
      return ticket
    }
    if first.component != .talosCA, let obstacle = survey.talosObstacle {
      throw OrchestratorError(
        .clusterRefused,
        "the rotation of the \(first.component.rawValue) of '\(name)' cannot be taken over before the talos-ca, by which "
          + "the machines are reached, is put right: \(obstacle)", subject: name)
    }
    ticket.goesBack = try first.way(order, cluster: name)
    let preflight = Preflight(
      machines: first.machines.map(\.machine), findings: survey.findings, notes: survey.warnings)
    let obstacles = preflight.obstacles(order.options)
    guard obstacles.isEmpty else { throw .notReady(obstacles, cluster: name) }
    ticket.notes = preflight.notes(order.options) + left
    if let obstacle = known?.locks.obstacle(cluster: name) {
      throw OrchestratorError(
        .locked, "the rotation of '\(name)' cannot be taken over: \(obstacle)", subject: name)
    }
    if order.dryRun {
      if known != nil { ticket.status = try snapshot(cluster: name) }
      return ticket
    }
    // Whoever asked may have left while the machines were asked: nothing is begun for nobody.
    guard !Task.isCancelled else {
      throw OrchestratorError(.shuttingDown, "the adoption was cancelled", subject: name)
    }
    let base = known ?? imported(survey.record, as: name)
    let (cluster, rotation) = records(order, id, first, ticket, base, survey)
    try await take(cluster, into: name, rotation)
    ticket.status = try snapshot(cluster: name)
    return ticket
  }

  private func imported(_ record: ClusterRecord, as name: String) -> ClusterRecord {
    var cluster = record
    cluster.name = name
    cluster.machines.sort(by: RolloutPolicy.precedes)
    cluster.importedAt = clock.now()
    cluster.activeRotation = nil
    cluster.rotationCount = 0
    cluster.revision = 0
    cluster.marks.add(.importing, at: cluster.importedAt, of: Set(cluster.authorities.keys))
    return cluster
  }

  /// Puts a cluster on record, with a rotation where one is taken over, and lets that begin.
  private func take(
    _ cluster: ClusterRecord, into name: String, _ rotation: RotationRecord?
  ) async throws(OrchestratorError) {
    let cluster = rotation == nil ? imported(cluster, as: name) : cluster
    var changes: [StoreChange] = [.putCluster(cluster, expected: cluster.revision)]
    if let rotation { changes.append(.putRotation(rotation, expected: 0)) }
    do throws(StoreError) { _ = try await commit(changes, cluster: name) } catch {
      throw OrchestratorError(error, cluster: name)
    }
    standings[name] = rotation == nil ? .current : nil
    takeUp(name)
  }

  /// Puts on record what a survey has shown of a cluster in which nothing is half done: the machines and the endpoints that a
  /// person has named anew, which components are clear, and the authority of one that could not be told apart before.
  private func take(
    _ survey: SurveyedCluster, of known: ClusterRecord, _ order: AdoptionOrder
  ) async throws(OrchestratorError) {
    var cluster = known
    if order.listing != nil {
      cluster.take(machines: survey.record.machines.sorted(by: RolloutPolicy.precedes))
      cluster.isListed = true
    }
    if order.access != nil { cluster.endpoints = survey.record.endpoints }
    cluster.drop(endpoints: survey.goneEndpoints)
    let now = clock.now()
    let unfinished = survey.unfinished.map(\.component)
    for (component, seen) in survey.record.authorities
    where cluster.authorities[component] == nil && !unfinished.contains(component) {
      cluster.authorities[component] = seen
      cluster.marks.add(.importing, at: now, of: Set(cluster.authorities.keys))
    }
    cluster.marks.setUnclear(Set(survey.unclear.map(\.component)), at: now)
    guard cluster != known else { return }
    do throws(StoreError) {
      _ = try await commit(
        [.putCluster(cluster, expected: cluster.revision)], cluster: cluster.name)
    } catch {
      throw OrchestratorError(error, cluster: cluster.name)
    }
  }
}

extension OrchestratorError {
  static func unclear(
    _ unclear: UnclearComponent, cluster: String
  ) -> OrchestratorError {
    OrchestratorError(.clusterRefused, "in '\(cluster)' \(unclear.text)", subject: cluster)
  }

  /// Without the history a CA that was leaked and retired would pass for one that was there before, and a machine that shows
  /// it for nobody's.
  static func historyUnreadable(
    _ error: StoreError, cluster: String
  ) -> OrchestratorError {
    let isDamaged = OrchestratorError(error).code == .journalDamaged
    return OrchestratorError(
      isDamaged ? .journalDamaged : .journalUnavailable,
      "the history of '\(cluster)', which tells which CAs were retired, cannot be read: \(error.message); "
        + (isDamaged
          ? "to try again is of no use; without a backup, forget the cluster (omnictl cluster forget \(cluster)), take it "
            + "over with a talosconfig (omnictl cluster adopt \(cluster) --talosconfig FILE), and rotate both CAs"
          : "try again"),
      subject: cluster)
  }

  fileprivate static func unknownToAdopt(_ cluster: String) -> OrchestratorError {
    OrchestratorError(
      .notFound,
      "no cluster named '\(cluster)': take it over with a talosconfig (omnictl cluster adopt \(cluster) "
        + "--talosconfig FILE), or list the clusters to see their names", subject: cluster)
  }
}
