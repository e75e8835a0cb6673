import Rotation

/// Taking over while a rotation runs: the rotation is attached to. What another tool has rotated meanwhile of the component
/// that the rotation leaves alone goes on record, because the rotation could not reach its end without it: it asks the
/// machines by the Talos CA on record, and compares them with the Kubernetes nodes by the Kubernetes CA on record.
extension RotationOrchestrator {
  /// The rotation that is under way; nil where none is.
  ///
  /// - Throws: `.rotationInProgress` for a wish to go back, `.anotherRotationInProgress` for one for the other component that
  ///   nobody has rotated elsewhere, `.clusterRefused` where the other component is half done elsewhere or cannot be told apart,
  ///   and what `adopt` throws.
  func attached(
    _ order: AdoptionOrder, _ cluster: ClusterRecord
  ) async throws(OrchestratorError) -> AdoptionTicket? {
    guard cluster.activeRotation != nil else { return nil }
    let rotation = journal.activeRotation(of: cluster)
    let isOther = rotation.map { order.component ?? $0.component != $0.component } ?? false
    var ticket = AdoptionTicket(
      status: nil, isAttached: true, unfinished: [], goesBack: false, notes: [])
    if let rotation, !order.goesBack, !order.onlyHeals,
      order.component == nil || isOther
    {
      try await followOther(order, cluster, rotation, &ticket)
    }
    if let rotation, isOther, ticket.unfinished.isEmpty {
      throw OrchestratorError(
        .anotherRotationInProgress,
        "a rotation of the \(rotation.component.rawValue) of '\(cluster.name)' is in progress: wait until it is over",
        subject: cluster.name)
    }
    guard !order.goesBack else {
      throw OrchestratorError(
        .rotationInProgress,
        "a rotation of '\(cluster.name)' is in progress: omnictl cluster -n \(cluster.name) secret rotate "
          + "abort takes it back", subject: cluster.name)
    }
    if !order.dryRun {
      takeUp(cluster.name)
      ticket.notes += try await allow(order.options, cluster: cluster.name, by: order.call)
    }
    ticket.status = try snapshot(cluster: cluster.name)
    return ticket
  }

  /// Looks at what the machines hold of the component that the rotation leaves alone, and lets the rotation go on with it.
  private func followOther(
    _ order: AdoptionOrder, _ cluster: ClusterRecord, _ rotation: RotationRecord,
    _ ticket: inout AdoptionTicket
  ) async throws(OrchestratorError) {
    let name = cluster.name
    // A cluster without Kubernetes has one component.
    guard let component = SecretComponent.allCases.first(where: { $0 != rotation.component }),
      let current = cluster.authorities[component]
    else { return }
    let retired = try await readRetired(of: cluster)
    let survey: SurveyedCluster
    do throws(OrchestratorError) {
      survey = try await self.survey(
        SurveyRequest(
          cluster: name, rotation: rotation.id, known: cluster, retired: retired,
          access: order.access, listing: order.listing,
          leftOut: rotation.options.allowing(order.options).leftOut,
          running: rotation.change(rotation.state.stage)))
    } catch {
      guard isReplaced(component, of: name) else {
        ticket.notes.append(
          "whether the \(component.rawValue) was rotated elsewhere meanwhile could not be asked: \(error.message)"
        )
        return
      }
      throw error
    }
    try requireSame(cluster, survey)
    if let unclear = survey.unclear.first(where: { $0.component == component }) {
      guard order.component == nil, cluster.marks.unclearComponents.contains(component) else {
        throw .unclear(unclear, cluster: name)
      }
      ticket.notes.append("\(unclear.text); nothing is done about it")
      return
    }
    guard let found = survey.unfinished.first(where: { $0.component == component }),
      let seen = survey.record.authorities[component]
    else { return }
    guard found.new.fingerprint != current.fingerprint,
      found.machines.contains(where: {
        $0.machine.role == .controlPlane && $0.issuing != current.fingerprint
      })
    else {
      // The control planes issue from what is on record, so that nothing keeps the rotation from its end.
      ticket.notes.append(
        "a rotation of the \(component.rawValue) is unfinished, and is left alone until that of the "
          + "\(rotation.component.rawValue) is over (then: omnictl cluster -n \(name) secret rotate adopt)"
      )
      return
    }
    try found.requireEnd(of: seen, beside: rotation.component, cluster: name)
    if let obstacle = cluster.locks.obstacle(cluster: name) {
      throw OrchestratorError(
        .locked, "the \(component.rawValue) of '\(name)' cannot be taken over: \(obstacle)",
        subject: name)
    }
    var next = cluster
    next.follow(seen, at: clock.now())
    let claim = try claim(next, as: name, isKnown: true)
    defer { claims.subtract(claim) }
    ticket.unfinished = [found]
    ticket.notes += survey.warnings + [found.note(isDone: !order.dryRun, rotation, cluster: name)]
    guard !order.dryRun else { return }
    // Whoever asked may have left while the machines were asked.
    guard !Task.isCancelled else {
      throw OrchestratorError(.shuttingDown, "the adoption was cancelled", subject: name)
    }
    takeUp(name)
    let rotated = RotatedElsewhere(
      authority: seen, before: current.fingerprint,
      note:
        "the \(component.rawValue) was rotated elsewhere meanwhile: CA \(seen.fingerprint.prefix(12)) is on record "
        + "instead of \(current.fingerprint.prefix(12))")
    guard let run = runs[name]?.run, await run.give(.follow(rotated), by: order.call) == .done
    else {
      throw OrchestratorError(
        .journalConflict,
        "the rotation of '\(name)' has just ended, or its record has changed: try again",
        subject: name)
    }
    standings[name] = nil
  }

  /// Whether the machines are known to have another authority of the component: then it is no answer that they could not
  /// be asked.
  private func isReplaced(_ component: SecretComponent, of name: String) -> Bool {
    if case .outdated(component, _)? = standings[name] { return true }
    return false
  }
}

extension UnfinishedRotation {
  /// - Parameter seen: what would go on record.
  /// - Throws: `.clusterRefused` unless every machine issues from the new authority and accepts that alone.
  fileprivate func requireEnd(
    of seen: SealedAuthority, beside running: SecretComponent, cluster: String
  ) throws(OrchestratorError) {
    let what = "the \(component.rawValue) of '\(cluster)' was rotated elsewhere"
    func refusal(_ reason: String) -> OrchestratorError {
      OrchestratorError(
        .clusterRefused,
        "\(what), and cannot be taken over while the \(running.rawValue) is being rotated: \(reason); the rotation of the "
          + "\(running.rawValue) stays as it is", subject: cluster)
    }
    let behind = machines.filter {
      $0.standing != .finished || $0.accepted != [new.fingerprint]
    }
    guard behind.isEmpty, seen.fingerprint == new.fingerprint else {
      let names = behind.prefix(3).map { trust in
        let others = trust.accepted.filter { $0 != new.fingerprint }.prefix(2)
          .map { String($0.prefix(12)) }
        return trust.machine.id
          + (others.isEmpty ? "" : " (accepts \(others.joined(separator: ", ")))")
      }
      let more = behind.count > 3 ? " and \(behind.count - 3) more" : ""
      throw refusal(
        "it is half done on \(names.joined(separator: ", "))\(more), which do not go by the new CA "
          + "\(new.fingerprint.prefix(12)) alone; let that tool finish, or take its rotation back with it, then adopt again"
      )
    }
    if let finishObstacle { throw refusal(finishObstacle) }
  }

  /// What whoever has asked is told.
  fileprivate func note(isDone: Bool, _ running: RotationRecord, cluster: String) -> String {
    "the \(component.rawValue) was rotated elsewhere to its end: the new CA \(new.fingerprint.prefix(12)) "
      + (isDone ? "is" : "would be")
      + " on record, and the rotation of the \(running.component.rawValue) "
      + (isDone ? "goes on with it" : "would go on with it")
      + "; when that is over, omnictl cluster -n \(cluster) secret rotate adopt proves that no machine accepts the old CA "
      + "\(old.fingerprint.prefix(12))"
  }
}
