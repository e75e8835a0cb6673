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

/// A driver over simulated clusters, as one incarnation of the process holds it.
struct SimulatedDriver: ClusterDriver {
  let clusters: [String: SimulatedCluster]
  let clock: SimulatedExecutor
  let life: Incarnation
  let mischief: Mischief
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

  func discover(
    name: String, talosconfig: String, context: String?
  ) async throws(DriverError) -> ClusterRecord {
    try await travel()
    switch talosconfig {
    case "old": throw DriverError(.unsupportedVersion, "Talos v1.6.0 is too old: 1.7 or later")
    case "garbage": throw DriverError(.invalidInput, "the talosconfig is not YAML")
    case "stranger": throw DriverError(.unauthenticated, "unknown certificate authority")
    default: break
    }
    guard let cluster = clusters[name] else { throw DriverError(.unreachable, "no answer") }
    return cluster.record
  }

  func makeAuthority(_ binding: AuthorityBinding) async throws(DriverError) -> SealedAuthority {
    made.make(binding)
  }

  func members(_ access: ClusterAccess) async throws(DriverError) -> [Machine] {
    try await travel()
    if clock.chance(mischief.failBefore) { throw DriverError(.unreachable, "timeout") }
    return try cluster(access).members.reversed()
  }

  func hasLeft(_ machine: Machine, access: ClusterAccess) async -> Bool {
    guard let cluster = try? cluster(access), (try? await travel()) != nil else { return false }
    return cluster.hasLeft(machine.id)
  }

  func apply(
    _ change: TrustChange, to machine: Machine, access: ClusterAccess
  ) async throws(DriverError) -> ApplyOutcome {
    let cluster = try cluster(access)
    try await travel()
    guard life.step() else { throw DriverError(.internalError, "dead") }
    if cluster.isDown(machine.id) { throw DriverError(.unreachable, "no route to host") }
    if clock.chance(mischief.failBefore) { throw DriverError(.refused, "busy") }
    await expectRecorded(change, machine, in: cluster)
    let outcome = cluster.apply(change, to: machine, mischief: mischief)
    if clock.chance(mischief.outage) {
      cluster.takeDown(machine.id, for: .seconds(clock.pick(1...300)))
    }
    guard life.step() else { throw DriverError(.internalError, "dead") }
    try await travel()
    if clock.chance(mischief.failAfter) { throw DriverError(.unreachable, "connection reset") }
    return outcome
  }

  /// Nothing is done to a machine that the journal does not announce.
  private func expectRecorded(
    _ change: TrustChange, _ machine: Machine, in cluster: SimulatedCluster
  ) async {
    let newest = try? await clock.elsewhere { () async throws(StoreError) in
      try await journal.rotations(cluster: cluster.name, before: nil, limit: 1).first
    }
    let stage = newest?.state.stage
    let announced = stage?.machines.first { $0.machine.id == machine.id }?.state
    guard case .applying? = announced, stage?.phase == change.phase, newest?.new == change.new
    else {
      cluster.state.withLock {
        $0.violations.append("\(machine.id) is changed in \(change.phase), unannounced")
      }
      return
    }
  }

  func verify(
    _ change: TrustChange, machine: Machine, access: ClusterAccess
  ) async -> [CheckResult] {
    do {
      try await travel()
      if clock.chance(mischief.failBefore) { throw DriverError(.unreachable, "timeout") }
      let cluster = try cluster(access)
      if clock.chance(mischief.overwrite) { cluster.overwrite(machine, change) }
      return cluster.verify(change, machine)
    } catch {
      return [CheckResult(CheckResult.reachable, .failed, "timeout")]
    }
  }

  func verifyCluster(_ change: TrustChange, access: ClusterAccess) async -> [CheckResult] {
    do {
      try await travel()
      return try cluster(access).verifyCluster(change)
    } catch {
      return [CheckResult("kubernetes", .waiting, "no answer")]
    }
  }

  func talosconfig(
    _ access: ClusterAccess, roles: [String], ttl: Duration
  ) async throws(DriverError) -> String {
    "talosconfig of \(access.cluster.name) for \(roles) in "
      + (access.rotation?.phase.name ?? "peace")
  }

  func kubeconfig(_ access: ClusterAccess, ttl: Duration) async throws(DriverError) -> String {
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
