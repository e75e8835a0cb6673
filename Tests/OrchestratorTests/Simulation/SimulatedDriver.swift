import Orchestrator
import Rotation
import Synchronization

/// The life of one process: once it is over, nothing that belonged to it has any effect.
///
/// Death comes at a chosen step; every write to the journal and every effect on a machine has a
/// step before and one after it.
final class Incarnation: Sendable {
  private let remaining: Mutex<Int>

  /// - Parameter lifetime: the steps until death; nil: for ever.
  init(lifetime: Int? = nil) { remaining = Mutex(lifetime ?? .max) }

  /// Takes one step. False: the process is dead.
  func step() -> Bool {
    remaining.withLock {
      guard $0 > 0 else { return false }
      if $0 != .max { $0 -= 1 }
      return $0 > 0
    }
  }

  var isDead: Bool { remaining.withLock { $0 <= 0 } }

  func kill() { remaining.withLock { $0 = 0 } }
}

/// A driver over simulated clusters, as one incarnation of the process holds it. It keeps what the port
/// promises (a machine is who it shows itself to be, a key goes only where one was) unless it is given a
/// flaw.
struct SimulatedDriver: ClusterDriver {
  let clusters: [String: SimulatedCluster]
  let clock: SimulatedExecutor
  let life: Incarnation
  let mischief: Mischief
  let flaws: Set<SimulatedCluster.Flaw>
  let made: MadeAuthorities
  /// What is really in the journal, whatever the process believes.
  let journal: any RotationStore

  private func travel() async throws(DriverError) {
    do { try await clock.sleep(for: .milliseconds(clock.pick(1...200))) } catch {
      throw DriverError(.unreachable, "cancelled")
    }
    if life.isDead { throw DriverError(.internalError, "dead") }
  }

  private func cluster(_ access: ClusterAccess) throws(DriverError) -> SimulatedCluster {
    guard let cluster = clusters[access.cluster.name] else {
      throw DriverError(.unreachable, "no such cluster")
    }
    return cluster
  }

  // MARK: - Before a rotation

  func discover(_ request: DiscoveryRequest) async throws(DriverError) -> DiscoveredCluster {
    try await travel()
    switch request.talosconfig {
    case "old": throw DriverError(.unsupportedVersion, "Talos v1.6.0 is too old: 1.7 or later")
    case "garbage": throw DriverError(.invalidInput, "the talosconfig is not YAML")
    case "stranger": throw DriverError(.unauthenticated, "unknown certificate authority")
    default: break
    }
    // A cluster is known by its machines, not by the name it is imported under.
    let name =
      request.talosconfig.hasPrefix("of ")
      ? String(request.talosconfig.dropFirst(3)) : request.name
    guard let cluster = clusters[name] else { throw DriverError(.unreachable, "no answer") }
    return DiscoveredCluster(cluster.record)
  }

  func preflight(
    _ component: SecretComponent, options: RotationOptions, access: ClusterAccess
  ) async throws(DriverError) -> Preflight {
    try await travel()
    if clock.chance(mischief.failBefore) { throw DriverError(.unreachable, "timeout") }
    let cluster = try cluster(access)
    let findings = cluster.state.withLock { state in
      state.soughtAtStarts.append(Set(access.retired.authorities.map(\.fingerprint)))
      return state.findings
    }
    var preflight = Preflight(
      machines: cluster.members, findings: findings,
      unready: Set(findings.filter { $0.kind == .unready }.map { "node/" + $0.subject }),
      earliestClock: cluster.earliestClock)
    preflight.leftOut = options.leftOut.bound(to: access.cluster.machines)
    preflight.goneEndpoints = cluster.state.withLock { $0.goneEndpoints }
    return preflight
  }

  func makeAuthority(
    _ binding: AuthorityBinding, earliestClock: Instant?
  ) async throws(DriverError) -> SealedAuthority {
    let authority = made.make(binding)
    let isOwn = flaws.contains(.ignoresClocks)
    let since = isOwn ? clock.now() : min(clock.now(), earliestClock ?? clock.now())
    clusters[binding.cluster]?.state.withLock { $0.validSince[authority.fingerprint] = since }
    return authority
  }

  func standing(_ access: ClusterAccess) async -> ClusterStanding {
    guard let cluster = try? cluster(access) else { return .unknown("no such cluster") }
    let planes = access.cluster.machines.filter { $0.role == .controlPlane }
    guard planes.contains(where: { !cluster.isDown($0.id) }) else {
      return .unknown("no control plane answers")
    }
    for component in SecretComponent.allCases {
      let trusts = cluster.state.withLock { state in
        state.nodes.values.filter { $0.machine.role == .controlPlane }
          .compactMap { $0.trust[component] }
      }
      if let change = access.rotation, change.component == component {
        if trusts.allSatisfy({ $0.hasOvertaken(change) }) {
          return .overtaken(component, "the machines are further than the record")
        }
        continue
      }
      if let issuing = trusts.first?.issuing,
        issuing != access.cluster.authorities[component]?.fingerprint
      {
        return .outdated(component, "the machines issue from \(issuing)")
      }
    }
    return .current
  }

  func describe(_ authority: SealedAuthority) -> AuthorityDescription? {
    let cluster = clusters[authority.binding.cluster]
    guard let end = cluster?.state.withLock({ $0.expiries[authority.fingerprint] }) else {
      return nil
    }
    return AuthorityDescription(
      subject: "", notBefore: Instant(secondsSince1970: 0), notAfter: end)
  }

  // MARK: - Members

  func members(_ access: ClusterAccess) async throws(DriverError) -> [Machine] {
    try await travel()
    if clock.chance(mischief.failBefore) { throw DriverError(.unreachable, "timeout") }
    let cluster = try cluster(access)
    cluster.state.withLock {
      $0.soughtInLists.append(Set(access.retired.authorities.map(\.fingerprint)))
    }
    try requireTalos(cluster, access)
    let members = Array(cluster.members.reversed()).filter { !isLeftOut($0, cluster, access) }
    if flaws.contains(.sendsKeyToAnyone) { return members }
    if flaws.contains(.workersFirst) {
      return members.map { member in
        var member = member
        member.role = member.role == .worker ? .controlPlane : .worker
        return member
      }
    }
    for member in members where member.role == .controlPlane {
      let holdsKey = cluster.state.withLock { $0.nodes[member.id]?.keys.isEmpty == false }
      guard holdsKey else {
        throw DriverError(.conflict, "\(member.id) calls itself a control plane and holds no key")
      }
    }
    return members
  }

  func departure(of machine: Machine, access: ClusterAccess) async -> Departure {
    guard let cluster = try? cluster(access), (try? await travel()) != nil else {
      return .doubted("")
    }
    if isLeftOut(machine, cluster, access) { return .said }
    return cluster.hasLeft(machine.id) ? .proved : .doubted("dropped once it has no node")
  }

  private func isLeftOut(
    _ machine: Machine, _ cluster: SimulatedCluster, _ access: ClusterAccess
  ) -> Bool {
    access.rotation?.options.leftOut.contains(machine) == true && cluster.isDown(machine.id)
  }

  /// Any two machines, others each time: whose processes lead changes behind the driver's back.
  func unreachable(_ machines: [Machine], access: ClusterAccess) async -> Set<String> {
    guard let cluster = try? cluster(access) else { return [] }
    return Set(machines.map(\.id).filter(cluster.isDown))
  }

  func leaders(_ access: ClusterAccess) async -> [String] {
    guard mischief.leaders, (try? await travel()) != nil,
      let members = try? cluster(access).members, !members.isEmpty
    else { return [] }
    return (0..<2).map { _ in members[clock.pick(0...(members.count - 1))].id }
  }

  /// - Throws: `.unauthenticated` where another tool has given all machines another Talos CA than the record has: nobody can
  ///   be reached by that.
  private func requireTalos(
    _ cluster: SimulatedCluster, _ access: ClusterAccess
  ) throws(DriverError) {
    guard access.rotation?.component == .kubernetesCA,
      cluster.hasReplaced(.talosCA, of: access.cluster)
    else { return }
    throw DriverError(.unauthenticated, "unknown certificate authority")
  }

  /// Who answers at a machine's address.
  private func answering(
    _ machine: Machine, in cluster: SimulatedCluster
  ) throws(DriverError) -> String {
    let id = cluster.answering(at: machine)
    guard id == machine.id || flaws.contains(.trustsAddresses) else {
      throw DriverError(.conflict, "\(machine.address) is answered by another machine")
    }
    return id
  }

  // MARK: - Changing and looking

  func prepare(
    _ change: TrustChange, machine: Machine, access: ClusterAccess
  ) async throws(DriverError) -> Baseline {
    try await travel()
    let cluster = try cluster(access)
    if cluster.isDown(machine.id) { throw DriverError(.unreachable, "no route to host") }
    try requireTalos(cluster, access)
    if clock.chance(mischief.failBefore) { throw DriverError(.unreachable, "timeout") }
    return cluster.baseline(change, machine)
  }

  func apply(
    _ change: TrustChange, to machine: Machine, access: ClusterAccess
  ) async throws(DriverError) -> ApplyOutcome {
    let cluster = try cluster(access)
    try await travel()
    guard life.step() else { throw DriverError(.internalError, "dead") }
    if cluster.isDown(machine.id) { throw DriverError(.unreachable, "no route to host") }
    if clock.chance(mischief.failBefore) { throw DriverError(.refused, "busy") }
    try requireTalos(cluster, access)
    let id = try answering(machine, in: cluster)
    if !flaws.contains(.ignoresRestart) {
      try cluster.requireOthersReady(change, machine)
    }
    try cluster.requireRecord(change, machine, id)
    try cluster.requireOurs(id, flaws)
    try cluster.requireGenuine(change, machine, flaws)
    await expectRecorded(change, machine, in: cluster)
    let outcome = cluster.apply(
      change, to: machine, answering: id, mischief: mischief, flaws: flaws)
    if clock.chance(mischief.outage) {
      cluster.takeDown(machine.id, for: .seconds(clock.pick(1...300)))
    }
    func sent(_ error: DriverError) -> DriverError {
      var error = error
      error.sent = true
      return error
    }
    guard life.step() else { throw sent(DriverError(.internalError, "dead")) }
    do { try await travel() } catch { throw sent(error) }
    if clock.chance(mischief.failAfter) {
      throw sent(DriverError(.unreachable, "connection reset"))
    }
    return outcome
  }

  func refreshTrust(
    _ change: TrustChange, of machine: Machine, access: ClusterAccess
  ) async throws(DriverError) {
    let cluster = try cluster(access)
    try await travel()
    guard life.step() else { throw DriverError(.internalError, "dead") }
    if cluster.isDown(machine.id) { throw DriverError(.unreachable, "no route to host") }
    if clock.chance(mischief.failBefore) { throw DriverError(.refused, "busy") }
    await expect(change, in: cluster, "\(machine.id) is made to ask for its trust") { state in
      let progress = state.stage?.machines.first { $0.machine.id == machine.id }
      if case .refreshing? = progress?.state { return true } else { return false }
    }
    cluster.refreshTrust(of: machine)
    guard life.step() else { throw DriverError(.internalError, "dead") }
    if clock.chance(mischief.failAfter) { throw DriverError(.unreachable, "connection reset") }
  }

  func persist(
    _ change: TrustChange, on machine: Machine, access: ClusterAccess
  ) async throws(DriverError) {
    let cluster = try cluster(access)
    try await travel()
    guard life.step() else { throw DriverError(.internalError, "dead") }
    if cluster.isDown(machine.id) { throw DriverError(.unreachable, "no route to host") }
    if clock.chance(mischief.failBefore) { throw DriverError(.refused, "busy") }
    await expect(change, in: cluster, "\(machine.id) is told to keep its change") { state in
      let progress = state.stage?.machines.first { $0.machine.id == machine.id }
      if case .persisting? = progress?.state { return true } else { return false }
    }
    try cluster.persist(change, on: machine)
    guard life.step() else { throw DriverError(.internalError, "dead") }
    if clock.chance(mischief.failAfter) { throw DriverError(.unreachable, "connection reset") }
  }

  func renewExtensionAuthentication(
    _ change: TrustChange, access: ClusterAccess
  ) async throws(DriverError) {
    let cluster = try cluster(access)
    try await travel()
    guard life.step() else { throw DriverError(.internalError, "dead") }
    if clock.chance(mischief.failBefore) { throw DriverError(.unreachable, "timeout") }
    await expect(change, in: cluster, "a ConfigMap is deleted") { state in
      if case .gating(_, let gate) = state { return gate.step == .renewal } else { return false }
    }
    cluster.state.withLock {
      $0.clientRoots = [
        change.authority(change.bundle(for: .controlPlane).issuing).fingerprint
      ]
    }
    guard life.step() else { throw DriverError(.internalError, "dead") }
    if clock.chance(mischief.failAfter) { throw DriverError(.unreachable, "connection reset") }
  }

  /// Nothing is done to a machine that the journal does not announce.
  private func expectRecorded(
    _ change: TrustChange, _ machine: Machine, in cluster: SimulatedCluster
  ) async {
    await expect(change, in: cluster, "\(machine.id) is changed in \(change.phase)") { state in
      let progress = state.stage?.machines.first { $0.machine.id == machine.id }
      if case .applying? = progress?.state { return true } else { return false }
    }
  }

  /// - Parameter isAnnounced: whether the rotation's newest record speaks of what is being done.
  private func expect(
    _ change: TrustChange, in cluster: SimulatedCluster, _ what: String,
    _ isAnnounced: (RotationMachine.State) -> Bool
  ) async {
    let newest = try? await clock.elsewhere { () async throws(StoreError) in
      try await journal.rotations(cluster: cluster.name, before: nil, limit: 1).first
    }
    guard let newest, isAnnounced(newest.state), let stage = newest.state.stage,
      stage.phase == change.phase, stage.direction == change.direction,
      newest.new == change.new
    else {
      cluster.state.withLock { $0.violations.append("\(what), unannounced") }
      return
    }
  }

  func awaitChange(
    _ change: TrustChange, of machine: Machine, access: ClusterAccess, atMost limit: Duration,
    by clock: any OrchestratorClock
  ) async throws(CancellationError) {
    guard let cluster = try? cluster(access) else { return try await clock.sleep(for: limit) }
    var slept = Duration.zero
    let wasDown = cluster.isDown(machine.id)
    while slept < limit, !(mischief.shows && cluster.isDown(machine.id) != wasDown) {
      let part = mischief.shows ? min(limit - slept, .milliseconds(100)) : limit
      try await clock.sleep(for: part)
      slept += part
    }
    cluster.state.withLock { $0.pauses.append((limit, slept)) }
  }

  func verify(
    _ change: TrustChange, machine: Machine, baseline: Baseline?, access: ClusterAccess
  ) async -> [CheckResult] {
    if let cluster = try? cluster(access) { meddle(machine, change, in: cluster) }
    return await look(change, machine: machine, baseline: baseline, access: access)
  }

  private func look(
    _ change: TrustChange, machine: Machine, baseline: Baseline?, access: ClusterAccess
  ) async -> [CheckResult] {
    do throws(DriverError) {
      try await travel()
      if clock.chance(mischief.failBefore) { throw DriverError(.unreachable, "timeout") }
      let cluster = try cluster(access)
      try requireTalos(cluster, access)
      let id = try answering(machine, in: cluster)
      return cluster.verify(change, machine, answering: id, baseline: baseline, flaws: flaws)
    } catch {
      return [CheckResult(.reachable, .failed, error.message)]
    }
  }

  /// What others do just before a machine is looked at.
  private func meddle(_ machine: Machine, _ change: TrustChange, in cluster: SimulatedCluster) {
    if clock.chance(mischief.overwrite) { cluster.overwrite(machine, change) }
    let machines = cluster.members
    if clock.chance(mischief.overwriteAny), !machines.isEmpty {
      // Whoever overwrites puts back what the stage found, which only a machine that was changed lacks.
      let victim = machines[clock.pick(0...(machines.count - 1))]
      let isDone = cluster.state.withLock {
        $0.nodes[victim.id]?.verifiedIn == SimulatedCluster.Step(change)
      }
      if isDone { cluster.overwrite(victim, change) }
    }
    if mischief.staged > 0, clock.chance(mischief.staged), !machines.isEmpty {
      let victim = machines[clock.pick(0...(machines.count - 1))]
      cluster.stage(victim.id, for: .seconds(clock.pick(1...120)))
    }
    if mischief.usurped > 0, clock.chance(mischief.usurped), !machines.isEmpty {
      let victim = machines[clock.pick(0...(machines.count - 1))]
      cluster.usurp(victim.id, for: .seconds(clock.pick(1...120)))
    }
    if clock.chance(mischief.foreign), !machines.isEmpty {
      let victim = machines[clock.pick(0...(machines.count - 1))]
      cluster.addForeign(
        "somebody else's", to: victim.id, for: .seconds(clock.pick(1...120)))
    }
  }

  func sightings(
    of retired: RetiredAuthorities, access: ClusterAccess
  ) async -> [String: Set<RetiredSighting>] {
    guard (try? await travel()) != nil, let cluster = try? cluster(access) else { return [:] }
    return cluster.sightings(of: retired)
  }

  func verifyCluster(
    _ change: TrustChange, baselines: [String: Baseline], access: ClusterAccess
  ) async -> ClusterReport {
    do {
      try await travel()
      let cluster = try cluster(access)
      var report = ClusterReport(cluster: cluster.verifyCluster(change))
      if change.component == .talosCA, change.phase != .preRotate || change.direction == .backward,
        cluster.hasReplaced(.kubernetesCA, of: access.cluster)
      {
        report.cluster.append(
          CheckResult(.coverage, .failed, "the Kubernetes nodes cannot be listed"))
      }
      // What is undone between the look at a machine and the end of the gate nobody can see any more.
      for machine in access.cluster.machines { meddle(machine, change, in: cluster) }
      for machine in access.cluster.machines {
        report.machines[machine.id] = await look(
          change, machine: machine, baseline: baselines[machine.id], access: access)
      }
      return report
    } catch {
      return ClusterReport(cluster: [CheckResult(named: "kubernetes", .waiting, "no answer")])
    }
  }

  func talosconfig(
    _ access: ClusterAccess, roles: [String], ttl: Duration
  ) async throws(DriverError) -> ClientConfiguration {
    let isOld = access.rotation.map { $0.phase == .preRotate && $0.direction == .forward } ?? true
    let issuer = isOld ? access.cluster.authorities[.talosCA] : access.rotation?.new
    return ClientConfiguration(
      "talosconfig of \(access.cluster.name) for \(roles) in "
        + (access.rotation?.phase.name ?? "peace"), serial: "5e",
      authority: issuer?.fingerprint ?? "")
  }

  func kubeconfig(
    _ access: ClusterAccess, ttl: Duration
  ) async throws(DriverError) -> ClientConfiguration {
    throw DriverError(.unreachable, "no control plane answers")
  }
}

/// Every authority that was ever made, by whichever incarnation.
final class MadeAuthorities: Sendable {
  private let fingerprints = Mutex<[SecretComponent: [String]]>([:])

  func make(_ binding: AuthorityBinding) -> SealedAuthority {
    fingerprints.withLock { made in
      let component = binding.component
      let fingerprint = "\(component.rawValue)/new-\(made[component]?.count ?? 0)"
      made[component, default: []].append(fingerprint)
      return SealedAuthority(
        certificatePEM: "pem", fingerprint: fingerprint, sealedKey: [2], binding: binding)
    }
  }

  func count(_ component: SecretComponent) -> Int {
    fingerprints.withLock { $0[component]?.count ?? 0 }
  }
}
