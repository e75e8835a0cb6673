public import Orchestrator
public import Rotation
import Synchronization

/// Looking again and again at a machine of which something is waited for.
extension TalosDriver {
  /// Looks, and looks again while something is merely not there yet: for `settings.lookWindow`, or `longLookWindow` where
  /// the answer before has told the same.
  ///
  /// A watch says when to look and nothing else: each answer is that of a look over a connection of its own.
  ///
  /// - Parameter take: told whether it is the last look, so that it shows everything, not only the first thing that is not
  ///   there yet.
  func patiently(
    _ look: MachineLook, _ take: (_ isLast: Bool) async -> [CheckResult]
  ) async -> [CheckResult] {
    let place = Notes.Told.Place(look)
    var pace = LookPace(settings, told: notes.withLock { $0.told.open(at: place) })
    let start = ContinuousClock.now
    let signal = ChangeSignal()
    return await withTaskGroup(of: Void.self) { watches in
      defer { watches.cancelAll() }
      var opened: WatchPlan?
      while true {
        let begun = ContinuousClock.now - start
        let isLast = pace.isLast(at: begun)
        let results = await take(isLast)
        let open = results.filter { !$0.isSettled }
        let names = open.map(\.name)
        // A trial does not end by itself.
        guard open.contains(where: { !$0.isNamed(.configPersisted) }) else {
          notes.withLock { $0.told.forget(place) }
          return results
        }
        // What is wrong does not come by itself.
        guard open.allSatisfy({ $0.state == .waiting }) else {
          notes.withLock { $0.told.forget(place) }
          return isLast ? results : await take(true)
        }
        guard !isLast else {
          notes.withLock { $0.told.note(names, at: place) }
          return results
        }
        let looked = ContinuousClock.now - start
        pace.found(open: names, at: looked)
        let hasRead = results.contains { $0.isNamed(.reachable) }
        var plan = WatchPlan(look.change.component, open: names, hasRead: hasRead)
        if let opened {
          plan = plan.limited(to: opened)
        } else if !plan.targets.isEmpty, pace.isWorthWatching(hasRead: hasRead) {
          opened = plan
          let (targets, lasting) = (plan.targets, pace.end - looked)
          watches.addTask {
            await self.watch(targets, of: look.machine, look.access, lasting: lasting, signal)
          }
        }
        guard await rest(&pace, plan, signal, since: start, lastLook: looked) else {
          return results
        }
      }
    }
  }

  /// Waits until the next look is due. False: the task was cancelled.
  private func rest(
    _ pace: inout LookPace, _ plan: WatchPlan, _ signal: ChangeSignal,
    since start: ContinuousClock.Instant, lastLook looked: Duration
  ) async -> Bool {
    while !Task.isCancelled {
      let standing = signal.standing
      let due = pace.next(after: looked, plan, standing)
      let now = ContinuousClock.now - start
      if due <= now {
        pace.rested(plan, standing)
        return true
      }
      guard case .change(let isFollowed) = await signal.wait(atMost: due - now) else { continue }
      let seen = ContinuousClock.now - start
      let prompt = pace.changed(at: seen, last: looked, isFollowed: isFollowed)
      guard (try? await Task.sleep(for: prompt - seen)) != nil else { return false }
      signal.look()
      return true
    }
    return false
  }

  public func awaitChange(
    _ change: TrustChange, of machine: Machine, access: ClusterAccess, atMost limit: Duration,
    by clock: any OrchestratorClock
  ) async throws(CancellationError) {
    let place = Notes.Told.Place(change, access, identity: machine.ownName)
    let open = notes.withLock { $0.told.open(at: place) }
    let plan = WatchPlan(change.component, open: Array(open), hasRead: true)
    // What is wrong does not come by itself: a machine that changes something all the time is looked at no sooner for it.
    guard !open.isEmpty, !plan.targets.isEmpty else { return try await clock.sleep(for: limit) }
    let end = ContinuousClock.now + limit
    let signal = ChangeSignal()
    await withTaskGroup(of: Void.self) { watches in
      defer { watches.cancelAll() }
      watches.addTask {
        await self.watch(
          plan.targets, of: machine, access, lasting: limit, isFromNow: true, signal)
      }
      // However often a machine shows changes, the pause lasts for a moment.
      guard (try? await Task.sleep(for: min(limit, settings.longestLookPause))) != nil else {
        return
      }
      while !Task.isCancelled {
        let left = end - .now
        guard left > .zero else { return }
        if case .change = await signal.wait(atMost: left) { return }
      }
    }
    if Task.isCancelled { throw CancellationError() }
  }

  /// Watches a machine, over a connection by which it has shown its identity, until the watch ends or the task is
  /// cancelled.
  ///
  /// - Parameter isFromNow: whether only what happens from now on is told, and not also what there is already.
  func watch(
    _ targets: [WatchTarget], of machine: Machine, _ access: ClusterAccess, lasting: Duration,
    isFromNow: Bool = false, _ signal: ChangeSignal
  ) async {
    defer { signal.ended() }
    try? await withMachine(machine, access, within: .zero) { client async throws(TalosFailure) in
      await client.watch(targets, lasting: lasting, isFromNow: isFromNow, signal)
    }
  }
}

extension Machine {
  /// What tells the machine from all others: its address in records without identities.
  fileprivate var ownName: String { identity.isEmpty ? address : identity }
}

extension TalosDriver.Notes {
  /// Which checks were open in the last answers about machines.
  struct Told {
    /// A machine in a stage.
    struct Place: Hashable {
      var cluster: String
      /// Of the machine; empty: the cluster as a whole.
      var identity: String
      /// The fingerprint of the authority that the rotation brings.
      var rotation: String
      var phase: RotationPhase
      var direction: RotationDirection

      init(_ change: TrustChange, _ access: ClusterAccess, identity: String = "") {
        cluster = access.cluster.name
        self.identity = identity
        rotation = change.new.fingerprint
        phase = change.phase
        direction = change.direction
      }

      init(_ look: MachineLook) {
        self.init(look.change, look.access, identity: look.machine.ownName)
      }
    }

    private var answers: [Place: Set<String>] = [:]

    /// More machines than any set of clusters has in work.
    private static let maximum = 16_384

    /// Empty where no answer was given, or one in which nothing was waited for.
    func open(at place: Place) -> Set<String> { answers[place] ?? [] }

    mutating func note(_ names: [String], at place: Place) {
      if answers.count >= Self.maximum { answers = [:] }
      answers[place] = Set(names)
    }

    mutating func forget(_ place: Place) { answers[place] = nil }
  }
}
