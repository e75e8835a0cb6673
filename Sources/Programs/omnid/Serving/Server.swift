import AccessControl
import Crypto
import Daemon
import Evidence
import Interceptors
import ManagementService
import Metrics
import Orchestrator
import ProtoCodec
import RPC
import RPCTransport
import Release
import Rotation
import SQLiteStore
import Schema
import StandardServices
import StatusPage
import TalosDriver
import WebResources

/// Puts the concrete parts together and runs them: store, driver, orchestrator, services, listeners.
struct Server {
  let options: ServeOptions
  let facts: ProcessFacts
  let logger: Logger
  /// Happens each time that somebody wants files of the configuration to be read again.
  let reloads: AsyncStream<Void>
  let reload: ConfigurationReload
  /// How long calls may take to end when the server drains.
  static let drainGrace = Duration.seconds(10)

  /// How long notifications that are on their way may take when the server drains. The rest is sent after the next start.
  private static let notificationGrace = Duration.seconds(2)

  /// How often machines are looked at for retired CAs: whoever puts one back is told of within twice that time.
  private static let driftInterval = Duration.seconds(30)

  private static let clock = SystemClock {
    Instant(nanosecondsSince1970: WallClock.nanosecondsSince1970())
  }

  /// Serves until `stop` happens.
  ///
  /// - Returns: the exit status.
  func run(until stop: OneTimeEvent) async -> Int32 {
    do {
      try ProcessPrivacy.begin()
      let state = try PersistentState(options, logger)
      defer { withExtendedLifetime(state) {} }
      let store = state.store
      let timed = TimedStore(store)
      let driver = TalosDriver(sealer: state.sealer) {
        WallClock.nanosecondsSince1970() / 1_000_000_000
      }
      let trust = options.trustBundleDirectory.map { TrustDirectory($0, logger: logger) }
      let hooks = options.hooks.map {
        StageHookDirectory($0.directory, timeout: $0.timeout, logger: logger)
      }
      let orchestrator = RotationOrchestrator(
        store: timed, driver: driver, clock: Self.clock,
        settings: OrchestratorSettings(
          driftInterval: Self.driftInterval, trustPublisher: trust, stageHooks: hooks))
      let audit = AuditTrail(log: WatchedAuditLog(store, of: timed), clock: Self.clock)
      let reports = try Self.reports(state.sealer)
      let notifier = Notifier(
        stateDirectory: options.stateDirectory, clock: Self.clock, logger: logger)
      try notifier.begin(from: options.notifyFile)
      let health = HealthService()
      let opening = OneTimeEvent()
      let access = try await AccessParts(
        options, facts, store: store, sealer: state.sealer, audit: audit, clock: Self.clock)
      let remote = try options.tls.map {
        try RemoteAccess(
          $0, authority: access.authority, listen: options.listen, logger: logger)
      }
      let serving = access.serving { remote?.serverCA ?? access.authority.certificate.pem }
      let management = ManagementHandlers(
        orchestrator: orchestrator, audit: audit, reports: reports, access: serving,
        dashboard: access.dashboard { remote?.certificateFingerprint ?? "" },
        changeMasterKey: keyChange(state), identify: access.identification.identify)
      let monitoring = Monitoring(
        options: options, orchestrator: orchestrator, management: management, access: access,
        store: timed, health: health, opening: opening, clock: Self.clock, notifier: notifier)
      let server = try RPCServer(
        router(management, access, health, opening, monitoring),
        configuration: options.limits.server,
        report: ConnectionLog(logger: logger).report)
      access.listens(server)
      let schedule = options.backup.map { BackupSchedule($0, options, logger: logger) }
      monitoring.backs(up: schedule)
      monitoring.publishes(trust)
      monitoring.asks(hooks)
      let reloading = Task { await reload(remote, hooks, notifier, opening) }
      await orchestrator.announceStart()
      do {
        try await listen(server, access, remote)
        // Whoever calls already waits; nothing is done to a machine before every listener is there.
        try await orchestrator.start()
        try await access.begin()
      } catch {
        await orchestrator.stop()
        await server.shutdown(grace: .zero)
        throw error
      }
      opening.happen()
      health.serve()
      announce { () throws(DaemonError) in try manager.ready() }
      logger.info(
        "serving",
        [
          .version: .string(Release.version), .reportKey: .string(reports.keyFingerprint()),
        ])
      let events = Task { await RotationLog(logger: logger).follow(orchestrator) }
      let backingUp = Task { await schedule?.run() }
      let publishing = Task { await trust?.follow(orchestrator) }
      let notifying = Task { await notifier.follow(orchestrator, monitoring.expiries) }
      await stop.wait()
      reloading.cancel()
      backingUp.cancel()
      publishing.cancel()
      notifying.cancel()
      access.listens(nil)
      health.drain()
      announce { () throws(DaemonError) in try manager.stopping() }
      audit.close()
      // At once: watches end when the orchestrator has stopped, and the drain waits for them.
      async let stopped: Void = orchestrator.stop()
      async let notified: Void = notifier.drain(for: Self.notificationGrace)
      await server.shutdown(grace: Self.drainGrace)
      await stopped
      await notified
      await events.value
      await audit.finish()
      await backingUp.value
      await store.close()
      logger.info("stopped")
      return 0
    } catch {
      logger.error("cannot serve", [.error: .string(explanation(of: error))])
      return 1
    }
  }

  var manager: ServiceManager {
    ServiceManager(socketName: facts.environment["NOTIFY_SOCKET"])
  }

  func announce(_ send: () throws(DaemonError) -> Void) {
    do throws(DaemonError) { try send() } catch {
      logger.warning("the service manager cannot be told", [.error: .string(error.message)])
    }
  }

  // MARK: - Serving

  /// What changes something or hands a credential out.
  private static let noteworthy = Set(
    ManagementServiceMethods.schema.methods.filter { $0.idempotency != .noSideEffects }
      .map { "/\(ManagementServiceMethods.service)/\($0.name)" })

  /// The key that signs reports is the same as long as the master key is.
  private static func reports(_ sealer: Sealer) throws(CryptoError) -> ReportSigning {
    _ = try sealer.signingKey(for: reportPurpose)
    return ReportSigning(
      keyFingerprint: {
        (try? sealer.signingKey(for: reportPurpose)).map {
          SignedReport.fingerprint(of: $0.publicKey)
        } ?? ""
      },
      sign: {
        try SignedReport(signing: $0, with: sealer.signingKey(for: reportPurpose)).document
      })
  }

  private static let reportPurpose = "report 1"

  /// What changes the master key for a caller.
  private func keyChange(_ state: PersistentState) -> MasterKeyChange {
    { [logger] file throws(MasterKeyRefusal) in
      do {
        let new = try await state.changeMasterKey(to: file)
        logger.warning("the master key has been changed", [.keyID: .string(new.keyID)])
        return (new.keyID, new.notes)
      } catch {
        throw MasterKeyRefusal(explanation(of: error))
      }
    }
  }

  private func router(
    _ management: ManagementHandlers, _ access: AccessParts, _ health: HealthService,
    _ opening: OneTimeEvent, _ monitoring: Monitoring
  ) -> ServiceRouter {
    var router = ServiceRouter.withServingInterceptors(
      logger: logger, noteworthy: Self.noteworthy, identify: access.logged,
      opening: opening, services: [ManagementServiceMethods.service],
      isEarly: EarlyCalls.contains, authorization: access.authorization, compressions: .standard)
    router.limits = options.limits.calls
    router.admission = access.authorization.refusal
    management.register(in: &router)
    health.register(in: &router)
    ReflectionService(
      services: router.services + ReflectionService.services,
      files: [.management, .rpcErrorDetails, .health, .reflection, .reflectionV1Alpha]
    ).register(in: &router)
    health.set(.notServing, for: router.services)
    router.resources = resources(monitoring, router.tallies)
    return router
  }

  /// What GET and HEAD are answered with, a line for each route.
  private func resources(_ monitoring: Monitoring, _ tallies: [CallTally]) -> ResourceRoutes {
    var routes = ResourceRoutes()
    routes.add(.path("/healthz"), HealthResource { nil })
    routes.add(.path("/readyz"), HealthResource(unless: monitoring.unreadiness))
    routes.add(.path("/metrics"), monitoring.metrics(tallies))
    routes.add(.prefix(TrustResource.prefix), monitoring.trust)
    routes.add(.path("/"), StatusPage())
    routes.add(.path("/login"), StatusPage())
    routes.add(.prefix("/dashboard/"), StatusPage())
    return routes
  }
}
