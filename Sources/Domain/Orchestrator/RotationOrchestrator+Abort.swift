public import Rotation

extension RotationOrchestrator {
  /// Aborts the cluster's rotation: at once where it has touched no machine, else by going back to the old
  /// authority, which is possible until POST_ROTATE has begun on the first machine.
  ///
  /// Returns when the way back is on record. A change that is on its way to a machine is waited for.
  ///
  /// - Parameters:
  ///   - rotationID: the rotation that is meant; empty: the one that runs.
  ///   - leftOut: machines that are not waited for from now on.
  ///   - requester: who asks; at most 256 characters.
  ///   - call: by which call, as the server's log has it; empty: by none.
  /// - Returns: how the rotation ended, or that it goes back.
  /// - Throws: `.notFound`, `.invalidArgument`, `.noRotation`, `.authorityRetired`, `.journalUnavailable`.
  public func abort(
    cluster name: String, rotationID: String = "", leftOut: LeftOutMachines = LeftOutMachines(),
    requester: String = "", call: String = ""
  ) async throws(OrchestratorError) -> RotationSnapshot {
    let cluster = try known(name) {
      $0.text(rotationID, "rotation_id", limit: Arguments.requestIDLimit)
      $0.leftOut(leftOut)
      $0.text(requester, "requester", limit: Arguments.requesterLimit)
    }
    if let rotation = journal.activeRotation(of: cluster), rotation.isAdopted,
      !rotation.old.hasKey || cluster.authorities[rotation.component] == rotation.new
    {
      let why =
        rotation.old.hasKey ? "has expired, was retired, or is refused already" : "has no key here"
      throw OrchestratorError(
        .authorityRetired,
        "the rotation of '\(name)' cannot be aborted: it was taken over from somebody else, and the old CA "
          + "\(rotation.old.fingerprint.prefix(12)) \(why); let it go on to its end", subject: name)
    }
    if let rotation = journal.activeRotation(of: cluster) { try requireWayBack(rotation) }
    let run = try run(of: cluster, rotationID)
    try requireRoom(for: RotationOptions(leftOut: leftOut), cluster: name)
    switch await run.give(.abort(requester: requester), by: call) {
    case .done:
      // A rotation that goes on leaves nobody out for an abort that is refused.
      _ = try await allow(RotationOptions(leftOut: leftOut), cluster: name, by: call)
      return try snapshot(cluster: name)
    case .retired(let machines):
      throw OrchestratorError(
        .authorityRetired,
        "the rotation of '\(name)' cannot be aborted any more: \(machines.abbreviated) refuses the old CA, or "
          + "may; let it go on to its end, then start another rotation if the new CA has to go too",
        subject: name)
    case .ended, .notSoaking, .outdated: throw .noRotation(name, wanted: rotationID)
    }
  }

  /// How long the old authority has to be good for yet, because a way back takes its time.
  private static let shortestWayBack = Duration.seconds(3600)

  /// A rotation that has touched a machine goes back to the old authority, and where that has expired nobody would accept
  /// what the machines show then.
  private func requireWayBack(_ rotation: RotationRecord) throws(OrchestratorError) {
    guard let stage = rotation.state.stage, stage.reversal == nil,
      stage.phase != .preRotate || stage.machines.contains(where: \.mayHoldChange),
      let end = driver.describe(rotation.old)?.notAfter,
      end <= clock.now().advanced(by: Self.shortestWayBack)
    else { return }
    let what =
      end <= clock.now()
      ? "has expired on \(end), and nobody accepts what the machines would go back to"
      : "ends on \(end), and machines that had gone back to it would accept nobody then"
    throw OrchestratorError(
      .authorityRetired,
      "the rotation of '\(rotation.cluster)' cannot be aborted: the old CA \(rotation.old.fingerprint.prefix(12)) "
        + "\(what); let the rotation go on to its end",
      subject: rotation.cluster)
  }

  /// Ends the wait before POST_ROTATE that a rotation was started with (`RotationOptions.soak`).
  ///
  /// - Parameters:
  ///   - rotationID: the rotation that is meant; empty: the one that runs.
  ///   - requester: who asks; at most 256 characters.
  ///   - call: by which call, as the server's log has it; empty: by none.
  /// - Throws: `.notFound`, `.invalidArgument`, `.noRotation`, `.notSoaking`, `.journalUnavailable`.
  public func goOn(
    cluster name: String, rotationID: String = "", requester: String = "", call: String = ""
  ) async throws(OrchestratorError) -> RotationSnapshot {
    let cluster = try known(name) {
      $0.text(rotationID, "rotation_id", limit: Arguments.requestIDLimit)
      $0.text(requester, "requester", limit: Arguments.requesterLimit)
    }
    let run = try run(of: cluster, rotationID)
    switch await run.give(.goOn(requester: requester), by: call) {
    case .done: return try snapshot(cluster: name)
    case .notSoaking, .retired, .outdated:
      throw OrchestratorError(
        .notSoaking,
        "the rotation of '\(name)' does not wait to be continued: only one started with a soak does, after ROTATE",
        subject: name)
    case .ended: throw .noRotation(name, wanted: rotationID)
    }
  }

  /// Allows the rotation that runs more, if anything.
  ///
  /// - Returns: what to tell of machines that are to be left out and that nobody knows.
  /// - Throws: `.invalidArgument` for more machines to leave out than a rotation is told of; `.journalUnavailable`,
  ///   `.journalDamaged` where the history cannot be read by which they are looked for: the word could not be taken back.
  func allow(
    _ more: RotationOptions, cluster name: String, by call: String
  ) async throws(OrchestratorError) -> [String] {
    if !more.leftOut.isEmpty, let cluster = journal.cluster(name) {
      _ = try await readRetired(of: cluster)
    }
    guard more != RotationOptions(), let run = runs[name]?.run,
      let rotation = journal.rotation(cluster: name)
    else { return [] }
    let machines =
      rotation.state.stage?.machines.map(\.machine) ?? journal.cluster(name)?.machines ?? []
    var more = more
    let unknown = more.leftOut.beyond(machines)
    more.leftOut = more.leftOut.bound(to: machines)
    try requireRoom(for: more, cluster: name)
    _ = await run.give(.allow(more), by: call)
    return unknown.map {
      "\($0): no machine of the rotation is known by that name or node id; it counts if discovery names one"
    }
  }

  private func requireRoom(
    for more: RotationOptions, cluster name: String
  ) throws(OrchestratorError) {
    let options = journal.rotation(cluster: name)?.options ?? RotationOptions()
    guard options.allowing(more).leftOut.names.count <= LeftOutMachines.limit else {
      throw .invalid(
        "leave_out", "a rotation leaves out no more than \(LeftOutMachines.limit) machines")
    }
  }

  /// What carries the rotation out. A run that has ended without its rotation's end (the journal was somebody else's)
  /// is begun again.
  private func run(
    of cluster: ClusterRecord, _ rotationID: String
  ) throws(OrchestratorError) -> RotationRun {
    guard let rotation = journal.activeRotation(of: cluster),
      rotationID.isEmpty || rotation.id == rotationID
    else { throw .noRotation(cluster.name, wanted: rotationID) }
    takeUp(cluster.name)
    guard let run = runs[cluster.name]?.run else {
      throw .noRotation(cluster.name, wanted: rotationID)
    }
    return run
  }
}

extension OrchestratorError {
  fileprivate static func noRotation(_ cluster: String, wanted id: String) -> OrchestratorError {
    OrchestratorError(
      .noRotation,
      id.isEmpty
        ? "no rotation of '\(cluster)' is in progress"
        : "the rotation \(id.bounded(to: 64)) of '\(cluster)' is not in progress",
      subject: cluster)
  }
}
