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
    do throws(TalosFailure) {
      try await retrying(for: settings.applyWindow) { () throws(TalosFailure) in
        try await self.withMachine(machine, access, within: .zero) { client throws(TalosFailure) in
          // Read again on every try: somebody else may have edited it, or our last try may have had
          // its effect although its answer was lost.
          var configs = try await client.machineConfigs()
          defer { configs.wipe() }
          var edited = try await self.edit(configs.active, wanted, machine)
          // It holds keys, too.
          defer { edited.bytes.wipe() }
          guard edited.changed else { return }
          // A trial of our own, of the stage before or of the way back, is replaced for good: to try anew would
          // make Talos go back to what is being tried.
          if change.options.tryTimeout != nil, configs.persistent == nil {
            throw .unusable(DriverError(.refused, TrialSupport.missing(machine.id)))
          }
          try await self.requireOldAccepted(configs.active, change, wanted, machine, access)
          try await self.requireGenuine(configs.active, change, wanted, machine, access)
          // Without trials of our own, what differs is somebody else's.
          var isOwnTrial = false
          if change.options.tryTimeout != nil {
            isOwnTrial = await self.isTried(configs, wanted, machine)
          }
          if !isOwnTrial { try await self.requireNothingPending(configs, machine) }
          try await self.requireOthersReady(change, machine, access)
          try await client.requireRecentIdentity(of: machine)
          outcome.sent = true
          try await client.applyConfiguration(
            edited.bytes, tryingFor: isOwnTrial ? nil : change.options.tryTimeout)
        }
      }
    } catch {
      var reason = words(access).error(machine, error)
      reason.sent = outcome.sent
      throw reason
    }
    return outcome.sent ? .changed : .unchanged
  }

  /// What a machine's configuration is to hold once the change is made.
  func wantedTrust(_ change: TrustChange, _ role: MachineRole) throws(DriverError) -> WantedTrust {
    let trust = try ChangeTrust(change, role, keyring)
    let bundle = change.bundle(for: role)
    var keyless: Set<Certificate> = []
    if !change.old.hasKey { keyless.insert(trust.old) }
    if !change.new.hasKey { keyless.insert(trust.new) }
    return WantedTrust(
      component: change.component, issuing: trust.issuing,
      issuingKey: bundle.holdsIssuingKey
        ? try keyring.keyPEM(change.authority(bundle.issuing)) : nil,
      accepted: trust.accepted, managed: trust.managed, keyless: keyless,
      removesForeign: change.options.removeForeign,
      successor: bundle.issuing == .old && change.direction == .forward ? trust.new : nil,
      kept: change.direction == .backward && role == .controlPlane ? trust.old : nil)
  }

  /// Edits a configuration, after a look at whose it is.
  @concurrent
  func edit(
    _ config: [UInt8], _ wanted: WantedTrust, _ machine: Machine
  ) async throws(TalosFailure) -> MachineConfigEditor.Result {
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

  /// A write makes a configuration permanent that is only being tried, and loses one that waits for the
  /// next boot.
  func requireNothingPending(
    _ configs: MachineConfigs, _ machine: Machine
  ) async throws(TalosFailure) {
    guard let persistent = configs.persistent,
      await PendingConfig.isPending(active: configs.active, persistent: persistent)
    else { return }
    throw .unusable(DriverError(.conflict, PendingConfig.text(machine.id)))
  }
}

/// A configuration that is in force and not on disk, or the other way round.
enum PendingConfig {
  @concurrent
  static func isPending(active: [UInt8], persistent: [UInt8]) async -> Bool {
    guard active != persistent else { return false }
    guard let a = try? MachineConfig(active), let b = try? MachineConfig(persistent) else {
      return true
    }
    return !a.means(sameAs: b)
  }

  static func text(_ machine: String) -> String {
    "\(machine) runs another configuration than the one on its disk: one is being tried (try mode), or "
      + "waits for the next boot (staged), and a change now would keep the one and lose the other; let "
      + "the trial end or apply it, reboot into the staged one or apply it"
  }
}

/// Whether a configuration has gone out, over several tries of one task.
private final class ApplyProgress {
  var sent = false
}
