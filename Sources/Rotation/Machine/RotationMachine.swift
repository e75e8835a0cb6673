/// One rotation, from its first stage to its end: what has happened goes in, what is to be done
/// comes out.
///
///     assembling ──▶ rolling(PRE_ROTATE) ⇄ gating ──▶ rolling(ROTATE) ⇄ gating ──▶
///         │              rolling(POST_ROTATE) ⇄ gating ──▶ succeeded
///         └──▶ failed
///
/// It holds no clock and does no I/O. Each input is a method named for what happened; it changes
/// the state and returns the effects to carry out *after* the new state has been persisted. Every
/// effect is idempotent, since `resumed` orders the ones that are outstanding anew. An effect
/// replaces an earlier one of the same `Effect.Key`. An input that comes too late (for a machine
/// that has left, or is in another state by now) changes nothing and orders nothing.
///
/// Waiting is a state, with reason and time of the next try; it has no end, since only what is
/// outside can end it. A rotation fails only while no machine has been touched.
public struct RotationMachine: Sendable, Hashable {
  public enum State: Sendable, Hashable {
    /// The members are asked for, for the first time. No machine has been touched.
    case assembling(Effort)
    /// The machines take their turns.
    case rolling(Stage)
    /// All machines of the stage are verified; the cluster as a whole is being.
    case gating(Stage, Gate)
    /// Every machine trusts the new authority and nothing else. The end.
    case succeeded(Stage)
    /// It cannot be carried out, and no machine was touched. The end.
    case failed(reason: String)
  }

  /// What is to be done next. A delay counts from the moment the effect is ordered.
  public enum Effect: Sendable, Hashable {
    /// Read the members, then `membersListed`, `membersUnavailable` or `membersRefused`.
    case listMembers(after: Duration)
    /// Change the machine's configuration now, then `changeApplied` or `changeFailed`.
    case apply(String)
    /// Wait, then `attemptDue`. Nothing is done to the machine before that is persisted.
    case attempt(String, after: Duration)
    /// Look at the machine, then `machineChecked`.
    case verify(String, after: Duration)
    /// Look at the cluster, then `clusterChecked`.
    case verifyCluster(after: Duration)
  }

  public private(set) var state: State
  /// What else happened, newest last; the newest `noteLimit`.
  public private(set) var notes: [String]
  private let rules: RotationRules

  /// The most notes that are kept.
  public static let noteLimit = 32

  /// A rotation that has not begun. The first input is `resumed`.
  public init(rules: RotationRules = RotationRules()) {
    self.init(state: .assembling(Effort()), notes: [], rules: rules)
  }

  /// A rotation as it was persisted. The first input is `resumed`.
  public init(state: State, notes: [String], rules: RotationRules) {
    self.state = state
    self.notes = notes
    self.rules = rules
  }

  // MARK: - Beginning

  /// The process has just taken the rotation up, for the first time or again.
  public func resumed(at now: Instant) -> [Effect] {
    switch state {
    case .assembling:
      return [.listMembers(after: .zero)]
    case .rolling(let stage):
      return [.listMembers(after: .zero)]
        + stage.machines.compactMap { outstanding($0, at: now) }
    case .gating(_, let gate):
      return gate.step == .cluster
        ? [.verifyCluster(after: .zero), .listMembers(after: rules.memberInterval)]
        : [.listMembers(after: .zero)]
    case .succeeded, .failed:
      return []
    }
  }

  private func outstanding(_ progress: MachineProgress, at now: Instant) -> Effect? {
    let id = progress.machine.id
    switch progress.state {
    case .pending, .verified: return nil
    case .applying: return .apply(id)
    case .waiting(let effort):
      return .attempt(id, after: effort.remaining(at: now, backoff: rules.backoff))
    case .verifying: return .verify(id, after: .zero)
    }
  }

  // MARK: - Members

  /// The members have been read.
  ///
  /// - Parameter departed: of the machines that `members` does not name, those of which it is known
  ///   that they have left for good. The others are down, and are waited for.
  public mutating func membersListed(
    _ members: [Machine], departed: Set<String> = [], at now: Instant
  ) -> [Effect] {
    guard members.contains(where: { $0.role == .controlPlane }) else {
      // A cluster without control planes cannot answer; this is a broken answer, not a departure.
      return membersUnavailable("the list of members names no control plane", at: now)
    }
    switch state {
    case .assembling:
      let roster = Roster(
        members: members, departed: departed, departureGrace: rules.departureGrace)
      return roll(Stage(phase: .preRotate, machines: roster.beginning()))
        + [.listMembers(after: rules.memberInterval)]
    case .rolling(var stage):
      update(&stage, members, departed, at: now)
      return roll(stage) + [.listMembers(after: rules.memberInterval)]
    case .gating(var stage, let gate):
      update(&stage, members, departed, at: now)
      guard stage.isComplete else {
        return roll(stage) + [.listMembers(after: rules.memberInterval)]
      }
      guard gate.step == .members else {
        state = .gating(stage, gate)
        return [.listMembers(after: rules.memberInterval)]
      }
      return leave(stage)
    case .succeeded, .failed:
      return []
    }
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
    case .gating(var stage, let gate):
      let delay = stage.listing.failed(error, checks: [], at: now, backoff: rules.backoff)
      state = .gating(stage, gate)
      return [.listMembers(after: delay)]
    case .succeeded, .failed:
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

  // MARK: - One machine

  /// The machine took the configuration, or held it already.
  public mutating func changeApplied(
    to id: String, unchanged: Bool, at now: Instant
  ) -> [Effect] {
    withMachine(id) { machine, rules in
      guard case .applying(var effort) = machine else { return nil }
      effort.cleared()
      machine = .verifying(effort)
      return [.verify(id, after: unchanged ? .zero : rules.backoff.delay(after: 1))]
    }
  }

  /// The machine could not be changed, or it is not known whether it was.
  public mutating func changeFailed(
    on id: String, _ error: String, check: CheckResult, at now: Instant
  ) -> [Effect] {
    withMachine(id) { machine, rules in
      guard case .applying(var effort) = machine else { return nil }
      let delay = effort.failed(error, checks: [check], at: now, backoff: rules.backoff)
      machine = .waiting(effort)
      return [.attempt(id, after: delay)]
    }
  }

  /// The delay before the next try is over.
  public mutating func attemptDue(_ id: String, at now: Instant) -> [Effect] {
    withMachine(id) { machine, rules in
      guard case .waiting(var effort) = machine else { return nil }
      effort.attempts += 1
      effort.nextAttemptAt = nil
      machine = .applying(effort)
      return [.apply(id)]
    }
  }

  /// The machine has been looked at.
  public mutating func machineChecked(
    _ id: String, _ results: [CheckResult], at now: Instant
  ) -> [Effect] {
    withMachine(id) { machine, rules in
      guard case .verifying(var effort) = machine else { return nil }
      effort.attempts += 1
      guard let obstacle = Obstacle(results) else {
        effort.cleared()
        effort.checks = CheckRecord.merging(results, into: effort.checks, at: now)
        machine = .verified(effort)
        return []
      }
      if obstacle.isLostChange { effort.repetitions += 1 }
      let delay = effort.failed(
        obstacle.description, checks: results, at: now, backoff: rules.backoff)
      machine = obstacle.isLostChange ? .waiting(effort) : .verifying(effort)
      return obstacle.isLostChange ? [.attempt(id, after: delay)] : [.verify(id, after: delay)]
    }
  }

  /// Changes the state of one machine in work, and lets the next ones begin when it is verified.
  private mutating func withMachine(
    _ id: String, _ transition: (inout MachineState, RotationRules) -> [Effect]?
  ) -> [Effect] {
    guard case .rolling(var stage) = state, let index = stage.index(of: id),
      let effects = transition(&stage.machines[index].state, rules)
    else { return [] }
    return effects + roll(stage)
  }

  // MARK: - The cluster

  /// The cluster as a whole has been looked at.
  public mutating func clusterChecked(_ results: [CheckResult], at now: Instant) -> [Effect] {
    guard case .gating(let stage, var gate) = state, gate.step == .cluster else { return [] }
    gate.effort.attempts += 1
    guard let obstacle = Obstacle(results) else {
      gate.effort.cleared()
      gate.effort.checks = CheckRecord.merging(results, into: gate.effort.checks, at: now)
      gate.step = .members
      state = .gating(stage, gate)
      return [.listMembers(after: .zero)]
    }
    let delay = gate.effort.failed(
      obstacle.description, checks: results, at: now, backoff: rules.backoff)
    state = .gating(stage, gate)
    return [.verifyCluster(after: delay)]
  }

  // MARK: - Moving on

  /// Lets every machine begin whose turn it is; opens the gate when all are verified.
  private mutating func roll(_ stage: Stage) -> [Effect] {
    var stage = stage
    guard !stage.isComplete else {
      state = .gating(stage, Gate())
      return [.verifyCluster(after: .zero)]
    }
    let beginning = rules.rollout.next(stage.machines.map { ($0.machine, $0.state.turn) })
    for machine in beginning {
      guard let index = stage.index(of: machine.id) else { continue }
      stage.machines[index].state = .applying(Effort(attempts: 1))
    }
    state = .rolling(stage)
    return beginning.map { .apply($0.id) }
  }

  /// The stage is finished: the next one begins with the members that have just been read.
  private mutating func leave(_ stage: Stage) -> [Effect] {
    guard let next = stage.phase.next else {
      state = .succeeded(stage)
      return []
    }
    let machines = stage.machines.map {
      MachineProgress(machine: $0.machine, missingSince: $0.missingSince)
    }
    return roll(Stage(phase: next, machines: machines))
      + [.listMembers(after: rules.memberInterval)]
  }

  private mutating func update(
    _ stage: inout Stage, _ members: [Machine], _ departed: Set<String>, at now: Instant
  ) {
    let roster = Roster(
      members: members, departed: departed, departureGrace: rules.departureGrace)
    notes = (notes + roster.update(&stage, at: now)).suffix(RotationMachine.noteLimit)
    stage.listing = Effort()
  }
}

extension RotationMachine.State {
  /// Whether the rotation is over.
  public var isFinal: Bool {
    switch self {
    case .succeeded, .failed: true
    case .assembling, .rolling, .gating: false
    }
  }

  /// The stage, with every machine in it; nil before the members are known.
  public var stage: Stage? {
    switch self {
    case .rolling(let stage), .gating(let stage, _), .succeeded(let stage): stage
    case .assembling, .failed: nil
    }
  }
}

extension RotationMachine.Effect {
  /// What an effect is about. There is at most one outstanding per key: a newer one replaces it.
  public enum Key: Sendable, Hashable {
    case members
    case machine(String)
    case cluster
  }

  public var key: Key {
    switch self {
    case .listMembers: .members
    case .apply(let id), .attempt(let id, _), .verify(let id, _): .machine(id)
    case .verifyCluster: .cluster
    }
  }
}
