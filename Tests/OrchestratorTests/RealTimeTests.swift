import Foundation
import Orchestrator
import Rotation
import SQLiteStore
import StoreConformance
import Synchronization
import Testing

/// A driver that answers at once, on whatever thread it is asked, and counts.
final class PromptDriver: ClusterDriver {
  private struct State {
    var held: [String: TrustBundle] = [:]
    var made = 0
    var inFlight = 0
    var mostInFlight = 0
  }

  private let state = Mutex(State())

  var made: Int { state.withLock { $0.made } }
  var mostInFlight: Int { state.withLock { $0.mostInFlight } }
  var held: [TrustBundle] { state.withLock { Array($0.held.values) } }

  func discover(
    _ request: DiscoveryRequest
  ) async throws(DriverError) -> DiscoveredCluster {
    let name = request.name
    var cluster = Sample.cluster(name)
    cluster.authorities[.talosCA]?.fingerprint = "talos-ca of \(name)"
    cluster.machines = [
      Machine(id: "\(name)-cp", address: "10.0.0.1", role: .controlPlane),
      Machine(id: "\(name)-w", address: "10.0.0.2", role: .worker),
    ]
    return DiscoveredCluster(cluster)
  }

  func preflight(
    _ component: SecretComponent, options: RotationOptions, access: ClusterAccess
  ) async throws(DriverError) -> Preflight { Preflight(machines: access.cluster.machines) }

  func prepare(
    _ change: TrustChange, machine: Machine, access: ClusterAccess
  ) async throws(DriverError) -> Baseline { Baseline() }

  func standing(_ access: ClusterAccess) async -> ClusterStanding { .current }

  func describe(_ authority: SealedAuthority) -> AuthorityDescription? { nil }

  func makeAuthority(
    _ binding: AuthorityBinding, earliestClock: Instant?
  ) async throws(DriverError) -> SealedAuthority {
    Sample.authority(
      "new-\(state.withLock { state in state.made += 1; return state.made })", binding)
  }

  func members(_ access: ClusterAccess) async throws(DriverError) -> [Machine] {
    access.cluster.machines
  }

  func apply(
    _ change: TrustChange, to machine: Machine, access: ClusterAccess
  ) async throws(DriverError) -> ApplyOutcome {
    state.withLock { state in
      state.inFlight += 1
      state.mostInFlight = max(state.mostInFlight, state.inFlight)
    }
    try? await Task.sleep(for: .milliseconds(5))
    return state.withLock { state in
      state.inFlight -= 1
      state.held[machine.id] = change.bundle(for: machine.role)
      return .changed
    }
  }

  func verify(
    _ change: TrustChange, machine: Machine, baseline: Baseline?, access: ClusterAccess
  ) async -> [CheckResult] {
    let held = state.withLock { $0.held[machine.id] }
    return [CheckResult(.accepted, held == change.bundle(for: machine.role) ? .passed : .failed)]
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
  ) async throws(DriverError) -> ClientConfiguration { ClientConfiguration("") }

  func kubeconfig(
    _ access: ClusterAccess, ttl: Duration
  ) async throws(DriverError) -> ClientConfiguration { ClientConfiguration("") }
}

@Suite("In real time")
struct RealTimeTests {
  static let clock = SystemClock {
    Instant(nanosecondsSince1970: Int64(Date().timeIntervalSince1970 * 1e9))
  }

  static func settings() -> OrchestratorSettings {
    OrchestratorSettings(
      rules: RotationRules(backoff: Backoff(delays: [.milliseconds(1), .milliseconds(5)])))
  }

  @Test(
    "Thirty clusters rotate at once over SQLite, on all threads, stopped and started in between",
    .timeLimit(.minutes(1)))
  func manyClusters() async throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(at: directory) }
    let store = try SQLiteStore(path: directory.path + "/omnid.db", sealer: Sample.sealer)
    let driver = PromptDriver()
    let names = (0..<30).map { "c\($0)" }
    let first = RotationOrchestrator(
      store: store, driver: driver, clock: RealTimeTests.clock, settings: RealTimeTests.settings())
    try await first.start()
    for name in names { _ = try await first.importCluster(name: name, talosconfig: "good") }
    for name in names { _ = try await first.rotate(cluster: name, component: .talosCA) }
    try await Task.sleep(for: .milliseconds(50))
    await first.stop()

    let second = RotationOrchestrator(
      store: store, driver: driver, clock: RealTimeTests.clock, settings: RealTimeTests.settings())
    try await second.start()
    var last: Revision = 0
    var finished: Set<String> = []
    for try await snapshot in try second.watch(stopWhenIdle: true) {
      #expect(snapshot.revision > last)
      last = snapshot.revision
      if snapshot.state == .succeeded { finished.insert(snapshot.cluster) }
    }
    #expect(finished == Set(names))
    #expect(driver.made == names.count)
    #expect(driver.mostInFlight > 1)
    #expect(driver.held.count == 60 && driver.held.allSatisfy { $0.accepted == [.new] })
    await second.stop()
    await store.close()
  }

  @Test("A thousand watches of one cluster all see its end", .timeLimit(.minutes(1)))
  func manyWatches() async throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(at: directory) }
    let store = try SQLiteStore(path: directory.path + "/omnid.db", sealer: Sample.sealer)
    let orchestrator = RotationOrchestrator(
      store: store, driver: PromptDriver(), clock: RealTimeTests.clock,
      settings: RealTimeTests.settings())
    try await orchestrator.start()
    _ = try await orchestrator.importCluster(name: "demo", talosconfig: "good")
    let ticket = try await orchestrator.rotate(cluster: "demo", component: .kubernetesCA)
    let ends = try await withThrowingTaskGroup(of: RotationSnapshot?.self) { group in
      for _ in 0..<1000 {
        let watch = try orchestrator.watch(
          cluster: "demo", afterRevision: ticket.status.revision - 1, stopWhenIdle: true)
        group.addTask {
          var newest: RotationSnapshot?
          for try await snapshot in watch {
            #expect(snapshot.revision > newest?.revision ?? 0)
            newest = snapshot
          }
          return newest
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(ends).count == 1 && ends.first??.state == .succeeded)
    await orchestrator.stop()
    await store.close()
  }
}
