import Crypto
import Glibc
import Orchestrator
import Rotation
import Synchronization
import TalosSimulator

@testable import TalosDriver

/// A simulated cluster and a driver beside it, and the steps that an orchestrator would take.
struct DriverHarness: Sendable {
  let cluster: SimulatedCluster
  let driver: TalosDriver

  static func now() -> Int64 { Int64(time(nil)) }

  /// Starts a cluster on addresses of its own.
  static func start(
    _ base: String, layout: ClusterOptions.Layout = .legacy, controlPlanes: Int = 3,
    workers: Int = 2, timing: Timing = .instant,
    clock: HostClock = HostClock(),
    configure: (inout ClusterOptions) -> Void = { _ in },
    patience: (inout TalosDriverSettings) -> Void = { _ in }
  ) async throws -> DriverHarness {
    var options = ClusterOptions()
    options.addressBase = base
    options.port = 0
    options.kubernetesPort = 0
    options.layout = layout
    options.controlPlanes = controlPlanes
    options.workers = workers
    options.timing = timing
    configure(&options)
    let cluster = try await SimulatedCluster(options)
    try await cluster.start()
    var settings = TalosDriverSettings()
    settings.callTimeout = .seconds(5)
    settings.retryDelay = .milliseconds(20)
    settings.retryWindow = .seconds(1)
    settings.applyWindow = .seconds(3)
    settings.lookWindow = .milliseconds(200)
    settings.longLookWindow = .milliseconds(200)
    settings.probeTimeout = .seconds(2)
    settings.portRereading = .milliseconds(100)
    patience(&settings)
    let sealer = try Sealer(masterKey: Random.bytes(32))
    return DriverHarness(
      cluster: cluster,
      driver: TalosDriver(sealer: sealer, settings: settings, now: clock.now))
  }

  func importCluster() async throws -> ClusterRecord {
    try await discovered().record
  }

  func discovered(endpoints: [String] = []) async throws -> DiscoveredCluster {
    try await driver.discover(
      DiscoveryRequest(
        name: "demo", talosconfig: cluster.talosconfig, endpoints: endpoints))
  }

  /// What `discover` throws.
  func refusal(_ talosconfig: String? = nil, context: String? = nil) async -> DriverError? {
    do throws(DriverError) {
      _ = try await driver.discover(
        DiscoveryRequest(
          name: "demo", talosconfig: talosconfig ?? cluster.talosconfig, context: context))
      return nil
    } catch { return error }
  }

  /// Whether it is proved that a machine has left.
  func hasLeft(_ machine: Machine, _ access: ClusterAccess) async -> Bool {
    await driver.departure(of: machine, access: access) == .proved
  }

  func change(
    _ component: SecretComponent, _ record: ClusterRecord
  ) async throws -> TrustChange {
    guard let old = record.authorities[component] else {
      throw DriverError(.internalError, "not imported")
    }
    return TrustChange(
      component: component, phase: .preRotate, old: old,
      new: try await driver.makeAuthority(
        AuthorityBinding(cluster: record.name, component: component, rotation: "r1"),
        earliestClock: nil))
  }

  /// Asks until every check is settled, and answers with the last results.
  func verified(
    _ change: TrustChange, _ machine: Machine, _ record: ClusterRecord,
    baseline: Baseline? = nil, within limit: Duration = .seconds(15)
  ) async -> [CheckResult] {
    let access = ClusterAccess(cluster: record, rotation: change)
    return await settled(within: limit) {
      await driver.verify(change, machine: machine, baseline: baseline, access: access)
    }
  }

  func gate(
    _ change: TrustChange, _ record: ClusterRecord, within limit: Duration = .seconds(15)
  ) async -> [CheckResult] {
    let access = ClusterAccess(cluster: record, rotation: change)
    return await settled(within: limit) {
      let results = await driver.verifyCluster(change, baselines: [:], access: access).all
      let open = results.filter { !$0.isSettled }
      if !open.isEmpty, open.allSatisfy({ $0.isNamed(.extensionAuthentication) }) {
        try? await driver.renewExtensionAuthentication(change, access: access)
      }
      return results
    }
  }

  private func settled(
    within limit: Duration, _ ask: () async -> [CheckResult]
  ) async -> [CheckResult] {
    let end = ContinuousClock.now + limit
    var results = await ask()
    while !results.allSatisfy(\.isSettled), ContinuousClock.now < end {
      try? await Task.sleep(for: .milliseconds(30))
      results = await ask()
    }
    return results
  }

  /// One stage on every machine, in the order of a rotation. Answers with what did not settle.
  func runStage(_ change: TrustChange, _ record: ClusterRecord) async throws -> [String] {
    let access = ClusterAccess(cluster: record, rotation: change)
    for machine in record.machines {
      let baseline = try await driver.prepare(change, machine: machine, access: access)
      try await applied(change, to: machine, access)
      let results = await verified(change, machine, record, baseline: baseline)
      let open = results.filter { !$0.isSettled }
      guard open.isEmpty else { return open.map { "\(machine.id): \($0)" } }
    }
    return await gate(change, record).filter { !$0.isSettled }.map { "gate: \($0)" }
  }

  /// Applies a change as the orchestrator does: as long as the driver refuses, since another control plane is
  /// yet to be restarted, it is offered again.
  func applied(
    _ change: TrustChange, to machine: Machine, _ access: ClusterAccess
  ) async throws {
    let end = ContinuousClock.now + .seconds(20)
    while true {
      do throws(DriverError) {
        _ = try await driver.apply(change, to: machine, access: access)
        return
      } catch {
        guard error.code == .refused, ContinuousClock.now < end else { throw error }
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  /// A rotation from end to end. Answers with the change as it was in the last stage.
  func rotate(
    _ component: SecretComponent, _ record: ClusterRecord
  ) async throws -> (change: TrustChange, open: [String]) {
    var change = try await change(component, record)
    for phase in RotationPhase.allCases {
      change.phase = phase
      let open = try await runStage(change, record)
      guard open.isEmpty else { return (change, open.map { "\(phase.name): \($0)" }) }
    }
    return (change, [])
  }

  /// What a machine's configuration holds now.
  func config(
    _ machine: Machine, _ record: ClusterRecord, _ rotation: TrustChange? = nil
  ) async throws -> [UInt8] {
    let access = ClusterAccess(cluster: record, rotation: rotation)
    return try await driver.withMachine(machine, access) {
      client async throws(TalosFailure) in try await client.machineConfig()
    }
  }
}

extension ClusterReport {
  /// The results of all machines, in the order of their names, and of the cluster.
  var all: [CheckResult] { machines.sorted { $0.key < $1.key }.flatMap(\.value) + cluster }
}

/// The clock of the driver's host, which can be put forward: the driver takes an authority for expired that machines believe
/// still.
final class HostClock: Sendable {
  private let ahead = Mutex<Int64>(0)

  func now() -> Int64 { DriverHarness.now() + ahead.withLock { $0 } }

  func pass(seconds: Int64) { ahead.withLock { $0 += seconds } }
}
