import Crypto
public import Orchestrator
public import Rotation

/// Changes that are tried before they are permanent: Talos' try mode.
///
/// Talos keeps a tried configuration in memory alone, and goes back to the one before when the time is over, or when it
/// boots. Any other write ends the trial for good.
extension TalosDriver {
  public func persist(
    _ change: TrustChange, on machine: Machine, access: ClusterAccess
  ) async throws(DriverError) {
    let wanted = try wantedTrust(change, machine.role)
    do throws(TalosFailure) {
      try await withMachine(machine, access) { client async throws(TalosFailure) in
        var configs = try await client.machineConfigs()
        defer { configs.wipe() }
        guard try await !self.edit(configs.active, wanted, machine).changed else {
          throw .unusable(
            DriverError(
              .conflict,
              "\(machine.id) has gone back before its change was permanent: the trial was over; give more time "
                + "(--try-timeout)"))
        }
        guard let persistent = configs.persistent else {
          throw .unusable(DriverError(.refused, TrialSupport.missing(machine.id)))
        }
        guard await PendingConfig.isPending(active: configs.active, persistent: persistent) else {
          return
        }
        guard await self.isTried(configs, wanted, machine) else {
          throw .unusable(DriverError(.conflict, PendingConfig.text(machine.id)))
        }
        try await client.requireRecentIdentity(of: machine)
        try await client.applyConfiguration(configs.active)
      }
    } catch { throw error.driverError }
  }

  /// Whether what is in force and what is on disk differ in nothing but what our own changes set.
  func isTried(
    _ configs: MachineConfigs, _ wanted: WantedTrust, _ machine: Machine
  ) async -> Bool {
    guard let persistent = configs.persistent, configs.active != persistent,
      var active = try? await edit(configs.active, wanted, machine),
      var disk = try? await edit(persistent, wanted, machine)
    else { return false }
    defer {
      active.bytes.wipe()
      disk.bytes.wipe()
    }
    let isPending = await PendingConfig.isPending(
      active: configs.active, persistent: persistent)
    let differsElsewhere = await PendingConfig.isPending(
      active: active.bytes, persistent: disk.bytes)
    return isPending && !differsElsewhere
  }

  /// `config-persisted`: whether the machine has on its disk what is in force, and nothing else. What is staged comes with
  /// the next boot, also an authority that was retired meanwhile.
  func persistedCheck(
    _ configs: MachineConfigs, _ wanted: WantedTrust, _ look: MachineLook
  ) async -> CheckResult {
    let name = CheckName.configPersisted
    let isTrying = look.change.options.tryTimeout != nil
    guard let persistent = configs.persistent else {
      return isTrying
        ? CheckResult(name, .failed, TrialSupport.missing(look.machine.id))
        : CheckResult(name, .notApplicable, "Talos before 1.10 does not show what is on its disk")
    }
    guard await PendingConfig.isPending(active: configs.active, persistent: persistent) else {
      return CheckResult(name, .passed, "is on the machine's disk")
    }
    if isTrying, await isTried(configs, wanted, look.machine) {
      return CheckResult(name, .waiting, "is being tried, and not on the machine's disk yet")
    }
    return CheckResult(name, .failed, PendingConfig.text(look.machine.id))
  }
}

/// Whether a machine shows what is on its disk, as Talos does from 1.10 on: without it a trial cannot be told from its end.
enum TrialSupport {
  static func missing(_ machine: String) -> String {
    "\(machine) does not show what is on its disk, which Talos does from 1.10 on: changes cannot be tried there; rotate "
      + "without --try"
  }
}
