import ManagementService
import Notifications
import Orchestrator
import ProtoCodec
import Rotation

extension Notifier {
  /// How often it is looked whether the records have changed, and whether somebody has been waited for too long.
  private static let interval = Duration.milliseconds(500)
  /// How often every cluster is looked at, because time alone makes CAs and credentials expire.
  private static let round = Duration.seconds(60)
  private static let pageSize = 256

  /// What has been looked at.
  private struct Progress {
    var generation = -1
    /// Updates up to this one have been looked at.
    var position: UInt64 = 0
    /// The rotation that each cluster showed last.
    var rotations: [String: String] = [:]
    /// Clusters that are looked at again: a rotation is under way, or the last look did not succeed.
    var again: Set<String> = []
    var roundDue: ContinuousClock.Instant?
  }

  /// Tells the targets until the task is cancelled, or the orchestrator stops.
  func follow(_ orchestrator: RotationOrchestrator, _ expiries: AuthorityExpiries) async {
    let clock = ContinuousClock()
    var progress = Progress()
    while !Task.isCancelled {
      let generation = current.generation
      if generation != progress.generation {
        // A target that is new is told of what holds now.
        progress = Progress()
        progress.generation = generation
      }
      if !current.couriers.isEmpty {
        await look(orchestrator, &progress)
        if progress.roundDue.map({ clock.now >= $0 }) ?? true {
          await lookAtAll(orchestrator, expiries)
          progress.roundDue = clock.now + Self.round
        }
        for courier in current.couriers { courier.offer([]) }
      }
      guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
    }
  }

  private func look(_ orchestrator: RotationOrchestrator, _ progress: inout Progress) async {
    var names = progress.again
    progress.again = []
    while !Task.isCancelled {
      let updates = orchestrator.changed(after: progress.position, limit: Self.pageSize)
      for update in updates { names.insert(update.snapshot.cluster) }
      if let last = updates.last { progress.position = last.position }
      for name in names {
        guard let snapshot = orchestrator.current(cluster: name)?.snapshot else {
          progress.rotations[name] = nil
          continue
        }
        // A rotation that ended before another one began is looked at where that is seen first.
        let isKnown = progress.rotations[name] == snapshot.rotationID
        let since =
          isKnown ? nil : now().advanced(by: .zero - DeliveryRecord.newsTime)
        do throws(OrchestratorError) {
          tell(try await orchestrator.events(cluster: name, since: since))
          progress.rotations[name] = snapshot.rotationID
          if !snapshot.isIdle { progress.again.insert(name) }
        } catch {
          if error.code != .notFound { progress.again.insert(name) }
        }
      }
      names = []
      if updates.count < Self.pageSize { return }
    }
  }

  private func lookAtAll(
    _ orchestrator: RotationOrchestrator, _ expiries: AuthorityExpiries
  ) async {
    var token = ""
    while !Task.isCancelled {
      guard
        let page = try? await orchestrator.clusters(pageSize: Self.pageSize, pageToken: token)
      else { return }
      for record in page.clusters {
        let known = await expiries.of(record, orchestrator)
        if let events = try? await orchestrator.events(cluster: record.name, expiries: known) {
          tell(events)
        }
      }
      guard !page.nextPageToken.isEmpty else { return }
      token = page.nextPageToken
    }
  }

  /// Offers each target what is news to it.
  private func tell(_ events: [ClusterEvent]) {
    let now = now()
    let limit = now.advanced(by: .zero - DeliveryRecord.newsTime)
    // What is no news any more is shown by the records for ever, and need not be remembered for as long.
    let events = events.filter { $0.isCondition || $0.time >= limit }
    guard !events.isEmpty else { return }
    let ids = events.map { CloudEvent.id($0.key) }
    let (source, couriers, _) = current
    for courier in couriers {
      let target = courier.target
      let news = courier.news(among: ids)
      guard !news.isEmpty else { continue }
      courier.offer(
        zip(ids, events).compactMap { id, event in
          guard news.contains(id), target.wants(EventType(event.kind), of: event.cluster) else {
            return nil
          }
          return CloudEvent(event, source: source, patience: target.patience, now: now)
        })
    }
  }
}

extension EventType {
  init(_ kind: ClusterEvent.Kind) {
    switch kind {
    case .rotationStarted: self = .rotationStarted
    case .stageBegan: self = .rotationStageBegun
    case .waiting: self = .rotationWaiting
    case .paused: self = .rotationPaused
    case .abortRequested: self = .rotationAbortRequested
    case .rotationEnded: self = .rotationEnded
    case .authorityExpiring: self = .authorityExpiring
    case .credentialExpiring: self = .credentialExpiring
    case .authorityReturned: self = .clusterDrift
    case .recordOutdated: self = .clusterRecordOutdated
    }
  }
}

extension CloudEvent {
  /// Nil for a wait that is shorter yet than the target's patience, and for what has no form in JSON, which no record holds.
  init?(_ event: ClusterEvent, source: String, patience: Duration, now: Instant) {
    var time = event.time
    if case .waiting(let wait) = event.kind {
      time = wait.since.advanced(by: patience)
      guard time <= now else { return nil }
    }
    guard let data = try? EventData.json(of: event) else { return nil }
    self.init(
      EventType(event.kind), key: event.key, source: source, cluster: event.cluster,
      subject: event.rotation?.rotationID ?? event.cluster, time: time,
      isCondition: event.isCondition, data: data)
  }
}
