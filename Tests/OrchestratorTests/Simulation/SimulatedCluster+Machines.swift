import Orchestrator
import Rotation
import Synchronization

/// What is done to a machine.
extension SimulatedCluster {
  /// What a driver can be made to do wrong, to see that the invariants notice.
  enum Flaw: Sendable, Hashable, CaseIterable {
    /// Takes a control plane for done before its static pods have been restarted.
    case ignoresRestart
    /// Sends the key to whoever is called a control plane.
    case sendsKeyToAnyone
    /// Takes whoever answers at an address for the machine that was meant.
    case trustsAddresses
    /// Takes authorities for harmless that are neither the old nor the new one.
    case ignoresForeign
    /// Looks at the configuration in force alone, not at the one for the next boot.
    case ignoresStaged
    /// Takes a worker for done that goes on with the trust of the stage before.
    case ignoresStale
    /// Goes on although a second rotator has a machine issue from an authority of its own.
    case ignoresUsurper
    /// Sends the key to who shows the authority that goes, in the stage in which machines begin to refuse it.
    case believesImpostor
    /// Makes authorities valid from its own time on, whatever the machines' clocks show.
    case ignoresClocks
    /// A trust plan in which machines issue from the new authority before all accept it.
    case issuesEarly
    /// A trust plan in which machines stop accepting the old authority while others issue from it.
    case dropsEarly
    /// An order of turns in which the workers come before the control planes.
    case workersFirst
    /// A journal that says that something is on record before it is.
    case recordsLate
  }

  /// The machine that answers at a machine's address.
  func answering(at machine: Machine) -> String {
    state.withLock { state in
      guard state.nodes[machine.id]?.sharedAddress == machine.address else { return machine.id }
      return state.holders[machine.address] ?? machine.id
    }
  }

  func wanted(
    _ change: TrustChange, _ role: MachineRole, _ flaws: Set<Flaw> = []
  ) -> Trust {
    if flaws.contains(.issuesEarly), change.phase == .preRotate {
      return Trust(
        issuing: change.new.fingerprint, accepted: [change.old.fingerprint, change.new.fingerprint])
    }
    if flaws.contains(.dropsEarly), change.phase == .rotate {
      return Trust(issuing: change.new.fingerprint, accepted: [change.new.fingerprint])
    }
    let bundle = change.bundle(for: role)
    return Trust(
      issuing: change.authority(bundle.issuing).fingerprint,
      accepted: Set(bundle.accepted.map { change.authority($0).fingerprint }))
  }

  /// - Parameter id: who answered; the machine that was meant, but for a flaw.
  func apply(
    _ change: TrustChange, to machine: Machine, answering id: String, mischief: Mischief,
    flaws: Set<Flaw> = []
  ) -> ApplyOutcome {
    let wanted = wanted(change, machine.role, flaws)
    let now = clock.now()
    let settledAt = now.advanced(
      by: .milliseconds(clock.pick(0...(mischief.slow > 0 ? 30_000 : 1_000))))
    let begins = now.advanced(by: .milliseconds(clock.pick(500...12_000)))
    let ends = begins.advanced(by: .milliseconds(clock.pick(500...6_000)))
    let removesForeign = change.options.removeForeign
    let asksTooEarly = mischief.stale > 0 && clock.chance(mischief.stale)
    return state.withLock { state in
      state.endTrials(at: now)
      guard var node = state.nodes[id] else { return .unchanged }
      state.begin(
        flaws.contains(.workersFirst) ? node.machine : machine, Step(change),
        workerLimit: workerLimit)
      if removesForeign { node.foreign = [:] }
      defer { state.nodes[id] = node }
      guard node.trust[change.component] != wanted else { return .unchanged }
      state.applied += 1
      state.seen[change.component, default: []].formUnion(wanted.accepted)
      let clock = now.advanced(by: node.skew)
      for authority in wanted.accepted
      where state.validSince[authority].map({ $0 > clock }) ?? false {
        state.violations.append("\(id) is sent \(authority), which is not valid yet by its clock")
      }
      if machine.role == .controlPlane {
        if node.keys.isDisjoint(with: [change.old.fingerprint, change.new.fingerprint]) {
          state.violations.append("\(id) is sent a key and held none")
        }
        if change.bundle(for: .controlPlane).issuing == .new {
          node.keys.insert(change.new.fingerprint)
        }
      }
      // To try anew would be to go back to what is being tried.
      let before = node.trust[change.component]
      if let timeout = change.options.tryTimeout, node.trial == nil, let before {
        node.trial = (change.component, before, now.advanced(by: timeout))
      } else {
        node.trial = nil
      }
      node.trust[change.component] = wanted
      node.settledAt = settledAt
      node.isStale = change.component == .talosCA && machine.role == .worker && asksTooEarly
      if change.component == .kubernetesCA, node.machine.role == .controlPlane {
        state.checkRestarts(of: id, at: now)
        node.pods.advance(to: now)
        node.pods.version += 1
        node.pods.restart = (begins, ends)
      }
      state.nodes[id] = node
      state.checkTrust(change.component)
      return .changed
    }
  }

  /// - Throws: `.refused` while another control plane is yet to be restarted.
  func requireOthersReady(
    _ change: TrustChange, _ machine: Machine
  ) throws(DriverError) {
    guard change.component == .kubernetesCA, machine.role == .controlPlane else { return }
    let now = clock.now()
    let restarting = state.withLock { state in
      state.nodes.values.first { node in
        node.machine.id != machine.id && node.pods.restart.map { $0.ends > now } ?? false
      }?.machine.id
    }
    if let restarting {
      throw DriverError(.refused, "the API server of \(restarting) is about to be restarted")
    }
  }

  /// What is seen of a control plane before its change.
  func baseline(_ change: TrustChange, _ machine: Machine) -> Baseline {
    let now = clock.now()
    let wanted = wanted(change, machine.role)
    return state.withLock { state in
      guard var node = state.nodes[machine.id] else { return Baseline() }
      node.pods.advance(to: now)
      state.nodes[machine.id] = node
      return Baseline([
        "version": "\(node.pods.version)", "container": "\(node.pods.container)",
        "holds": "\(node.trust[change.component] == wanted)",
      ])
    }
  }

  func verify(
    _ change: TrustChange, _ machine: Machine, answering id: String, baseline: Baseline?,
    flaws: Set<Flaw>
  ) -> [CheckResult] {
    let now = clock.now()
    let wanted = wanted(change, machine.role)
    return state.withLock { state in
      state.endTrials(at: now)
      guard var node = state.nodes[id], node.downUntil <= now else {
        return [CheckResult(.reachable, .failed, "down")]
      }
      node.foreign = node.foreign.filter { $0.value > now }
      node.pods.advance(to: now)
      state.nodes[id] = node
      let holds = node.trust[change.component] == wanted
      let isClean = node.foreign.isEmpty || flaws.contains(.ignoresForeign)
      var results = [
        CheckResult(.reachable, .passed),
        CheckResult(.configApplied, holds ? .passed : .failed, "\(change.phase.name)"),
        CheckResult(.accepted, isClean ? .passed : .failed, "accepts a foreign CA"),
        CheckResult(.kubelet, node.settledAt <= now ? .passed : .waiting, "restarting"),
      ]
      if node.stagedUntil > now, !flaws.contains(.ignoresStaged) {
        results.append(CheckResult(.configPersisted, .failed, "another one is staged"))
      }
      if node.usurpedUntil > now, !flaws.contains(.ignoresUsurper) {
        results.append(CheckResult(.configEditable, .failed, "somebody else is rotating"))
      }
      // A worker's trust comes from whichever control plane's trustd answers it.
      let planes = state.nodes.values.filter { $0.machine.role == .controlPlane }
      if change.component == .talosCA, machine.role == .worker,
        planes.contains(where: { $0.trust[.talosCA]?.accepted != wanted.accepted })
      {
        results.append(CheckResult(.accepted, .waiting, "does not accept the new CA yet"))
      }
      if node.isStale, !flaws.contains(.ignoresStale) {
        results.append(CheckResult(.trustRefresh, .waiting, "asked too early"))
      }
      if change.component == .kubernetesCA, machine.role == .controlPlane {
        let isAnother =
          baseline?["holds"] == "true"
          || baseline?["container"] != "\(node.pods.container)"
        let isDone = node.pods.isSettled && isAnother
        results.append(
          CheckResult(
            .staticPods, isDone || flaws.contains(.ignoresRestart) ? .passed : .waiting,
            "restarting"))
      }
      if change.options.tryTimeout != nil, results.allSatisfy(\.isSettled) {
        results.append(
          CheckResult(.configPersisted, node.trial == nil ? .passed : .waiting, "being tried"))
      }
      if results.allSatisfy(\.isSettled) {
        state.inWork.remove(machine.id)
        state.nodes[machine.id]?.verifiedIn = Step(change)
      }
      return results
    }
  }

  /// What a machine tries is permanent from now on.
  ///
  /// - Throws: `.conflict` when it has gone back already.
  func persist(_ change: TrustChange, on machine: Machine) throws(DriverError) {
    let now = clock.now()
    let wanted = wanted(change, machine.role)
    let holds = state.withLock { state in
      state.endTrials(at: now)
      guard state.nodes[machine.id]?.trust[change.component] == wanted else { return false }
      state.nodes[machine.id]?.trial = nil
      state.persisted += 1
      return true
    }
    guard holds else { throw DriverError(.conflict, "the trial was over") }
  }

  /// A worker that asked too early asks again.
  func refreshTrust(of machine: Machine) {
    state.withLock { state in
      state.nodes[machine.id]?.isStale = false
      state.refreshed += 1
    }
  }

  func verifyCluster(_ change: TrustChange) -> [CheckResult] {
    let now = clock.now()
    return state.withLock { state in
      let down = state.nodes.values.filter {
        $0.downUntil > now && !change.options.leftOut.contains($0.machine)
      }
      let drops = change.component == .kubernetesCA && change.dropsAuthority
      let kept = change.authority(change.bundle(for: .controlPlane).issuing).fingerprint
      let isClean = !drops || state.clientRoots == [kept]
      return [
        CheckResult(.extensionAuthentication, isClean ? .passed : .waiting, "holds another CA"),
        CheckResult(
          named: "nodes-ready", down.isEmpty ? .passed : .failed, "\(down.count) not ready"),
      ]
    }
  }
}

/// What others do to a machine.
extension SimulatedCluster {
  /// Somebody who knows nothing of the rotation puts back the first configuration's trust plus
  /// what it needs to stay in the cluster.
  func overwrite(_ machine: Machine, _ change: TrustChange) {
    let before = TrustPlan.bundle(
      change.component, change.phase, machine.role,
      change.direction == .forward ? .backward : .forward)
    let now = clock.now()
    let ends = now.advanced(by: .milliseconds(clock.pick(1_000...9_000)))
    state.withLock { state in
      guard var node = state.nodes[machine.id] else { return }
      // Nobody edits two control planes at once, other writers included.
      let isRestarting = state.nodes.values.contains {
        $0.machine.id != machine.id && $0.pods.restart.map { $0.ends > now } ?? false
      }
      let restarts = change.component == .kubernetesCA && machine.role == .controlPlane
      guard !(restarts && isRestarting) else { return }
      node.trust[change.component] = Trust(
        issuing: change.authority(before.issuing).fingerprint,
        accepted: Set(before.accepted.map { change.authority($0).fingerprint }))
      if restarts {
        node.pods.advance(to: now)
        node.pods.version += 1
        node.pods.restart = (now, ends)
      }
      state.nodes[machine.id] = node
    }
  }

  /// Somebody adds an authority of their own to a machine's list, and takes it back later.
  func addForeign(_ authority: String, to id: String, for duration: Duration) {
    let until = clock.now().advanced(by: duration)
    state.withLock { $0.nodes[id]?.foreign[authority] = until }
  }

  /// Somebody stages a configuration for a machine's next boot, and takes it back later.
  func stage(_ id: String, for duration: Duration) {
    let until = clock.now().advanced(by: duration)
    state.withLock { $0.nodes[id]?.stagedUntil = until }
  }

  /// A second rotator makes a machine issue from an authority of its own, and takes it back later.
  func usurp(_ id: String, for duration: Duration) {
    let until = clock.now().advanced(by: duration)
    state.withLock { $0.nodes[id]?.usurpedUntil = until }
  }

  /// A worker calls itself a control plane, or no longer.
  func claim(_ role: MachineRole?, for id: String) {
    state.withLock { $0.nodes[id]?.claimedRole = role }
  }

  /// Somebody who has the key of the authority that goes, and no other secret, answers in a machine's place; nil: nobody
  /// does any more.
  func impersonate(_ id: String?) {
    state.withLock { $0.impersonated = id.map { [$0] } ?? [] }
  }

  /// A machine's clock is off by so much.
  func setClock(of id: String, off skew: Duration) {
    state.withLock { $0.nodes[id]?.skew = skew }
  }

  /// The earliest time that a machine's clock shows.
  var earliestClock: Instant {
    let now = clock.now()
    return state.withLock { state in
      state.nodes.values.map { now.advanced(by: $0.skew) }.min() ?? now
    }
  }

  /// An address that discovery names first for a machine is held by another one; nil: by nobody but the
  /// machine's own address counts again.
  func share(_ address: String?, of id: String, heldBy holder: String) {
    state.withLock { state in
      state.nodes[id]?.sharedAddress = address
      if let address { state.holders[address] = holder }
    }
  }
}

extension SimulatedCluster.State {
  /// A machine's turn begins: is it its turn?
  mutating func begin(_ machine: Machine, _ step: SimulatedCluster.Step, workerLimit: Int) {
    if let current = self.step, step != current {
      if current.isUndone(by: step) {
        // Workers that were in work are not waited for; a control plane that was is the first to go back.
        inWork = inWork.filter { nodes[$0]?.machine.role == .controlPlane }
      } else if current.precedes(step) {
        let late = nodes.values.filter { $0.verifiedIn != current }.map(\.machine.id)
        if !late.isEmpty {
          violations.append("\(step) begins, but \(late) missed \(current)")
        }
      } else {
        violations.append("\(step) follows \(current)")
      }
      for id in nodes.keys { nodes[id]?.verifiedIn = nil }
    }
    self.step = step
    inWork.insert(machine.id)
    let busy = inWork.compactMap { nodes[$0]?.machine }
    let controlPlanes = busy.filter { $0.role == .controlPlane }
    if machine.role == .controlPlane, controlPlanes.count > 1 {
      violations.append("several control planes in work: \(controlPlanes.map(\.id).sorted())")
    }
    if machine.role == .worker {
      if busy.count > workerLimit { violations.append("\(busy.count) machines in work") }
      let open = nodes.values.filter {
        $0.machine.role == .controlPlane && $0.verifiedIn != step
      }
      if !open.isEmpty {
        violations.append("\(machine.id) begins before \(open.map(\.machine.id).sorted())")
      }
    }
  }

  /// Never two control planes between their edit and their restarted, ready API server.
  mutating func checkRestarts(of id: String, at now: Instant) {
    let restarting = nodes.values.filter { node in
      node.machine.id != id && node.pods.restart.map { $0.ends > now } ?? false
    }
    if !restarting.isEmpty {
      violations.append(
        "\(id) is edited while \(restarting.map(\.machine.id).sorted()) are yet to be restarted")
    }
  }

  /// Machines whose time is over go back by themselves.
  mutating func endTrials(at now: Instant) {
    for id in nodes.keys.sorted() {
      guard var node = nodes[id], let trial = node.trial, trial.ends <= now else { continue }
      node.trial = nil
      node.trust[trial.component] = trial.before
      if trial.component == .kubernetesCA, node.machine.role == .controlPlane {
        checkRestarts(of: id, at: trial.ends)
        node.pods.advance(to: trial.ends)
        node.pods.version += 1
        let begins = trial.ends.advanced(by: .milliseconds(500))
        node.pods.restart = (begins, begins.advanced(by: .seconds(2)))
      }
      nodes[id] = node
      wentBack += 1
      checkTrust(trial.component)
    }
  }

  /// Every machine still verifies every other one.
  mutating func checkTrust(_ component: SecretComponent) {
    for a in nodes.values {
      for b in nodes.values {
        guard let mine = a.trust[component], let theirs = b.trust[component] else { continue }
        if !mine.accepted.contains(theirs.issuing) {
          violations.append("\(a.machine.id) does not verify \(b.machine.id)")
        }
      }
    }
  }
}

extension SimulatedCluster {
  /// The retired authorities that each machine that is up accepts.
  func sightings(of retired: RetiredAuthorities) -> [String: Set<RetiredSighting>] {
    let now = clock.now()
    return state.withLock { state in
      var seen: [String: Set<RetiredSighting>] = [:]
      for node in state.nodes.values where node.downUntil <= now {
        var found: Set<RetiredSighting> = []
        for (component, trust) in node.trust {
          for authority in trust.accepted.intersection(retired.fingerprints[component] ?? []) {
            found.insert(RetiredSighting(component, authority))
          }
        }
        seen[node.machine.id] = found
      }
      return seen
    }
  }

  /// Somebody puts an authority back into a machine's list, or takes it out.
  func accept(_ authority: String, _ component: SecretComponent, on id: String, _ accepts: Bool) {
    state.withLock { state in
      if accepts {
        state.nodes[id]?.trust[component]?.accepted.insert(authority)
      } else {
        state.nodes[id]?.trust[component]?.accepted.remove(authority)
      }
    }
  }

  /// What the control planes issue from.
  func issuing(_ component: SecretComponent) -> String {
    state.withLock { state in
      state.nodes.values.first { $0.machine.role == .controlPlane }?.trust[component]?.issuing ?? ""
    }
  }

  /// Another tool has all machines but some issue from an authority of its own, and accept that alone; the others accept it
  /// beside what they had.
  func rival(
    _ authority: String, _ component: SecretComponent, besides some: Set<String> = []
  ) {
    state.withLock { state in
      for (id, node) in state.nodes {
        guard !some.contains(id) else {
          state.nodes[id]?.trust[component]?.accepted.insert(authority)
          continue
        }
        state.nodes[id]?.trust[component] = Trust(issuing: authority, accepted: [authority])
        if node.machine.role == .controlPlane { state.nodes[id]?.keys.insert(authority) }
      }
    }
  }

  /// Whether no control plane issues from the authority on record any more.
  func hasReplaced(_ component: SecretComponent, of record: ClusterRecord) -> Bool {
    guard let known = record.authorities[component]?.fingerprint else { return false }
    return state.withLock { state in
      state.nodes.values.allSatisfy {
        $0.machine.role == .worker || $0.trust[component]?.issuing != known
      }
    }
  }

  /// Somebody else goes on, who need not know what was verified.
  func changeHands() {
    state.withLock { state in
      state.step = nil
      state.inWork = []
      for id in state.nodes.keys { state.nodes[id]?.verifiedIn = nil }
    }
  }

  /// The machine does not answer for so long.
  func silence(_ id: String, for duration: Duration) {
    let until = clock.now().advanced(by: duration)
    state.withLock { $0.nodes[id]?.downUntil = until }
  }
}
