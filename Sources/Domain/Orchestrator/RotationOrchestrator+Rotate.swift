public import Rotation

extension RotationOrchestrator {
  /// Starts a rotation of the component, or attaches to the one that runs.
  ///
  /// Before anything is recorded the machines are asked whether the rotation can reach its end. Returns
  /// as soon as the rotation, with its new authority, is in the journal.
  ///
  /// - Parameters:
  ///   - component: nil, for one that is not known, is refused.
  ///   - dryRun: asks the machines what a start asks them, changes and records nothing.
  ///   - options: what the rotation is allowed beyond the usual. Where it attaches, what `RotationOptions.allowing` takes
  ///     counts from then on; the others are decided at the start, and the ticket says so.
  ///   - requestID: the same identifier again, on the same cluster, is given the first answer: the
  ///     same rotation, `attached` or not as it was then, with `answeredAt`. At most 128 characters; empty: no such
  ///     protection. Kept as long as the rotation is, of each rotation the first `RequestRecord.limit`. An order for
  ///     another component or cause is refused.
  ///   - reason: at most 1024 characters.
  ///   - cause: marks the cluster until everything is rotated that it needs. Where it attaches to a rotation that was
  ///     started for another cause, that one does not count.
  ///   - requester: who asks; at most 256 characters.
  ///   - call: by which call, as the server's log has it; empty: by none.
  /// - Throws: `.notFound`, `.invalidArgument`, `.anotherRotationInProgress`, `.locked`, `.notReady` with everything
  ///   that was found, whatever keeps the machines from being asked; `.journalUnavailable` (it is then not known whether it was started: ask again with the same
  ///   `requestID`), `.journalConflict`, `.journalDamaged`, `.tooManyRequests` for one that would attach.
  public func rotate(
    cluster name: String, component: SecretComponent?, dryRun: Bool = false,
    options: RotationOptions = RotationOptions(), requestID: String = "", reason: String = "",
    cause: RotationCause? = nil, requester: String = "", call: String = ""
  ) async throws(OrchestratorError) -> RotationTicket {
    let cluster = try known(name) {
      $0.component(component)
      $0.soak(options.soak)
      $0.workerLimit(options.workerLimit)
      $0.tryTimeout(options.tryTimeout)
      $0.leftOut(options.leftOut)
      $0.cause(cause, component)
      $0.text(requestID, "request_id", limit: Arguments.requestIDLimit)
      $0.text(reason, "reason", limit: Arguments.reasonLimit)
      $0.text(requester, "requester", limit: Arguments.requesterLimit)
    }
    guard let component else { throw .invalid("component", "must not be empty") }
    let order = RotationOrder(
      component: component, options: options, requestID: requestID, reason: reason,
      cause: cause, requester: requester, call: call)
    if dryRun { return try await rehearse(cluster, order) }
    // Somebody else may write at the same moment: then look again, a few times.
    for _ in 0..<4 {
      do throws(OrchestratorError) {
        return try await place(order, cluster: name)
      } catch {
        guard error.code == .journalConflict else { throw error }
      }
    }
    return try await place(order, cluster: name)
  }

  private func place(
    _ order: RotationOrder, cluster name: String
  ) async throws(OrchestratorError) -> RotationTicket {
    if let ticket = try await answered(order, cluster: name) { return ticket }
    let cluster = try known(name)
    guard let rotation = journal.activeRotation(of: cluster) else {
      // A second authority beside one that is not known any more would be the end of the cluster.
      guard cluster.activeRotation == nil else {
        throw OrchestratorError(
          .journalDamaged,
          "the journal lacks the rotation that is in progress for '\(name)': restore it from a backup",
          subject: name)
      }
      return try await begin(order, cluster)
    }
    try admit(order.component, beside: rotation)
    try await requireRoom(for: order, beside: rotation)
    takeUp(name)
    let unknown = try await allow(order.options, cluster: name, by: order.call)
    if let kind = order.mark(of: cluster, beside: rotation) {
      try await note(.mark(kind), on: cluster.name)
    }
    if let request = request(order, rotation, attached: true) {
      do throws(OrchestratorError) {
        try await record([.putRequest(request)], cluster: name)
      } catch {
        // Others have attached meanwhile.
        throw error.code == .tooManyRequests ? .tooManyRequests(name) : error
      }
    }
    var ticket = ticket(for: rotation, attached: true, machines: cluster.machines)
    ticket.notes += order.notes(beside: rotation) + unknown
    return ticket
  }

  /// Makes the new authority, records the rotation with it, and only then lets it begin.
  private func begin(
    _ order: RotationOrder, _ cluster: ClusterRecord
  ) async throws(OrchestratorError) -> RotationTicket {
    let name = cluster.name
    let old = try authority(order.component, of: cluster)
    let preflight = try await preflight(cluster, order)
    let id = settings.makeID()
    let new: SealedAuthority
    do throws(DriverError) {
      new = try await driver.makeAuthority(
        AuthorityBinding(cluster: name, component: order.component, rotation: id),
        earliestClock: preflight.earliestClock)
    } catch {
      throw OrchestratorError(error, cluster: name)
    }
    let now = clock.now()
    var options = order.options
    options.unready = options.allowUnready ? preflight.unready : []
    options.leftOut = preflight.leftOut
    let machine = RotationMachine(
      component: order.component, notes: preflight.notes(options), rules: settings.rules)
    let rotation = RotationRecord(
      id: id, cluster: name, ordinal: cluster.rotationCount + 1, component: order.component,
      old: old, new: new, state: machine.state, notes: machine.notes, reason: order.reason,
      cause: order.cause, requester: order.requester, call: order.call, options: options,
      startedAt: now, updatedAt: now)
    var claimed = cluster
    claimed.drop(endpoints: preflight.goneEndpoints)
    claimed.rotationCount = rotation.ordinal
    claimed.activeRotation = rotation.id
    if let kind = order.cause.flatMap({ ClusterMark.Kind(rawValue: $0.rawValue) }) {
      claimed.marks.add(
        kind, at: now, of: Set(cluster.authorities.keys), rotating: order.component)
    }
    var changes: [StoreChange] = [
      .putCluster(claimed, expected: cluster.revision), .putRotation(rotation, expected: 0),
    ]
    if let request = request(order, rotation, attached: false) {
      changes.append(.putRequest(request))
    }
    try await record(changes, cluster: name)
    takeUp(name)
    return ticket(
      for: journal.rotation(cluster: name) ?? rotation, attached: false,
      machines: cluster.machines)
  }

  private func authority(
    _ component: SecretComponent, of cluster: ClusterRecord
  ) throws(OrchestratorError) -> SealedAuthority {
    guard let authority = cluster.authorities[component] else {
      throw .lacking(component, in: cluster)
    }
    return authority
  }

  /// Asks the machines whether the rotation can reach its end.
  ///
  /// - Throws: `.notReady` if they show that it cannot.
  private func preflight(
    _ cluster: ClusterRecord, _ order: RotationOrder
  ) async throws(OrchestratorError) -> Preflight {
    _ = try authority(order.component, of: cluster)
    guard !cluster.marks.unclearComponents.contains(order.component) else {
      throw .unclear(order.component, in: cluster.name)
    }
    // Stores of 0.1.0 may hold one cluster under two names, and each would have a rotation of its own.
    if let twin = journal.twin(of: cluster, besides: cluster.name) {
      throw OrchestratorError(
        .clusterRefused,
        "'\(cluster.name)' is the same cluster as '\(twin)': forget one of the two (omnictl cluster forget), then rotate the "
          + "other", subject: cluster.name)
    }
    if let obstacle = cluster.locks.obstacle(cluster: cluster.name) {
      throw OrchestratorError(
        .locked, "the rotation of '\(cluster.name)' cannot be started: \(obstacle)",
        subject: cluster.name)
    }
    let access = try await access(cluster, lookingFor: order.options.leftOut)
    let preflight: Preflight
    do throws(DriverError) {
      preflight = try await away { driver async throws(DriverError) in
        try await driver.preflight(order.component, options: order.options, access: access)
      }
    } catch {
      throw OrchestratorError(error, cluster: cluster.name)
    }
    let obstacles = preflight.obstacles(order.options)
    guard obstacles.isEmpty else { throw .notReady(obstacles, cluster: cluster.name) }
    return preflight
  }

  /// - Throws: `.journalDamaged`, `.journalUnavailable` where machines are to be looked for and it cannot be read by which
  ///   authorities they may have lived.
  private func access(
    _ cluster: ClusterRecord, lookingFor leftOut: LeftOutMachines
  ) async throws(OrchestratorError) -> ClusterAccess {
    var access = access(cluster)
    guard !leftOut.isEmpty else { return access }
    do throws(StoreError) { access.retired = try await retired(of: cluster) } catch {
      throw .historyUnreadable(error, cluster: cluster.name)
    }
    return access
  }

  /// What would be done. While a rotation is under way that is what it does; the machines are in the
  /// midst of it, so they are not asked what a start asks.
  private func rehearse(
    _ cluster: ClusterRecord, _ order: RotationOrder
  ) async throws(OrchestratorError) -> RotationTicket {
    if let ticket = try await answered(order, cluster: cluster.name) { return ticket }
    let rotation = journal.activeRotation(of: cluster)
    if let rotation {
      try admit(order.component, beside: rotation)
      try await requireRoom(for: order, beside: rotation)
    }
    let preflight =
      rotation == nil
      ? try await preflight(cluster, order) : Preflight(machines: cluster.machines)
    return RotationTicket(
      status: try snapshot(cluster: cluster.name), attached: rotation != nil,
      plan: RotationTicket.plan(
        order.component, machines: preflight.machines,
        rollout: settings.rules.rollout(order.options)),
      notes: preflight.notes(order.options)
        + (order.cause?.remaining(beside: order.component, of: cluster) ?? [])
        + (rotation.map { order.notes(beside: $0) } ?? []) + (await hookNote()))
  }

  /// Who is asked before each stage, for a person.
  private func hookNote() async -> [String] {
    guard let hooks = settings.stageHooks else { return [] }
    let names = await hooks.names
    return names.isEmpty
      ? []
      : [
        "before each stage these hooks are asked, and may hold it: \(names.joined(separator: ", "))"
      ]
  }

  private func admit(
    _ component: SecretComponent, beside rotation: RotationRecord
  ) throws(OrchestratorError) {
    guard rotation.component != component else {
      guard rotation.state.stage?.direction != .backward else {
        throw OrchestratorError(
          .anotherRotationInProgress,
          "the rotation of the \(component.rawValue) of '\(rotation.cluster)' is going back to the old CA: ask again when "
            + "it is over (omnictl cluster -n \(rotation.cluster) secret rotate status); a machine that it waits for and that is "
            + "gone for good is left out with secret rotate abort --leave-out",
          subject: rotation.cluster)
      }
      return
    }
    throw OrchestratorError(
      .anotherRotationInProgress,
      "another rotation is already in progress for '\(rotation.cluster)': that of "
        + "\(rotation.component.rawValue); wait until it is over",
      subject: rotation.cluster)
  }

  private func record(
    _ changes: [StoreChange], cluster name: String
  ) async throws(OrchestratorError) {
    do throws(StoreError) { _ = try await commit(changes, cluster: name) } catch {
      throw OrchestratorError(error, cluster: name)
    }
  }

  func ticket(
    for rotation: RotationRecord, attached: Bool, machines: [Machine]
  ) -> RotationTicket {
    // The newest rotation is shown as the watches show it: with the same revision.
    let current = journal.hub.snapshot(cluster: rotation.cluster)
    return RotationTicket(
      status: current?.rotationID == rotation.id
        ? current ?? RotationSnapshot(rotation: rotation) : RotationSnapshot(rotation: rotation),
      attached: attached,
      plan: RotationTicket.plan(
        rotation.component, machines: machines, rollout: settings.rules.rollout(rotation.options)))
  }
}
