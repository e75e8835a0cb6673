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
          logger.error(
            "rotations cannot go on",
            ["cluster": .string(error.subject), "error": .string(error.message)])
        }
        trouble = error.message
        guard (try? await Task.sleep(for: pause)) != nil else { return }
      }
    }
  }

  private func log(_ event: RotationEvent, _ snapshot: RotationSnapshot) {
    let cluster = LogValue.string(snapshot.cluster)
    let rotation = LogValue.string(snapshot.rotationID)
    switch event {
    case .started, .resumed:
      logger.info(
        event == .started ? "rotation started" : "rotation resumed",
        [
          "cluster": cluster, "rotation": rotation,
          "component": .string(snapshot.component?.rawValue ?? ""),
          "old_ca": .string(snapshot.oldFingerprint), "new_ca": .string(snapshot.newFingerprint),
          "requester": .string(snapshot.requester), "reason": .string(snapshot.reason),
        ])
    case .phaseBegan(let phase):
      logger.info(
        "phase began", ["cluster": cluster, "rotation": rotation, "phase": .string(phase)])
    case .machineInWork(let machine, let phase):
      logger.debug(
        "machine in work",
        ["cluster": cluster, "machine": .string(machine), "phase": .string(phase)])
    case .machineDone(let machine, let phase):
      logger.info(
        "machine done",
        ["cluster": cluster, "machine": .string(machine), "phase": .string(phase)])
    case .machineWaitedFor(let machine, let phase, let error):
      logger.warning(
        "machine waited for",
        [
          "cluster": cluster, "machine": .string(machine), "phase": .string(phase),
          "error": .string(error),
        ])
    case .clusterWaitedFor(let error):
      logger.warning("cluster waited for", ["cluster": cluster, "error": .string(error)])
    case .noted(let note):
      logger.info("rotation note", ["cluster": cluster, "note": .string(note)])
    case .succeeded:
      logger.info("rotation succeeded", ["cluster": cluster, "rotation": rotation])
      logger.warning(
        "back up the store now (omnid backup), and take a new way in that needs no omnid (omnictl cluster -n NAME "
          + "secrets export): what was kept before this rotation is of no use any more",
        ["cluster": cluster])
    case .paused(let why):
      logger.warning(
        "rotation paused", ["cluster": cluster, "rotation": rotation, "note": .string(why)])
    case .turnedBack:
      logger.warning(
        "rotation aborting",
        [
          "cluster": cluster, "rotation": rotation,
          "note": .string(snapshot.notes.last ?? ""),
        ])
    case .aborted(let how):
      logger.warning(
        "rotation aborted", ["cluster": cluster, "rotation": rotation, "note": .string(how)])
    case .authorityReturned(let returned):
      logger.warning(
        "retired CA has come back",
        [
          "cluster": cluster, "machine": .string(returned.machine),
          "component": .string(returned.component.rawValue),
          "ca": .string(returned.fingerprint),
        ])
    case .authorityGone(let returned):
      logger.info(
        "retired CA is gone again",
        [
          "cluster": cluster, "machine": .string(returned.machine),
          "component": .string(returned.component.rawValue),
          "ca": .string(returned.fingerprint),
        ])
    case .failed(let error):
      logger.error(
        "rotation failed", ["cluster": cluster, "rotation": rotation, "error": .string(error)])
    }
  }
}
