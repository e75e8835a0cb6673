import Orchestrator
import Rotation

/// Something that has happened between two snapshots of a cluster.
enum RotationEvent: Equatable {
  case started
  /// It was under way when it was first seen: the server has been restarted.
  case resumed
  case phaseBegan(String)
  case machineInWork(String, phase: String)
  case machineDone(String, phase: String)
  case machineWaitedFor(String, phase: String, error: String)
  case clusterWaitedFor(String)
  case noted(String)
  case succeeded
  /// Locks keep it from going on.
  case paused(String)
  /// It goes back to the old authority.
  case turnedBack
  /// It has ended with the old authority alone.
  case aborted(String)
  case failed(String)
  /// A retired authority stands in a machine's configuration again.
  case authorityReturned(ReturnedAuthority)
  /// It is gone again.
  case authorityGone(ReturnedAuthority)

  /// What the later snapshot shows that the earlier one does not. What happened before anything was
  /// seen is not told again.
  ///
  /// - Parameters:
  ///   - earlier: nil when the cluster has not been seen before.
  ///   - changed: the machines that differ, where nothing else is to be looked at; nil: any may.
  static func between(
    _ earlier: RotationSnapshot?, _ later: RotationSnapshot, changed: Set<String>? = nil
  ) -> [RotationEvent] {
    let known = Set(earlier?.returned ?? [])
    let drift =
      later.returned.filter { !known.contains($0) }.map { RotationEvent.authorityReturned($0) }
      + known.subtracting(later.returned).sorted { $0.machine < $1.machine }
      .map { RotationEvent.authorityGone($0) }
    return drift + rotationEvents(earlier, later, changed)
  }

  private static func rotationEvents(
    _ earlier: RotationSnapshot?, _ later: RotationSnapshot, _ changed: Set<String>?
  ) -> [RotationEvent] {
    guard later.state != .idle else { return [] }
    let isNew = earlier?.rotationID != later.rotationID
    if earlier == nil, later.isIdle { return [] }
    var events: [RotationEvent] = isNew ? [earlier == nil ? .resumed : .started] : []
    let before = isNew ? nil : earlier
    // What a resumed rotation shows at first is old news, but for who is waited for.
    let isFirstSight = earlier == nil
    let turnsBack = later.isGoingBack && before?.isGoingBack == false
    if turnsBack { events.append(.turnedBack) }
    if !isFirstSight, let phase = later.phase,
      phase != before?.phase || before == nil || turnsBack
    {
      events.append(.phaseBegan(phase.name))
    }
    events += machineEvents(before, later, changed, isFirstSight: isFirstSight)
    if !later.clusterChecks.isEmpty || later.machinesTotal == 0, !later.isIdle,
      !later.error.isEmpty, later.error != before?.error
    {
      events.append(.clusterWaitedFor(later.error))
    }
    if !isFirstSight {
      let known = before?.notes ?? []
      events += later.notes.filter { !known.contains($0) }.map { .noted($0) }
    }
    if later.state != before?.state {
      if later.state == .paused { events.append(.paused(later.step)) }
      if later.state == .succeeded { events.append(.succeeded) }
      if later.state == .aborted { events.append(.aborted(later.step)) }
      if later.state == .failed { events.append(.failed(later.error)) }
    }
    return events
  }

  private static func machineEvents(
    _ before: RotationSnapshot?, _ later: RotationSnapshot, _ changed: Set<String>?,
    isFirstSight: Bool
  ) -> [RotationEvent] {
    var known: [String: MachineSnapshot] = [:]
    for machine in before.map({ machines(of: $0, changed) }) ?? [] {
      known[machine.machine] = machine
    }
    return machines(of: later, changed).compactMap { machine in
      let earlier = known[machine.machine].flatMap { $0.phase == machine.phase ? $0 : nil }
      let phase = machine.phase.name
      switch machine.state {
      case .done where earlier?.state != .done && !isFirstSight:
        return .machineDone(machine.machine, phase: phase)
      case .applying where earlier?.state != .applying && !isFirstSight:
        return .machineInWork(machine.machine, phase: phase)
      case .waiting where earlier?.state != .waiting || earlier?.lastError != machine.lastError:
        return .machineWaitedFor(machine.machine, phase: phase, error: machine.lastError)
      default: return nil
      }
    }
  }

  private static func machines(
    of snapshot: RotationSnapshot, _ names: Set<String>?
  ) -> [MachineSnapshot] {
    names.map { snapshot.machines($0) } ?? snapshot.machines
  }
}
