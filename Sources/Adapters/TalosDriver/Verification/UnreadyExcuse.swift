import Orchestrator
import Rotation
import Synchronization

/// What was not ready before the rotation is not waited for as long as it stays so. What has come back is looked at like
/// anything else: a change restarts it, and it would be taken for one that does not run in the midst of that.
extension TalosDriver {
  /// Whether something that was not ready at the start may still be excused, if it is down at this look.
  ///
  /// - Parameter name: as `RotationOptions.unready` has it.
  func isExcusable(_ name: String, _ change: TrustChange, _ access: ClusterAccess) -> Bool {
    guard change.options.unready.contains(name) else { return false }
    return notes.withLock { notes in
      guard let known = notes.recovered[access.cluster.name],
        known.rotation == change.new.fingerprint
      else { return true }
      return !known.names.contains(name)
    }
  }

  /// Remembers that it has come back: from now on it is waited for.
  func noteRecovered(_ name: String, _ change: TrustChange, _ access: ClusterAccess) {
    guard change.options.unready.contains(name) else { return }
    changeRecovered(change, access) { _ = $0.names.insert(name) }
  }

  private func changeRecovered<Result: Sendable>(
    _ change: TrustChange, _ access: ClusterAccess,
    _ body: (inout Notes.Recovered) -> Result
  ) -> Result {
    notes.withLock { notes in
      let rotation = change.new.fingerprint
      var known = notes.recovered[access.cluster.name] ?? Notes.Recovered(rotation: rotation)
      if known.rotation != rotation { known = Notes.Recovered(rotation: rotation) }
      defer { notes.recovered[access.cluster.name] = known }
      return body(&known)
    }
  }

  /// The version of the secrets with which the container of a static pod was first seen, which is what it runs with: the
  /// annotation changes before the restart, and no baseline knows a container that has come back since.
  ///
  /// - Parameter definition: of the pod, as the machine has it. A container that was started after it runs with it,
  ///   whatever the annotation of a mirror pod said that the kubelet had not replaced yet.
  /// - Returns: nil for a pod that was ready at the rotation's start, whose container the baseline knows, and for one
  ///   that does not run.
  func versionOfContainer(
    _ pod: StaticPod, _ mirror: MirrorPod?, _ definition: StaticPodSecrets.Definition?,
    on nodename: String, _ change: TrustChange, _ access: ClusterAccess
  ) -> String? {
    let name = pod.unreadyName(on: nodename)
    guard change.options.unready.contains(name), let mirror, let startedAt = mirror.startedAt
    else { return nil }
    if let updated = definition?.updated, startedAt > updated.advanced(by: .seconds(2)) {
      return mirror.version
    }
    return changeRecovered(change, access) { known in
      if let seen = known.containers[name], seen.container == mirror.container {
        return seen.version
      }
      known.containers[name] = (mirror.container, mirror.version)
      return mirror.version
    }
  }

  /// Which static pods of a control plane are not waited for in this look: those that were not ready at the start, nor
  /// before the change of the stage, nor since, and are not now.
  ///
  /// - Parameter mirrors: the mirror pods, as far as they are known.
  func excusedPods(
    _ mirrors: [StaticPod: MirrorPod], on nodename: String, _ look: MachineLook,
    _ trust: ChangeTrust
  ) async -> Set<StaticPod> {
    let (change, access) = (look.change, look.access)
    var excused: Set<StaticPod> = []
    for pod in StaticPod.allCases {
      let name = pod.unreadyName(on: nodename)
      _ = versionOfContainer(pod, mirrors[pod], nil, on: nodename, change, access)
      guard isExcusable(name, change, access) else { continue }
      guard look.baseline?[Fact.ready(pod)] != "true" else {
        noteRecovered(name, change, access)
        continue
      }
      switch pod {
      case .apiServer:
        switch await askReadiness(change, trust, look.machine, access) {
        case .unreachable: excused.insert(pod)
        case .status(200, _): noteRecovered(name, change, access)
        // It runs, so it is looked at.
        case .status, .untrusted, .rejected: break
        }
      case .controllerManager, .scheduler:
        if mirrors[pod]?.isReady == true {
          noteRecovered(name, change, access)
        } else {
          excused.insert(pod)
        }
      }
    }
    return excused
  }
}

extension TalosDriver.Notes {
  /// What was not ready when a rotation was started and has been since.
  struct Recovered {
    /// The fingerprint of the authority that the rotation brings.
    var rotation: String
    var names: Set<String> = []
    /// The containers that ran last, and the version of the secrets with which each was first seen.
    var containers: [String: (container: String, version: String)] = [:]
  }
}
