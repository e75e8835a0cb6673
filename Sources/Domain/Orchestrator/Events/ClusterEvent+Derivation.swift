import Rotation

extension ClusterEvent {
  /// What the records of a cluster show, the earliest first.
  ///
  /// - Parameters:
  ///   - rotations: those that are looked at, the newest among them. Others than the newest are over.
  ///   - expiries: when the authorities on record expire, as far as that is known.
  ///   - isOutdated: whether the machines no longer use the authorities on record.
  static func all(
    of cluster: ClusterRecord, rotations: [RotationRecord],
    expiries: [SecretComponent: Instant], isOutdated: Bool, at now: Instant
  ) -> [ClusterEvent] {
    var events: [ClusterEvent] = []
    for rotation in rotations {
      let isNewest = rotation.ordinal == cluster.rotationCount
      events += Self.of(
        rotation,
        shown: isNewest
          ? RotationSnapshot(cluster: cluster, rotation: rotation)
          : RotationSnapshot(rotation: rotation))
    }
    events += expiring(cluster, expiries, at: now)
    events += expiringCredentials(cluster, at: now)
    events += cluster.returned.map { returned in
      ClusterEvent(
        .authorityReturned(returned), of: cluster, at: returned.since,
        [
          "returned", returned.machine, returned.component.rawValue, returned.fingerprint,
          returned.since.key,
        ])
    }
    if isOutdated {
      let known = SecretComponent.allCases.map { cluster.authorities[$0]?.fingerprint ?? "" }
      events.append(ClusterEvent(.recordOutdated, of: cluster, at: now, ["outdated"] + known))
    }
    // By their keys too, so that the order is the same each time.
    return events.sorted {
      $0.time == $1.time ? $0.key.lexicographicallyPrecedes($1.key) : $0.time < $1.time
    }
  }

  /// Of each authority the nearest threshold that has been passed, so that one that is about to expire when somebody begins
  /// to listen is told of once.
  private static func expiring(
    _ cluster: ClusterRecord, _ expiries: [SecretComponent: Instant], at now: Instant
  ) -> [ClusterEvent] {
    SecretComponent.allCases.compactMap { component in
      guard let notAfter = expiries[component], let authority = cluster.authorities[component],
        let threshold = expiryThresholds.last(where: { notAfter.advanced(by: .zero - $0) <= now })
      else { return nil }
      let expiring = ExpiringAuthority(
        component: component, fingerprint: authority.fingerprint, notAfter: notAfter)
      return ClusterEvent(
        .authorityExpiring(expiring, within: threshold), of: cluster,
        at: notAfter.advanced(by: .zero - threshold),
        ["expiring", authority.fingerprint, "\(threshold.components.seconds)"])
    }
  }

  /// Of each credential that lasts once, for as long as its notice goes on. It ends with its authority at the latest, of which
  /// is told too.
  private static func expiringCredentials(
    _ cluster: ClusterRecord, at now: Instant
  ) -> [ClusterEvent] {
    cluster.lastingCredentials(at: now).prefix(credentialLimit).compactMap { credential in
      let notice = credential.expiresAt.advanced(by: .zero - HeldCredential.notice)
      guard notice <= now else { return nil }
      return ClusterEvent(
        .credentialExpiring(credential), of: cluster, at: notice,
        ["credential", credential.authority, credential.serial])
    }
  }

  // MARK: - Of a rotation

  private static func of(_ rotation: RotationRecord, shown: RotationSnapshot) -> [ClusterEvent] {
    func event(_ kind: Kind, at time: Instant, _ key: String...) -> ClusterEvent {
      ClusterEvent(
        kind: kind, cluster: rotation.cluster, rotation: shown, time: time,
        key: [rotation.cluster, rotation.id] + key)
    }
    var events = [event(.rotationStarted, at: rotation.startedAt, "started")]
    for (phase, direction, begunAt) in begun(rotation.state.stage) {
      events.append(
        event(.stageBegan(phase, direction), at: begunAt, "stage", phase.name, direction.key))
    }
    if let reversal = rotation.state.stage?.reversal {
      events.append(
        event(
          .abortRequested(by: reversal.requester, in: reversal.from), at: reversal.requestedAt,
          "abort"))
    }
    if rotation.state.isFinal {
      events.append(event(.rotationEnded, at: rotation.finishedAt ?? rotation.updatedAt, "ended"))
      return events
    }
    let stage = rotation.state.stage
    let place = [stage?.phase.name ?? "", stage?.direction.key ?? ""]
    for wait in waits(rotation, shown) {
      var event = event(.waiting(wait), at: wait.since, "waiting")
      event.key += place + wait.subject.key + [wait.since.key]
      events.append(event)
    }
    if let (cause, since) = pause(rotation, shown) {
      events.append(event(.paused, at: since, "paused", cause))
    }
    return events
  }

  /// When each stage, and each way back from it, had its first turn. The phase and the direction alone tell them apart: a
  /// machine that leaves takes its times with it.
  private static func begun(
    _ stage: Stage?
  ) -> [(RotationPhase, RotationDirection, Instant)] {
    let times = stage?.machines.flatMap(\.times) ?? []
    return RotationDirection.allCases.flatMap { direction in
      RotationPhase.allCases.compactMap { phase in
        times.lazy.filter { $0.phase == phase && $0.direction == direction }.map(\.begunAt).min()
          .map { (phase, direction, $0) }
      }
    }
  }

  private static func waits(_ rotation: RotationRecord, _ shown: RotationSnapshot) -> [Wait] {
    func wait(_ subject: Wait.Subject, _ effort: Effort) -> Wait? {
      guard let since = effort.waitingSince, !effort.lastError.isEmpty else { return nil }
      return Wait(subject: subject, since: since)
    }
    switch rotation.state {
    case .assembling(let effort):
      return wait(.members, effort).map { [$0] } ?? []
    case .rolling(let stage):
      let machines: [Wait] = stage.machines.compactMap { progress in
        guard let effort = progress.state.effort, shown.shown(progress).state == .waiting else {
          return nil
        }
        return wait(.machine(progress.machine.id), effort)
      }
      return machines + (wait(.members, stage.listing).map { [$0] } ?? [])
    case .gating(let stage, let gate):
      return [wait(.cluster, gate.effort), wait(.members, stage.listing)].compactMap(\.self)
    case .succeeded, .failed, .aborted: return []
    }
  }

  /// What holds the rotation, and since when: the lock, a hook that has not agreed, or the wait before POST_ROTATE, of
  /// which there is one in a rotation. A pause begins when the last machine in work is done.
  private static func pause(
    _ rotation: RotationRecord, _ shown: RotationSnapshot
  ) -> (cause: String, since: Instant)? {
    guard shown.state == .paused, let stage = rotation.state.stage else { return nil }
    let lastDone =
      stage.machines.flatMap(\.times).compactMap(\.verifiedAt).max() ?? rotation.startedAt
    if shown.locks.cluster == nil, let hold = rotation.state.hold {
      return hold.effort.waitingSince.map { ("hooks \(hold.phase.name) \($0.key)", $0) }
    }
    if case .gating(_, let gate) = rotation.state, gate.step == .soak { return ("soak", lastDone) }
    let held = stage.held(by: shown.locks)
    let locks = held.compactMap { shown.locks.machines[$0] }
    guard let lock = shown.locks.cluster ?? locks.min(by: { $0.lockedAt < $1.lockedAt }) else {
      return nil
    }
    let whose = shown.locks.cluster == nil ? "machine" : "cluster"
    return ("\(whose) \(lock.lockedAt.key)", max(lock.lockedAt, lastDone))
  }
}

extension ClusterEvent {
  /// Of what concerns a cluster and no rotation.
  fileprivate init(_ kind: Kind, of cluster: ClusterRecord, at time: Instant, _ key: [String]) {
    self.init(
      kind: kind, cluster: cluster.name, rotation: nil, time: time, key: [cluster.name] + key)
  }
}

extension ClusterEvent.Wait.Subject {
  fileprivate var key: [String] {
    switch self {
    case .machine(let name): ["machine", name]
    case .members: ["members"]
    case .cluster: ["cluster"]
    }
  }
}

extension RotationDirection {
  fileprivate var key: String { self == .forward ? "forward" : "backward" }
}

extension Instant {
  fileprivate var key: String { "\(nanosecondsSince1970)" }
}
