import Orchestrator
import RPC
import Rotation
import Synchronization

/// A cluster of three control planes and two workers that does what the test says.
final class FakeDriver: ClusterDriver {
  struct Behaviour {
    /// What an import meets instead of a cluster.
    var importError: DriverError?
    var membersError: DriverError?
    /// Every import finds the same cluster.
    var sharedIdentity = false
    var importWarnings: [String] = []
    var findings: [Finding] = []
    var preflightNotes: [String] = []
    var standing = ClusterStanding.current
    var authoritiesEnd = Instant(secondsSince1970: 4_000_000_000)
    /// Machines that do not answer.
    var down: Set<String> = []
    /// Machines whose checks never end, until they are taken out.
    var held: Set<String> = []
    var machines = FakeDriver.machines
    /// Applied changes, in order: `PRE_ROTATE cp-1`.
    var applied: [String] = []
    /// The deadlines that calls would inherit which a driver makes for them.
    var deadlines: [ContinuousClock.Instant?] = []
    var authorities = 0
    var issued: [String] = []
    /// When the authorities end.
    var issuerExpiry: Instant?
  }

  static let machines = [
    Machine(id: "cp-1", address: "10.0.0.1", role: .controlPlane),
    Machine(id: "cp-2", address: "10.0.0.2", role: .controlPlane),
    Machine(id: "cp-3", address: "10.0.0.3", role: .controlPlane),
    Machine(id: "worker-1", address: "10.0.0.11", role: .worker),
    Machine(id: "worker-2", address: "10.0.0.12", role: .worker),
  ]

  private let behaviour: Mutex<Behaviour>

  init(_ behaviour: Behaviour = Behaviour()) { self.behaviour = Mutex(behaviour) }

  func update<T: Sendable>(_ change: (inout Behaviour) -> T) -> T {
    behaviour.withLock { change(&$0) }
  }

  var applied: [String] { update { $0.applied } }
  var authorities: Int { update { $0.authorities } }

  func discover(
    _ request: DiscoveryRequest
  ) async throws(DriverError) -> DiscoveredCluster {
    if let error = update({ $0.importError }) { throw error }
    let name = request.name
    let record = ClusterRecord(
      name: name, clusterID: update { $0.sharedIdentity } ? "one" : "id-of-" + name,
      endpoints: ["10.0.0.1", "10.0.0.2"],
      kubernetesEndpoint: "https://10.0.0.1:6443",
      authorities: [
        .talosCA: Self.authority(
          "talos-old-" + name, AuthorityBinding(cluster: name, component: .talosCA)),
        .kubernetesCA: Self.authority(
          "kubernetes-old", AuthorityBinding(cluster: name, component: .kubernetesCA)),
      ],
      machines: update { $0.machines }.reversed(), talosVersion: "v1.10.2")
    return DiscoveredCluster(record, warnings: update { $0.importWarnings })
  }

  func preflight(
    _ component: SecretComponent, options: RotationOptions, access: ClusterAccess
  ) async throws(DriverError) -> Preflight {
    if let error = update({ $0.membersError }) { throw error }
    return update {
      Preflight(machines: $0.machines, findings: $0.findings, notes: $0.preflightNotes)
    }
  }

  func prepare(
    _ change: TrustChange, machine: Machine, access: ClusterAccess
  ) async throws(DriverError) -> Baseline { Baseline() }

  func standing(_ access: ClusterAccess) async -> ClusterStanding { update { $0.standing } }

  func describe(_ authority: SealedAuthority) -> AuthorityDescription? {
    update { behaviour in
      AuthorityDescription(
        subject: "O=talos", notBefore: Instant(secondsSince1970: 1_700_000_000),
        notAfter: behaviour.authoritiesEnd)
    }
  }

  private static func authority(_ name: String, _ binding: AuthorityBinding) -> SealedAuthority {
    SealedAuthority(
      certificatePEM: "PEM of \(name)", fingerprint: name, sealedKey: [1, 2, 3], binding: binding)
  }

  func makeAuthority(
    _ binding: AuthorityBinding, earliestClock: Instant?
  ) async throws(DriverError) -> SealedAuthority {
    Self.authority(
      update {
        $0.authorities += 1
        return "\(binding.component.rawValue)-new-\($0.authorities)"
      }, binding)
  }

  func issuerExpiry(_ component: SecretComponent, access: ClusterAccess) -> Instant? {
    update { $0.issuerExpiry }
  }

  func members(_ access: ClusterAccess) async throws(DriverError) -> [Machine] {
    if let error = update({ $0.membersError }) { throw error }
    return update { $0.machines }
  }

  func apply(
    _ change: TrustChange, to machine: Machine, access: ClusterAccess
  ) async throws(DriverError) -> ApplyOutcome {
    if update({ $0.down.contains(machine.id) }) {
      throw DriverError(.unreachable, "no route to \(machine.address)")
    }
    update {
      $0.applied.append("\(change.phase.name) \(machine.id)")
      $0.deadlines.append(ServerCall.inheritedDeadline)
    }
    return .changed
  }

  func verify(
    _ change: TrustChange, machine: Machine, baseline: Baseline?, access: ClusterAccess
  ) async -> [CheckResult] {
    if update({ $0.down.contains(machine.id) }) {
      return [CheckResult(.reachable, .failed, "no route to \(machine.address)")]
    }
    if update({ $0.held.contains(machine.id) }) {
      return [
        CheckResult(.reachable, .passed), CheckResult(.accepted, .waiting, "not taken over yet"),
      ]
    }
    return [CheckResult(.reachable, .passed), CheckResult(.accepted, .passed)]
  }

  func refreshTrust(
    _ change: TrustChange, of machine: Machine, access: ClusterAccess
  ) async throws(DriverError) {}

  func renewExtensionAuthentication(
    _ change: TrustChange, access: ClusterAccess
  ) async throws(DriverError) {}

  func verifyCluster(
    _ change: TrustChange, baselines: [String: Baseline], access: ClusterAccess
  ) async -> ClusterReport {
    ClusterReport(cluster: [CheckResult(named: "nodes-ready", .passed)])
  }

  func talosconfig(
    _ access: ClusterAccess, roles: [String], ttl: Duration
  ) async throws(DriverError) -> ClientConfiguration {
    update { $0.issued.append("talosconfig \(roles.joined(separator: ",")) \(ttl)") }
    return ClientConfiguration(
      "talosconfig of \(access.cluster.name)", serial: "5e71a1", authority: "talos-ca of demo")
  }

  func kubeconfig(
    _ access: ClusterAccess, ttl: Duration
  ) async throws(DriverError) -> ClientConfiguration {
    update { $0.issued.append("kubeconfig \(ttl)") }
    return ClientConfiguration("kubeconfig of \(access.cluster.name)", serial: "5e71a2")
  }
}

/// Sleeps for real; the time of day stands still.
struct FixedClock: OrchestratorClock {
  static let time = Instant(secondsSince1970: 1_800_000_000)
  private let real = SystemClock { FixedClock.time }

  func now() -> Instant { real.now() }
  func uptime() -> Duration { real.uptime() }
  func sleep(for duration: Duration) async throws(CancellationError) {
    try await real.sleep(for: duration)
  }
}
