import Access
import AccessControl
import Crypto
import Daemon
import Interceptors
import ManagementService
import Metrics
import Orchestrator
import RPC
import RPCTransport
import Release
import Rotation
import StandardServices
import Synchronization

/// What omnid tells of itself: whether it takes calls, and its metrics.
final class Monitoring: Sendable {
  let options: ServeOptions
  let orchestrator: RotationOrchestrator
  let management: ManagementHandlers
  let access: AccessParts
  let store: TimedStore
  let health: HealthService
  let opening: OneTimeEvent
  let clock: any OrchestratorClock
  private let backups = Mutex<BackupSchedule?>(nil)
  private let publication = Mutex<TrustDirectory?>(nil)
  private let hooks = Mutex<StageHookDirectory?>(nil)
  private let notifier: Notifier
  let expiries = AuthorityExpiries()
  private let startedAt = WallClock.nanosecondsSince1970() / 1_000_000_000

  init(
    options: ServeOptions, orchestrator: RotationOrchestrator, management: ManagementHandlers,
    access: AccessParts, store: TimedStore, health: HealthService, opening: OneTimeEvent,
    clock: any OrchestratorClock, notifier: Notifier
  ) {
    self.notifier = notifier
    self.options = options
    self.orchestrator = orchestrator
    self.management = management
    self.access = access
    self.store = store
    self.health = health
    self.opening = opening
    self.clock = clock
  }

  /// What makes backups; nil: nothing does.
  func backs(up schedule: BackupSchedule?) { backups.withLock { $0 = schedule } }

  /// What writes trust bundles; nil: nothing does.
  func publishes(_ directory: TrustDirectory?) { publication.withLock { $0 = directory } }

  /// Who is asked before a stage; nil: nobody is.
  func asks(_ directory: StageHookDirectory?) { hooks.withLock { $0 = directory } }

  /// Why no calls are taken; nil while they are.
  @Sendable func unreadiness() async -> String? {
    if !opening.hasHappened { return "omnid is reading its store" }
    if !health.isServing { return "omnid is stopping" }
    // Where the store is, and what is wrong with it, strangers need not know.
    return await store.obstacle() == nil
      ? nil : "omnid cannot use its store: the log and the answers to calls say why"
  }

  /// - Parameter tallies: of the methods that are served.
  func metrics(_ tallies: [CallTally]) -> MetricsResource {
    MetricsResource(
      isReady: { [opening] in opening.hasHappened }, identify: identify,
      collect: { await self.families(for: $0, tallies) })
  }

  /// What has to be trusted of each cluster.
  var trust: TrustResource {
    TrustResource(
      orchestrator: orchestrator, refusals: access.refusals,
      isReady: { [opening] in opening.hasHappened }, identify: identify)
  }

  /// Who asks for a page, by the connection or by a token. A session of the dashboard counts for its own pages alone.
  @Sendable private func identify(_ peer: Peer, _ authorization: String?) -> Identification {
    guard let authorization else { return access.identification.identify(peer) }
    return access.identification.identify(peer, HeaderFields(["authorization": authorization]))
  }

  private func families(for caller: Caller, _ tallies: [CallTally]) async -> [MetricFamily] {
    let rotations = await rotations(among: caller.clusters).families
    // Whoever is bound to some clusters learns nothing of what others do.
    guard caller.clusters == nil else { return rotations }
    return server.families + CallMetrics(tallies).families + rotations
      + (await grants.families) + store.families + backupFamilies
      + (publication.withLock { $0 }?.metrics.families ?? [])
      + (hooks.withLock { $0 }?.metrics.families ?? []) + notifier.metrics.families
  }

  private var server: ServerMetrics {
    ServerMetrics(
      version: Release.version, startedAt: startedAt, isReady: health.isServing,
      connections: access.server?.connectionCount ?? 0,
      connectionLimit: options.limits.connections,
      troubles: access.server?.connectionTroubles ?? [:], watchers: management.watchers,
      revision: orchestrator.revision)
  }

  private var backupFamilies: [MetricFamily] {
    guard let schedule = backups.withLock({ $0 }) else { return [] }
    let (lastSuccess, failures) = schedule.record
    return BackupMetrics(lastSuccess: lastSuccess, failures: failures).families
  }

  private var grants: AccessMetrics {
    get async {
      AccessMetrics(
        (try? await access.desk.grants(after: "", limit: .max).grants) ?? [],
        authorityExpiry: Instant(secondsSince1970: access.authority.certificate.notAfter),
        now: clock.now())
    }
  }

  private func rotations(among names: Set<String>?) async -> RotationMetrics {
    let records =
      (try? await orchestrator.clusters(
        pageSize: RotationMetrics.clusterLimit, among: names))?.clusters ?? []
    let count = await orchestrator.clusterCount(among: names)
    let outdated = await orchestrator.outdatedClusters
    var views: [ClusterView] = []
    for record in records {
      // Nil for one that was forgotten since.
      guard let rotation = orchestrator.current(cluster: record.name)?.snapshot else { continue }
      views.append(
        ClusterView(
          record: record, rotation: rotation, expiries: await expiries.of(record, orchestrator),
          isOutdated: outdated.contains(record.name)))
    }
    return RotationMetrics(views, leftOut: max(0, count - views.count), now: clock.now())
  }
}
