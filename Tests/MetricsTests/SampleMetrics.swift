import Access
import RPC
import RPCTransport
import Rotation
import StoreConformance

@testable import Metrics
@testable import Orchestrator

/// Every metric there is, of a server on which much happens.
enum SampleMetrics {
  /// - Parameter cluster: the name of the one cluster.
  static func views(
    cluster name: String = "prod", state: RotationMachine.State, marks: [ClusterMark] = []
  ) -> [ClusterView] {
    var record = Sample.cluster(name, count: 1)
    record.marks = marks
    record.credentials = HeldCredentials(
      [(SecretComponent.talosCA, 365), (.talosCA, 30), (.kubernetesCA, 7), (.talosCA, 1)].map {
        component, days in
        HeldCredential(
          component: component, authority: record.authorities[component]?.fingerprint ?? "",
          holder: "uid:0", roles: ["os:admin"], serial: "0\(days)", issuedAt: Sample.instant,
          expiresAt: Sample.instant.advanced(by: .seconds(days * 86_400)))
      })
    record.returned = [
      ReturnedAuthority(
        machine: "w-1", component: .talosCA, fingerprint: "ab", since: Sample.instant),
      ReturnedAuthority(
        machine: "w-1", component: .talosCA, fingerprint: "cd", since: Sample.instant),
    ]
    record.staleTrust = [
      StaleTrust(
        component: .talosCA, rotation: "r0", changedBy: Sample.instant,
        count: StaleTrustCount(total: 3, holders: [])),
      StaleTrust(component: .kubernetesCA, rotation: "r1", changedBy: Sample.instant),
    ]
    return [
      ClusterView(
        record: record,
        rotation: RotationSnapshot(
          cluster: record, rotation: Sample.rotation("r1", cluster: name, state: state)),
        expiries: [.talosCA: Sample.instant], isOutdated: true)
    ]
  }

  static func families() throws -> [MetricFamily] {
    var stage = Sample.states.compactMap(\.stage)[0]
    stage.hold = StageHold(phase: stage.phase, hook: "10-window", effort: Sample.effort)
    let rolling = RotationMachine.State.rolling(stage)
    let marks = [ClusterMark(.leakedSecrets, since: Sample.instant, pending: [.talosCA])]
    let grant = AccessGrant(
      id: "1", kind: .token, name: "ci", role: .reader,
      issuedAt: Sample.instant, expiresAt: Sample.instant, issuedBy: "uid:0")
    var router = ServiceRouter()
    router.handle(Echo.unary) { request, _ in request }
    router.handle(Echo.stream) { (_: [UInt8], _: ResponseWriter<[UInt8]>, _: ServerCall) in }
    return ServerMetrics(
      version: "1.2.3", startedAt: 1, isReady: true, connections: 2, connectionLimit: 3,
      troubles: [.refused: 4], watchers: 5, revision: 6
    ).families + CallMetrics(router.tallies).families
      + RotationMetrics(views(state: rolling, marks: marks), leftOut: 1, now: Sample.instant)
      .families
      + AccessMetrics([grant], authorityExpiry: Sample.instant, now: Instant(secondsSince1970: 0))
      .families + TimedStore(UnreachableStore()).families
      + BackupMetrics(lastSuccess: Sample.instant, failures: 0).families
      + TrustBundleMetrics(isWritten: true, failures: 0).families
      + NotificationMetrics([
        NotificationMetrics.Target(
          name: "ops", sent: 1, failedTries: 2, dropped: 3, pending: 4, lastSuccess: Sample.instant)
      ]).families
      + HookMetrics([.refused: 1]).families
  }
}

/// Methods that send back what they are sent.
enum Echo {
  static let unary = RPC.Method<[UInt8], [UInt8]>(
    service: "test.S", name: "Echo", kind: .unary, request: .bytes, response: .bytes)
  static let stream = RPC.Method<[UInt8], [UInt8]>(
    service: "test.S", name: "Stream", kind: .serverStreaming, request: .bytes, response: .bytes)
}

/// A store on a disk that is gone.
struct UnreachableStore: RotationStore {
  private static let gone = StoreError(.unavailable, "gone")
  func load() async throws(StoreError) -> StoreContents { throw Self.gone }
  func commit(_ changes: [StoreChange]) async throws(StoreError) -> Revision { throw Self.gone }
  func cluster(_ name: String) async throws(StoreError) -> ClusterRecord? { nil }
  func clusters(after name: String?, limit: Int) async throws(StoreError) -> [ClusterRecord] { [] }
  func rotation(_ id: String) async throws(StoreError) -> RotationRecord? { nil }
  func rotations(
    cluster: String, before ordinal: UInt64?, limit: Int
  ) async throws(StoreError) -> [RotationRecord] { [] }
  func request(_ id: String, cluster: String) async throws(StoreError) -> RequestRecord? { nil }
  func requestCount(cluster: String, ordinal: UInt64) async throws(StoreError) -> Int { 0 }
}
