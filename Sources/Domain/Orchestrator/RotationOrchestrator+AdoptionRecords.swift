import Rotation

extension RotationOrchestrator {
  /// What is put on record of a rotation that is taken over, and of its cluster.
  ///
  /// - Parameters:
  ///   - ticket: says which way it goes.
  ///   - base: the cluster as it is on record, or as it is imported.
  func records(
    _ order: AdoptionOrder, _ id: String, _ found: UnfinishedRotation, _ ticket: AdoptionTicket,
    _ base: ClusterRecord, _ survey: SurveyedCluster
  ) -> (ClusterRecord, RotationRecord) {
    let now = clock.now()
    var cluster = base
    cluster.take(machines: survey.record.machines.sorted(by: RolloutPolicy.precedes))
    cluster.isListed = survey.record.isListed
    cluster.talosVersion = survey.record.talosVersion
    if order.access != nil { cluster.endpoints = survey.record.endpoints }
    cluster.drop(endpoints: survey.goneEndpoints)
    for (component, seen) in survey.record.authorities where component != found.component {
      cluster.follow(seen, at: now)
    }
    // Where the new one is on record already nothing goes back to the old one later: only who asks for that now.
    let isNewOnRecord = base.authorities[found.component]?.fingerprint == found.new.fingerprint
    let isOldOnRecord =
      found.old.hasKey && !found.isOldOver && found.phase != .postRotate
      && (ticket.goesBack || !isNewOnRecord)
    cluster.authorities[found.component] = isOldOnRecord ? found.old : found.new
    cluster.predecessors[found.component] = nil
    // The key of an authority that is not on record has been elsewhere.
    let before = base.authorities[found.component]?.fingerprint
    if before == nil || (before != found.new.fingerprint && !ticket.goesBack) {
      cluster.marks.add(.importing, at: now, of: Set(cluster.authorities.keys))
    }
    cluster.marks.setUnclear(Set(survey.unclear.map(\.component)), at: now)
    cluster.rotationCount += 1
    cluster.activeRotation = id
    let reversal =
      ticket.goesBack
      ? Reversal(requester: order.requester, requestedAt: now, from: found.phase) : nil
    var options = order.options
    options.unready = survey.unready
    options.leftOut = survey.leftOut
    let rotation = RotationRecord(
      id: id, cluster: cluster.name, ordinal: cluster.rotationCount, component: found.component,
      old: found.old, new: found.new,
      state: .adopted(survey.record.machines, in: found.phase, reversal: reversal),
      notes: [found.note(goesBack: ticket.goesBack)] + ticket.notes, reason: order.reason,
      requester: order.requester, call: order.call, options: options, isAdopted: true,
      startedAt: now, updatedAt: now)
    return (cluster, rotation)
  }
}
