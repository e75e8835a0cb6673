import Daemon
import Metrics
import Notifications
import Orchestrator
import Release
import Rotation
import Synchronization

/// Tells the targets of `--notify-file` what the records show.
///
/// The records decide, again and again: what they show and a target has not been told of is sent to it. Nothing waits for
/// a target, no rotation least of all.
final class Notifier: Sendable {
  private struct State {
    var path: String?
    var settings = NotificationSettings()
    var couriers: [Courier] = []
    /// Rises with each change of the settings.
    var generation = 0
  }

  let logger: Logger
  private let files: DeliveryFiles
  private let surroundings: CourierSurroundings
  private let ending = StopSignal()
  private let state = Mutex(State())

  /// - Parameter clock: stands in signatures.
  init(stateDirectory: String, clock: any OrchestratorClock, logger: Logger) {
    self.logger = logger
    let files = DeliveryFiles(stateDirectory: stateDirectory)
    self.files = files
    let request = WebhookRequest(agent: "omnid/\(Release.version)", stop: ending)
    surroundings = CourierSurroundings(
      now: { clock.now() }, uptime: { clock.uptime() },
      send: { request.send($0, to: $1, at: clock.now()) },
      keep: { try files.keep($1, of: $0) },
      report: { Self.tell($0, logger) })
  }

  func now() -> Instant { surroundings.now() }

  // MARK: - Settings

  /// Begins with the targets of a file; nil: there are none.
  ///
  /// - Throws: what is wrong with it.
  func begin(from path: String?) throws(NotificationError) {
    let settings =
      if let path { try NotificationSettings.read(path) } else { NotificationSettings() }
    apply(settings, path)
  }

  /// Reads the same file again.
  func reload() { reload(from: state.withLock { $0.path }) }

  /// Reads a file anew; one that is wrong changes nothing.
  func reload(from path: String?) {
    do throws(NotificationError) {
      try begin(from: path)
    } catch {
      logger.error(
        "the targets of notifications cannot be read: those from before are told on",
        [.error: .string(error.message)])
    }
  }

  private func apply(_ settings: NotificationSettings, _ path: String?) {
    let now = surroundings.now()
    let (before, wasOn) = state.withLock { ($0.couriers, $0.path != nil) }
    let couriers = settings.targets.map { target in
      guard let courier = before.first(where: { $0.name == target.name }) else {
        return Courier(target, record(of: target.name, now), surroundings)
      }
      courier.update(target)
      return courier
    }
    for courier in before where !couriers.contains(where: { $0 === courier }) { courier.remove() }
    if path != nil || wasOn { files.sweep(keeping: couriers.map(\.name)) }
    state.withLock { state in
      state.path = path
      state.settings = settings
      state.couriers = couriers
      state.generation += 1
    }
  }

  /// What the target has been told of. That it is told at all from now on is on record at once.
  private func record(of target: String, _ now: Instant) -> DeliveryRecord {
    let found = files.find(target, now: now)
    let record: DeliveryRecord
    switch found {
    case .kept(let kept): return kept
    case .new(let new): record = new
    case .damaged(let new, let reason):
      record = new
      logger.error(
        "what a target of notifications was told of cannot be read: it is told once more what has happened within a day",
        [.target: .string(target), .error: .string(reason)])
    }
    do throws(NotificationError) { try files.keep(record, of: target) } catch {
      Self.tell(.unrecorded(target: target, reason: error.message), logger)
    }
    return record
  }

  /// The origin that events name, the couriers, and which settings these are of.
  var current: (source: String, couriers: [Courier], generation: Int) {
    state.withLock { ($0.settings.source, $0.couriers, $0.generation) }
  }

  // MARK: - The end

  /// Lets what is on its way arrive, for a short time; the rest is sent after the next start.
  func drain(for patience: Duration) async {
    let couriers = current.couriers
    let clock = ContinuousClock()
    let end = clock.now + patience
    while clock.now < end, couriers.contains(where: { !$0.isIdle }) {
      guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { break }
    }
    for courier in couriers { courier.stop() }
    ending.set()
  }

  // MARK: - What it tells of itself

  var metrics: NotificationMetrics {
    NotificationMetrics(
      current.couriers.map { courier in
        let counts = courier.counts
        return NotificationMetrics.Target(
          name: courier.name, sent: counts.sent, failedTries: counts.failedTries,
          dropped: counts.dropped, pending: courier.backlog, lastSuccess: counts.lastSuccess)
      })
  }

  private static func tell(_ report: CourierReport, _ logger: Logger) {
    switch report {
    case .delivered(let target, let event):
      var fields: LogFields = [
        .target: .string(target), .event: .string(event.type.name), .id: .string(event.id),
      ]
      if !event.cluster.isEmpty { fields[.cluster] = .string(event.cluster) }
      logger.debug("notification delivered", fields)
    case .failing(let target, let reason, let failures):
      logger.warning(
        "notifications cannot be delivered; they are tried again",
        [
          .target: .string(target), .error: .string(reason),
          .failures: .integer(Int64(failures)),
        ])
    case .recovered(let target):
      logger.info("notifications are delivered again", [.target: .string(target)])
    case .gone(let target):
      logger.warning(
        "the target wants no more notifications (status 410): it gets none until omnid is restarted or reloads its "
          + "configuration; take it out of the file of targets",
        [.target: .string(target)])
    case .dropped(let target, let count):
      logger.error(
        "notifications were given up, because the target has taken none for too long",
        [.target: .string(target), .dropped: .integer(Int64(count))])
    case .unrecorded(let target, let reason):
      logger.error(
        "what a target was told of cannot be written down: it may be told again after a restart",
        [.target: .string(target), .error: .string(reason)])
    }
  }
}
