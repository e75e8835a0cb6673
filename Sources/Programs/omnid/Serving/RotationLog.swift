import Daemon
import Orchestrator
import Rotation

/// Logs what happens in rotations, each event once.
struct RotationLog {
  let logger: Logger
  /// How long to wait before watching again after the journal could not be written.
  var pause = Duration.seconds(1)

  /// Returns when the orchestrator stops.
  func follow(_ orchestrator: RotationOrchestrator) async {
    var seen: [String: RotationUpdate] = [:]
    var revision: Revision = 0
    var trouble = ""
    while !Task.isCancelled {
      do throws(OrchestratorError) {
        var updates = try orchestrator.watch(afterRevision: revision).makeAsyncIterator()
        while let update = try await updates.nextUpdate() {
          let snapshot = update.snapshot
          let earlier = seen.updateValue(update, forKey: snapshot.cluster)
          // Updates may have been missed: then it is not known which machines have changed.
          let changed = earlier?.position == update.previous ? update.changed : nil
          for event in RotationEvent.between(earlier?.snapshot, snapshot, changed: changed) {
            log(event, snapshot)
          }
          revision = max(revision, snapshot.revision)
          trouble = ""
        }
        return
      } catch {
        if error.code == .shuttingDown { return }
        if error.message != trouble {
          let rotation = orchestrator.current(cluster: error.subject)?.snapshot
          logger.error(
            "rotations cannot go on",
            ([.cluster: .string(error.subject)] as LogFields)
              .with(rotation.map { $0.isIdle ? [:] : Self.fields($0) } ?? [:])
              .with([.error: .string(error.message)]))
        }
        trouble = error.message
        guard (try? await Task.sleep(for: pause)) != nil else { return }
      }
    }
  }

  /// Every line about a rotation has these fields: what it is about, where it is, and the call that has said last what it
  /// has to do.
  private static func fields(_ snapshot: RotationSnapshot) -> LogFields {
    var fields: LogFields = [
      .cluster: .string(snapshot.cluster), .rotation: .string(snapshot.rotationID),
    ]
    if let component = snapshot.component { fields[.component] = .string(component.rawValue) }
    if let phase = snapshot.phase { fields[.stage] = .string(phase.name) }
    if !snapshot.call.isEmpty { fields[.call] = .string(snapshot.call) }
    return fields
  }

  func log(_ event: RotationEvent, _ snapshot: RotationSnapshot) {
    func told(_ more: LogFields = [:]) -> LogFields { Self.fields(snapshot).with(more) }
    switch event {
    case .started: logger.info("rotation started", told(Self.beginning(snapshot)))
    case .resumed: logger.info("rotation resumed", told(Self.beginning(snapshot)))
    case .phaseBegan(let phase): logger.info("stage began", told([.stage: .string(phase)]))
    case .machineInWork(let machine, let phase):
      logger.debug("machine in work", told([.stage: .string(phase), .machine: .string(machine)]))
    case .machineDone(let machine, let phase):
      logger.info("machine done", told([.stage: .string(phase), .machine: .string(machine)]))
    case .machineWaitedFor(let machine, let phase, let error):
      logger.warning(
        "machine waited for",
        told([.stage: .string(phase), .machine: .string(machine), .error: .string(error)]))
    case .clusterWaitedFor(let error):
      logger.warning("cluster waited for", told([.error: .string(error)]))
    case .noted(let note): logger.info("rotation note", told([.note: .string(note)]))
    case .succeeded:
      logger.info("rotation succeeded", told())
      logger.warning(
        "back up the store now (omnid backup), and take a new way in that needs no omnid (omnictl cluster -n NAME "
          + "secrets export): what was kept before this rotation is of no use any more",
        told())
    case .paused(let why): logger.warning("rotation paused", told([.note: .string(why)]))
    case .turnedBack:
      logger.warning("rotation aborting", told([.note: .string(snapshot.notes.last ?? "")]))
    case .aborted(let how): logger.warning("rotation aborted", told([.note: .string(how)]))
    case .authorityReturned(let returned):
      logger.warning("retired CA has come back", Self.fields(snapshot.cluster, returned))
    case .authorityGone(let returned):
      logger.info("retired CA is gone again", Self.fields(snapshot.cluster, returned))
    case .failed(let error): logger.error("rotation failed", told([.error: .string(error)]))
    }
  }

  private static func beginning(_ snapshot: RotationSnapshot) -> LogFields {
    [
      .oldCA: .string(snapshot.oldFingerprint), .newCA: .string(snapshot.newFingerprint),
      .requester: .string(snapshot.requester), .reason: .string(snapshot.reason),
    ]
  }

  /// Of no rotation: the one that has retired the CA may be long over.
  private static func fields(_ cluster: String, _ returned: ReturnedAuthority) -> LogFields {
    [
      .cluster: .string(cluster), .machine: .string(returned.machine),
      .component: .string(returned.component.rawValue), .ca: .string(returned.fingerprint),
    ]
  }
}
