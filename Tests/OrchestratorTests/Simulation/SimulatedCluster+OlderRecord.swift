import Orchestrator
import Rotation
import Synchronization

/// What a change is refused for that is somebody else's doing.
extension SimulatedCluster {
  /// - Throws: `.conflict` where a configuration is staged, or a second rotator has its own authority issue.
  func requireOurs(_ id: String, _ flaws: Set<Flaw>) throws(DriverError) {
    let now = clock.now()
    let (isStaged, isUsurped) = state.withLock { state in
      let node = state.nodes[id]
      return (
        node.map { $0.stagedUntil > now } ?? false, node.map { $0.usurpedUntil > now } ?? false
      )
    }
    if isStaged, !flaws.contains(.ignoresStaged) {
      throw DriverError(.conflict, "another configuration is staged on \(id)")
    }
    if isUsurped, !flaws.contains(.ignoresUsurper) {
      throw DriverError(.conflict, "somebody else is rotating \(id)")
    }
  }

  /// - Throws: `.conflict` where somebody who has the key of the authority that goes answers in a control plane's place.
  func requireGenuine(
    _ change: TrustChange, _ machine: Machine, _ flaws: Set<Flaw>
  ) throws(DriverError) {
    guard change.component == .talosCA, change.dropsAuthority else { return }
    let isImpostor = state.withLock { state in
      guard state.impersonated.contains(machine.id) else { return false }
      if flaws.contains(.believesImpostor) {
        state.violations.append("somebody else than \(machine.id) is sent a key")
      }
      return true
    }
    if isImpostor {
      throw DriverError(
        .conflict, "\(machine.id) shows the authority that goes: no key is sent to it")
    }
  }

  /// - Throws: `.conflict` where a machine is further than the record of its rotation, as the driver does.
  func requireRecord(
    _ change: TrustChange, _ machine: Machine, _ id: String
  ) throws(DriverError) {
    let (old, new) = (change.old.fingerprint, change.new.fingerprint)
    let isPast = state.withLock { state -> Bool in
      guard let trust = state.nodes[id]?.trust[change.component] else { return false }
      switch (change.phase, change.direction) {
      case (_, .backward): return !trust.accepted.contains(old)
      case (.preRotate, .forward): return trust.issuing == new
      case (.rotate, .forward):
        guard trust.accepted.contains(new), !trust.accepted.contains(old) else { return false }
        return state.nodes.values.allSatisfy { node in
          node.machine.role == .worker
            || node.trust[change.component]?.accepted.contains(old) != true
        }
      case (.postRotate, .forward): return false
      }
    }
    if isPast { throw DriverError(.conflict, "the record is older than \(id)") }
  }
}

extension SimulatedCluster.Trust {
  /// Whether a control plane with this trust is further than the rotation's record.
  func hasOvertaken(_ change: TrustChange) -> Bool {
    let (old, new) = (change.old.fingerprint, change.new.fingerprint)
    guard issuing == new else { return issuing != old }
    return change.phase == .preRotate
      || (change.bundle(for: .controlPlane).accepted.contains(.old) && !accepted.contains(old))
  }
}
