import Crypto
import Orchestrator
import Rotation

/// Whether the record of a rotation is older than the machines, as after a restored backup.
extension TalosDriver {
  /// Lets ROTATE list the old authority again on a machine that has the new one only where another control plane accepts it
  /// still: then somebody has taken it out of this one. Where no other does, the machines are past POST_ROTATE, and the
  /// authority that they refuse would be let in again.
  ///
  /// - Throws: `.unusable` with a conflict where none does; where another cannot be asked, why.
  func requireOldAccepted(
    _ config: [UInt8], _ change: TrustChange, _ wanted: WantedTrust, _ machine: Machine,
    _ access: ClusterAccess
  ) async throws(TalosFailure) {
    guard change.phase == .rotate, change.direction == .forward, let old = wanted.accepted.last,
      old != wanted.issuing,
      try await isPast(config, wanted, old)
    else { return }
    let accepts = try await anotherPlane(than: machine, access) {
      config async throws(TalosFailure) in try await !self.isPast(config, wanted, old)
    }
    guard !accepts else { return }
    throw .unusable(
      DriverError(
        .conflict,
        "\(machine.id), like every control plane beside it, does not accept the old CA \(old.fingerprint.prefix(12)) any "
          + "more: \(OlderRecord.text)"))
  }

  /// Whether a configuration has the wanted authority and does not accept `old`.
  @concurrent
  private func isPast(
    _ config: [UInt8], _ wanted: WantedTrust, _ old: Certificate
  ) async throws(TalosFailure) -> Bool {
    do throws(DriverError) {
      let trust = try MachineConfig(config).writtenTrust(wanted.component)
      return trust.accepted.contains(wanted.issuing) && !trust.accepted.contains(old)
    } catch { throw .unusable(error) }
  }
}
