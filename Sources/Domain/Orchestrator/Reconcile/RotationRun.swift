import Rotation

/// Carries one rotation to its end: persist, act, observe, persist.
///
/// The machine's effects become child tasks; each ends with one event. Events are taken one at a
/// time: the state that follows is committed at the revision the run holds, and only then are the
/// effects that follow from it begun. While the journal cannot be written no event is taken, so
/// nothing is begun. What people want of the rotation comes through the same inbox.
actor RotationRun {
  typealias Effect = RotationMachine.Effect

  private(set) var cluster: ClusterRecord
  private(set) var rotation: RotationRecord
  private(set) var machine: RotationMachine
  let journal: Journal
  let driver: any ClusterDriver
  let clock: any OrchestratorClock
  let settings: OrchestratorSettings
  private nonisolated let inbox = RotationInbox()
  /// The newest effect of each key; what an older one reports is out of date.
  private var tickets: [Effect.Key: UInt64] = [:]
  private var lastTicket: UInt64 = 0
  /// Who wants it aborted while a change is on its way to a machine: no further one begins, and what that one comes
  /// to is waited for.
  private var waitingAborts: [(requester: String, call: String, reply: RotationInbox.Reply)] = []
  /// What earlier rotations have retired; nil: not read yet.
  var retired: RetiredAuthorities?
  /// When `rotation.elapsed` was right.
  private var measuredAt: Duration

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
    measuredAt = clock.uptime()
    var rules = settings.rules
    rules.rollout = rules.rollout(rotation.options)
    machine = RotationMachine(
      component: rotation.component, state: rotation.state, notes: rotation.notes,
      rules: rules, locks: cluster.locks, soak: rotation.options.soak,
      asksHooks: settings.stageHooks != nil)
  }

  /// Gives the run a command, which a call has brought or none has, and answers what came of it.
  nonisolated func give(_ command: RotationCommand, by call: String = "") async -> RotationReply {
    await inbox.give(command, by: call)
  }

  /// Returns when the rotation is over, the task is cancelled, or somebody else writes to the
  /// rotation's records. What was not finished is taken up by a later run.
  func run() async {
    // Both authorities are on record: who has to trust both learns of it before any machine does.
    await settings.trustPublisher?.publish(
      ClusterTrust(cluster, rotation: rotation, isOutdated: false))
    await withDiscardingTaskGroup { group in
      begin(machine.resumed(at: clock.now()), in: &group)
      for await message in inbox.messages {
        let goesOn =
          switch message {
          case .report(let report): await take(report, in: &group)
          case .command(let command, let call, let reply):
            await take(command, by: call, reply, in: &group)
          }
        guard goesOn, !machine.state.isFinal else { break }
      }
      group.cancelAll()
    }
    inbox.close()
  }

  /// False: the run is over.
  private func take(_ report: Report, in group: inout DiscardingTaskGroup) async -> Bool {
    guard tickets[report.key] == report.ticket else { return true }
    let before = machine
    machine.uptime = clock.uptime()
    let options = machine.heard(report.event, rotation.options)
    var effects = machine.take(report.event, at: clock.now())
    // Whose processes lead is not on record.
    if machine.state != before.state || machine.notes != before.notes {
      guard await persist(options: options) else { return false }
    }
    if !waitingAborts.isEmpty, !machine.isChangeInFlight {
      let waiting = waitingAborts
      waitingAborts = []
      for (requester, call, reply) in waiting {
        guard let answer = await abort(by: requester, call, reply) else { return false }
        // What the change that came last led to is out of date.
        if case .reversed(let way) = answer, !way.isEmpty { effects = way }
      }
    }
    if !machine.state.isFinal { begin(effects, in: &group) }
    return true
  }

  private func take(
    _ command: RotationCommand, by call: String, _ reply: RotationInbox.Reply,
    in group: inout DiscardingTaskGroup
  ) async -> Bool {
    switch command {
    case .abort(let requester):
      if machine.isChangeInFlight {
        machine.hold()
        waitingAborts.append((requester, call, reply))
        return true
      }
      guard let answer = await abort(by: requester, call, reply) else { return false }
      if case .reversed(let effects) = answer { begin(effects, in: &group) }
      return true
    case .allow(let more):
      let options = rotation.options.allowing(more)
      guard options != rotation.options else {
        reply.send(.done)
        return true
      }
      let isKept = await persist(options: options, by: call)
      reply.send(isKept ? .done : .ended)
      if isKept, !more.leftOut.isEmpty { begin([.listMembers(after: .zero)], in: &group) }
      return isKept
    case .note(let note):
      let isKept = await persist(noting: note)
      reply.send(isKept ? .done : .ended)
      return isKept
    case .follow(let rotated):
      guard rotated.component != rotation.component,
        cluster.authorities[rotated.component]?.fingerprint == rotated.before
      else {
        reply.send(.outdated)
        return true
      }
      machine.note([rotated.note])
      let isKept = await persist(noting: .authority(rotated.authority), by: call)
      reply.send(isKept ? .done : .ended)
      return isKept
    case .goOn(let requester):
      let answer = machine.continueRequested(by: requester, at: clock.now())
      guard case .continued(let effects) = answer else {
        reply.send(.notSoaking)
        return true
      }
      let isKept = await persist(by: call)
      reply.send(isKept ? .done : .ended)
      if isKept { begin(effects, in: &group) }
      return isKept
    case .lock(let change):
      var locks = cluster.locks
      guard change.make(in: &locks) else {
        reply.send(.done)
        return true
      }
      let effects = machine.locksChanged(locks, at: clock.now())
      let isKept = await persist(locking: change.machine, by: call)
      reply.send(isKept ? .done : .ended)
      if isKept { begin(effects, in: &group) }
      return isKept
    }
  }

  /// What came of the wish to abort, once that is on record and answered. Nil: the run is over.
  private func abort(
    by requester: String, _ call: String, _ reply: RotationInbox.Reply
  ) async -> RotationMachine.Abort? {
    let before = machine
    let answer = machine.abortRequested(by: requester, at: clock.now())
    if machine != before {
      guard await persist(by: call) else {
        reply.send(.ended)
        return nil
      }
    }
    switch answer {
    case .over: reply.send(.ended)
    case .retired(let machines): reply.send(.retired(machines))
    case .aborted, .reversed: reply.send(.done)
    }
    return answer
  }

  // MARK: - Act and observe

  private func begin(_ effects: [Effect], in group: inout DiscardingTaskGroup) {
    for effect in effects {
      lastTicket += 1
      let (ticket, pause) = (lastTicket, pause(before: effect))
      tickets[effect.key] = ticket
      group.addTask { [inbox] in
        if effect.delay > .zero {
          guard (try? await pause()) != nil else { return }
        }
        // Taken along only now: what the rotation is allowed may have changed while the effect waited.
        guard let work = await self.work(effect, ticket), let event = await work() else { return }
        inbox.report(Report(key: effect.key, ticket: ticket, event: event))
      }
    }
  }

  /// What an effect does; nil where a newer one has taken its place.
  private func work(_ effect: Effect, _ ticket: UInt64) async -> RotationWork.Step? {
    if let outcome = await lackOfHistory(effect) { return { outcome } }
    guard tickets[effect.key] == ticket, !Task.isCancelled else { return nil }
    return RotationWork(
      cluster: cluster, rotation: rotation, retired: retired ?? RetiredAuthorities(),
      stage: machine.state.stage, hold: machine.state.hold, driver: driver,
      hooks: settings.stageHooks
    ).step(effect)
  }

  // MARK: - Persist

  /// Commits the machine's state; tries until the journal takes it. False: not ours any more, or
  /// the task was cancelled.
  ///
  /// - Parameters:
  ///   - machine: whose lock has changed, so that watches show it anew.
  ///   - note: what the cluster bears from now on.
  ///   - call: what has said that; empty: no call.
  private func persist(
    options: RotationOptions? = nil, locking machine: String? = nil,
    noting note: ClusterNote? = nil, by call: String = ""
  ) async -> Bool {
    let count = await firstCount()
    let uptime = clock.uptime()
    let spent = max(uptime - measuredAt, .zero)
    let (next, changes) = commit(
      options ?? rotation.options, spent, locking: machine, noting: note, by: call, count: count,
      at: clock.now())
    var failures = 0
    while !Task.isCancelled {
      do throws(StoreError) {
        let revision = try await journal.commit(changes)
        measuredAt = uptime
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
}
