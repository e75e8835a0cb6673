extension RotationMachine {
  /// It was seen whose processes lead the cluster. That counts from the next turn on and orders nothing by itself:
  /// what is in work goes on.
  ///
  /// - Parameter leaders: the names of control planes, whoever had better be changed last at the end.
  public mutating func leadersSeen(_ leaders: [String]) { self.leaders = leaders }

  /// All machines were asked whether they answer; that orders nothing by itself.
  ///
  /// - Parameter unreachable: those that do not; nil: nobody was asked, because nothing is waited for.
  public mutating func reachabilitySeen(_ unreachable: Set<String>?, at now: Instant) {
    let seen = unreachable.map { Reachability(at: now, unreachable: $0.sorted()) }
    switch state {
    case .rolling(var stage):
      stage.reachability = seen
      state = .rolling(stage)
    case .gating(var stage, let gate):
      stage.reachability = seen
      state = .gating(stage, gate)
    case .assembling, .succeeded, .failed, .aborted: break
    }
  }

  /// The members have been read.
  ///
  /// - Parameter departures: of the machines that `members` does not name, by name, whether they have left for good.
  ///   Those that have not, or are not in it, are down, and are waited for.
  public mutating func membersListed(
    _ members: [Machine], departures: [String: Departure] = [:], at now: Instant
  ) -> [Effect] {
    guard members.contains(where: { $0.role == .controlPlane }) else {
      // A cluster without control planes cannot answer; this is a broken answer, not a departure.
      return membersUnavailable("the list of members names no control plane", at: now)
    }
    if let name = Roster.repeated(members) {
      // One of the two would go without its change, and be locked out.
      return membersUnavailable(
        "the list of members names two machines \(name): one of them would go without its change; give one of them "
          + "another name, or have discovery forget the one that is gone", at: now)
    }
    switch state {
    case .assembling:
      let roster = Roster(
        members: members, departures: departures, departureGrace: rules.departureGrace)
      return enterFirst(Stage(phase: .preRotate, machines: roster.beginning()), at: now)
        + [.listMembers(after: rules.memberInterval)]
    case .rolling(var stage):
      update(&stage, members, departures, at: now)
      return roll(stage, at: now) + [.listMembers(after: rules.memberInterval)]
    case .gating(var stage, let gate):
      update(&stage, members, departures, at: now)
      guard stage.isComplete else {
        haveHooksAgreed = false
        return roll(stage, at: now) + [.listMembers(after: rules.memberInterval)]
      }
      switch gate.step {
      case .members: return passGate(stage, gate, at: now)
      case .soak: return stillSoaking(stage, gate, at: now)
      case .cluster, .renewal, .hooks:
        state = .gating(stage, gate)
        return [.listMembers(after: rules.memberInterval)]
      }
    case .succeeded, .failed, .aborted:
      return []
    }
  }

  /// Machines that a person had said to be gone have shown that they are there.
  ///
  /// - Parameter names: by which they were named.
  public mutating func answered(_ names: [String]) {
    note(
      names.map {
        "\($0) was to be left out and is there: what was said of it is withdrawn, and it is waited for like the others"
      })
  }

  /// The members could not be read.
  public mutating func membersUnavailable(_ error: String, at now: Instant) -> [Effect] {
    switch state {
    case .assembling(var effort):
      effort.attempts += 1
      let delay = effort.failed(error, checks: [], at: now, backoff: rules.backoff)
      state = .assembling(effort)
      return [.listMembers(after: delay)]
    case .rolling(var stage):
      let delay = stage.listing.failed(error, checks: [], at: now, backoff: rules.backoff)
      state = .rolling(stage)
      return [.listMembers(after: delay)]
    case .gating(var stage, var gate):
      let delay = stage.listing.failed(error, checks: [], at: now, backoff: rules.backoff)
      // What was seen of the machines grows old meanwhile: they are looked at again before the stage ends.
      let isStale = gate.step == .members
      if isStale { gate.step = .cluster }
      haveHooksAgreed = false
      state = .gating(stage, gate)
      return (isStale ? [.verifyCluster(after: delay)] : []) + [.listMembers(after: delay)]
    case .succeeded, .failed, .aborted:
      return []
    }
  }

  /// The cluster cannot be rotated at all. Before any machine was touched that is the end;
  /// afterwards it is one more thing to wait for.
  public mutating func membersRefused(_ error: String, at now: Instant) -> [Effect] {
    guard case .assembling = state else { return membersUnavailable(error, at: now) }
    state = .failed(reason: error.bounded(to: CheckResult.detailLimit))
    return []
  }

  private mutating func update(
    _ stage: inout Stage, _ members: [Machine], _ departures: [String: Departure], at now: Instant
  ) {
    let present = Set(members.map(\.id))
    let absent = stage.machines.map(\.machine.id).filter { !present.contains($0) }
    var waited: [String: Duration] = [:]
    if let uptime {
      missing = Dictionary(uniqueKeysWithValues: absent.map { ($0, missing[$0] ?? uptime) })
      waited = missing.mapValues { uptime - $0 }
    }
    let roster = Roster(
      members: members, departures: departures, waited: waited,
      departureGrace: rules.departureGrace)
    note(roster.update(&stage, at: now))
    stage.listing = Effort()
  }
}
