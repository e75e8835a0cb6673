import Crypto
public import Orchestrator
public import Rotation

/// Changing a machine's configuration.
extension TalosDriver {
  public func apply(
    _ change: TrustChange, to machine: Machine, access: ClusterAccess
  ) async throws(DriverError) -> ApplyOutcome {
    let wanted = try wantedTrust(change, machine.role)
    let outcome = ApplyProgress()
    do {
      try await retrying(for: settings.applyWindow) { () throws(TalosFailure) in
        try await self.withMachine(machine, access, within: .zero) { client throws(TalosFailure) in
          // Read again on every try: somebody else may have edited it, or our last try may have had
          // its effect although its answer was lost.
          let config = try await client.machineConfig()
          let edited = try self.edit(config, wanted, machine)
          guard edited.changed else { return }
          outcome.sent = true
          try await client.applyConfiguration(edited.bytes)
        }
      }
    } catch { throw error.driverError }
    return outcome.sent ? .changed : .unchanged
  }

  /// What a machine's configuration is to hold once the change is made.
  func wantedTrust(_ change: TrustChange, _ role: MachineRole) throws(DriverError) -> WantedTrust {
    let trust = try ChangeTrust(change, role, keyring)
    let bundle = change.bundle(for: role)
    return WantedTrust(
      component: change.component, issuing: trust.issuing,
      issuingKeyPEM: bundle.holdsIssuingKey
        ? try keyring.keyPEM(change.authority(bundle.issuing)).unprotectedText : nil,
      accepted: trust.accepted, managed: trust.managed,
      successor: change.direction == .forward && bundle.issuing == .old
        ? trust.managed.first { $0 != trust.issuing } : nil)
  }

  /// Edits a configuration, after a look at whose it is.
  func edit(
    _ config: [UInt8], _ wanted: WantedTrust, _ machine: Machine
  ) throws(TalosFailure) -> MachineConfigEditor.Result {
    do throws(DriverError) {
      let role = try MachineConfig(config).role
      guard role == machine.role else {
        throw DriverError(
          .conflict,
          "\(machine.id) is a \(role.rawValue) by its configuration, not a "
            + machine.role.rawValue)
      }
      return try MachineConfigEditor.apply(wanted, to: config)
    } catch { throw .unusable(error) }
  }
}

/// Whether a configuration has gone out, over several tries of one task.
private final class ApplyProgress {
  var sent = false
}
