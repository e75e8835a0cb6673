import Rotation

/// Carries one rotation to its end: persist, act, observe, persist.
///
/// The machine's effects become child tasks; each ends with one event. Events are taken one at a
/// time: the state that follows is committed at the revision the run holds, and only then are the
/// effects that follow from it begun. While the journal cannot be written no event is taken, so
/// nothing is begun.
actor RotationRun {
  private typealias Effect = RotationMachine.Effect

  private var cluster: ClusterRecord
  private var rotation: RotationRecord
  private var machine: RotationMachine
  private let journal: Journal
  private let driver: any ClusterDriver
  private let clock: any OrchestratorClock
  private let settings: OrchestratorSettings
  /// The newest effect of each key; what an older one reports is out of date.
  private var tickets: [RotationMachine.Effect.Key: UInt64] = [:]
  private var lastTicket: UInt64 = 0

  /// What an effect has come to, with the ticket of the effect.
  private struct Report: Sendable {
    var key: RotationMachine.Effect.Key
    var ticket: UInt64
    var event: Event
  }

  private enum Event: Sendable {
    case members([Machine], departed: Set<String>)
    case membersFailed(DriverError)
    case applied(String, ApplyOutcome)
    case applyFailed(String, DriverError)
    case attemptDue(String)
    case checked(String, [CheckResult])
    case clusterChecked([CheckResult])
  }

  init(
    cluster: ClusterRecord, rotation: RotationRecord, journal: Journal,
    driver: any ClusterDriver, clock: any OrchestratorClock, settings: OrchestratorSettings
  ) {
    self.cluster = cluster
    self.rotation = rotation
    self.journal = journal
    self.driver = driver
    self.clock = clock
    self.settings = settings
    machine = RotationMachine(
      state: rotation.state, notes: rotation.notes, rules: settings.rules)
  }

  /// Returns when the rotation is over, the task is cancelled, or somebody else writes to the
  /// rotation's records. What was not finished is taken up by a later run.
  func run() async {
    let (reports, inbox) = AsyncStream.makeStream(of: Report.self)
    await withDiscardingTaskGroup { group in
      begin(machine.resumed(at: clock.now()), in: &group, inbox)
      for await report in reports {
        guard tickets[report.key] == report.ticket else { continue }
        let before = machine
        let effects = take(report.event)
        if machine != before {
          guard await persist() else { break }
        }
        if machine.state.isFinal { break }
        begin(effects, in: &group, inbox)
      }
      group.cancelAll()
    }
  }

  private func take(_ event: Event) -> [Effect] {
    let now = clock.now()
    switch event {
    case .members(let members, let departed):
      return machine.membersListed(members, departed: departed, at: now)
    case .membersFailed(let error):
      return error.code == .unsupportedVersion
        ? machine.membersRefused(error.message, at: now)
        : machine.membersUnavailable(error.message, at: now)
    case .applied(let id, let outcome):
      return machine.changeApplied(to: id, unchanged: outcome == .unchanged, at: now)
    case .applyFailed(let id, let error):
      let check = error.code == .unreachable ? CheckResult.reachable : CheckResult.configApplied
      return machine.changeFailed(
        on: id, error.message, check: CheckResult(check, .failed, error.message), at: now)
    case .attemptDue(let id):
      return machine.attemptDue(id, at: now)
    case .checked(let id, let results):
      return machine.machineChecked(id, results, at: now)
    case .clusterChecked(let results):
      return machine.clusterChecked(results, at: now)
    }
  }

  // MARK: - Act and observe

  private func begin(
    _ effects: [Effect], in group: inout DiscardingTaskGroup,
    _ inbox: AsyncStream<Report>.Continuation
  ) {
    for effect in effects {
      lastTicket += 1
      let ticket = lastTicket
      tickets[effect.key] = ticket
      let work = work(effect)
      group.addTask { [clock] in
        if effect.delay > .zero {
          guard (try? await clock.sleep(for: effect.delay)) != nil else { return }
        }
        guard await self.isNewest(ticket, effect.key), let event = await work() else { return }
        inbox.yield(Report(key: effect.key, ticket: ticket, event: event))
      }
    }
  }

  private func isNewest(_ ticket: UInt64, _ key: RotationMachine.Effect.Key) -> Bool {
    tickets[key] == ticket && !Task.isCancelled
  }

  /// What the effect does, with everything it needs taken along: it runs outside the actor, so that
  /// several machines are worked on at once. Nil from it: there is nothing to report.
  private func work(_ effect: Effect) -> @Sendable @concurrent () async -> Event? {
    let driver = driver
    let stage = machine.state.stage
    let change = rotation.change(stage?.phase ?? .preRotate)
    let access = ClusterAccess(cluster: cluster, rotation: change)
    func member(_ id: String) -> Machine? {
      stage?.machines.first { $0.machine.id == id }?.machine
    }
    switch effect {
    case .listMembers:
      let known = stage?.machines.map(\.machine) ?? []
      return {
        do throws(DriverError) {
          let members = try await driver.members(access)
          let present = Set(members.map(\.id))
          var departed: Set<String> = []
          for machine in known where !present.contains(machine.id) {
            if await driver.hasLeft(machine, access: access) { departed.insert(machine.id) }
          }
          return .members(members, departed: departed)
        } catch {
          return .membersFailed(error)
        }
      }
    case .apply(let id):
      let target = member(id)
      return {
        guard let target else { return nil }
        do throws(DriverError) {
          return .applied(id, try await driver.apply(change, to: target, access: access))
        } catch {
          return .applyFailed(id, error)
        }
      }
    case .attempt(let id, _):
      return { .attemptDue(id) }
    case .verify(let id, _):
      let target = member(id)
      return {
        guard let target else { return nil }
        return .checked(id, await driver.verify(change, machine: target, access: access))
      }
    case .verifyCluster:
      return { .clusterChecked(await driver.verifyCluster(change, access: access)) }
    }
  }

  // MARK: - Persist

  /// Commits the machine's state; tries until the journal takes it. False: not ours any more, or
  /// the task was cancelled.
  private func persist() async -> Bool {
    let (next, changes) = commit(at: clock.now())
    var failures = 0
    while !Task.isCancelled {
      do throws(StoreError) {
        let revision = try await journal.commit(changes)
        rotation = next.rotation
        rotation.revision = revision
        if next.cluster != cluster {
          cluster = next.cluster
          cluster.revision = revision
        }
        return true
      } catch {
        journal.hub.outage(
          cluster: cluster.name, OrchestratorError(error, cluster: cluster.name))
        // Somebody else's state stands there now, or none that can be understood: not ours to
        // overwrite.
        guard error.code == .unavailable else { return false }
        failures += 1
        let delay = settings.rules.backoff.delay(after: failures)
        guard (try? await clock.sleep(for: delay)) != nil else { return false }
      }
    }
    return false
  }

  /// The records as they are to be, and the changes that make them so.
  private func commit(
    at now: Instant
  ) -> (next: (cluster: ClusterRecord, rotation: RotationRecord), changes: [StoreChange]) {
    var rotation = rotation
    var cluster = cluster
    rotation.state = machine.state
    rotation.notes = machine.notes
    rotation.updatedAt = now
    if let stage = machine.state.stage { cluster.machines = stage.machines.map(\.machine) }
    if machine.state.isFinal {
      rotation.finishedAt = now
      cluster.activeRotation = nil
    }
    if case .succeeded = machine.state {
      cluster.authorities[rotation.component] = rotation.new
    }
    var changes: [StoreChange] = [.putRotation(rotation, expected: self.rotation.revision)]
    if cluster != self.cluster {
      changes.append(.putCluster(cluster, expected: self.cluster.revision))
    }
    if machine.state.isFinal, rotation.ordinal > settings.historyLimit {
      changes.append(
        .pruneRotations(
          cluster: cluster.name, before: rotation.ordinal - settings.historyLimit + 1))
    }
    return ((cluster, rotation), changes)
  }
}

extension RotationMachine.Effect {
  /// How long to wait before it is carried out.
  fileprivate var delay: Duration {
    switch self {
    case .apply: .zero
    case .listMembers(let delay), .attempt(_, let delay), .verify(_, let delay),
      .verifyCluster(let delay):
      delay
    }
  }
}
