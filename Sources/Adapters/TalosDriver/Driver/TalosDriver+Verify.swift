import Crypto
public import Orchestrator
public import Rotation
import Synchronization

/// Proving that a machine acts on its configuration.
extension TalosDriver {
  public func verify(
    _ change: TrustChange, machine: Machine, baseline: Baseline?, access: ClusterAccess
  ) async -> [CheckResult] {
    await verify(change, machine: machine, baseline: baseline, access: access, for: .turn)
  }

  /// What a look at a machine is for.
  enum Occasion: Sendable {
    /// Whether the next machine may begin.
    case turn
    /// Whether the stage is over.
    case gate
  }

  func verify(
    _ change: TrustChange, machine: Machine, baseline: Baseline?, access: ClusterAccess,
    for occasion: Occasion
  ) async -> [CheckResult] {
    do {
      let trust = try ChangeTrust(change, machine.role, keyring)
      switch change.component {
      case .talosCA: return try await verifyTalos(change, trust, machine, access)
      case .kubernetesCA:
        return try await verifyKubernetes(change, trust, machine, baseline, access, occasion)
      }
    } catch let error as TalosFailure {
      return [CheckResult(CheckResult.reachable, .failed, error.message)]
    } catch {
      let message = (error as? DriverError)?.message ?? "cancelled"
      return [CheckResult("driver", .failed, message)]
    }
  }

  private func verifyTalos(
    _ change: TrustChange, _ trust: ChangeTrust, _ machine: Machine, _ access: ClusterAccess
  ) async throws -> [CheckResult] {
    let seen = try await withMachine(machine, access) { client async throws(TalosFailure) in
      try await TalosObservation.read(client, isControlPlane: machine.role == .controlPlane)
    }
    var results = [
      CheckResult(CheckResult.reachable, .passed, "Talos \(PeerText.clean(seen.version))")
    ]
    let wanted = try wantedTrust(change, machine.role)
    let isStale = seen.isStale(trust)
    let config = await configCheck(seen.config, wanted, machine, isStale: isStale)
    results.append(config)
    let listed = await configured(seen.config, change.component)
    if let foreign = trust.foreignCheck("listed", listed) { results.append(foreign) }
    results += seen.checks(trust, machine.role, listed: listed?.certificates)
    if machine.role == .worker, config.state == .passed {
      if let note = await refreshIfStale(isStale, wanted, machine, access) { results.append(note) }
    }
    results += await probeTalos(change, trust, machine)
    return results
  }

  private func verifyKubernetes(
    _ change: TrustChange, _ trust: ChangeTrust, _ machine: Machine, _ baseline: Baseline?,
    _ access: ClusterAccess, _ occasion: Occasion
  ) async throws -> [CheckResult] {
    let seen = try await withMachine(machine, access) { client async throws(TalosFailure) in
      try await KubernetesObservation.read(client, isControlPlane: machine.role == .controlPlane)
    }
    if machine.role == .controlPlane, let config = try? MachineConfig(seen.config) {
      notes.withLock { $0.apiServerPorts[machine.address] = config.apiServerPort }
    }
    var results = [
      CheckResult(CheckResult.reachable, .passed, "Talos \(PeerText.clean(seen.version))")
    ]
    let wanted = try wantedTrust(change, machine.role)
    results.append(await configCheck(seen.config, wanted, machine, isStale: false))
    let listed = await configured(seen.config, change.component)
    if let foreign = trust.foreignCheck("listed", listed) { results.append(foreign) }
    results += seen.checks(trust, machine)
    let nodename = seen.nodename ?? machine.id
    if machine.role == .controlPlane {
      results += await probeAPIServer(
        change, trust, machine, access,
        isUnready: change.options.unready.contains(
          StaticPod.apiServer.unreadyName(on: nodename)))
      results += await staticPods(seen, nodename, machine, baseline, change, access, occasion)
    }
    results.append(await nodeReady(nodename, machine, change.options, access))
    if !trust.dropped.isEmpty, results.allSatisfy(\.isSettled) {
      results.append(await probeKubelet(change, machine))
    }
    return results
  }

  /// Whether the configuration holds what the stage asks for. One that cannot be edited is another check's
  /// business: making the same change again would not help.
  private func configCheck(
    _ config: [UInt8], _ wanted: WantedTrust, _ machine: Machine, isStale: Bool
  ) async -> CheckResult {
    let name = CheckResult.configApplied
    do {
      guard try await edit(config, wanted, machine).changed else {
        return CheckResult(name, .passed, "holds what the stage asks for")
      }
      if wanted.component == .talosCA, machine.role == .worker, isStale {
        var repeated = wanted
        repeated.repeatsIssuing = true
        if try await !edit(config, repeated, machine).changed {
          return CheckResult(name, .passed, "holds it, with the issuing CA repeated for a refresh")
        }
      }
      return CheckResult(name, .failed, await wanted.difference(from: config))
    } catch {
      return CheckResult("config-editable", .failed, error.message)
    }
  }

  /// The authorities that stand in a configuration; nil where it cannot be read.
  @concurrent
  private func configured(_ config: [UInt8], _ component: SecretComponent) async -> SeenTrust? {
    (try? MachineConfig(config).trust(component)).map {
      SeenTrust($0.written, unreadable: $0.unreadable)
    }
  }

  /// Makes a worker ask trustd again when it still has the trust of the stage before.
  ///
  /// A worker gets its server certificate, and the list of CAs that apid accepts, from a control
  /// plane's trustd at the moment its own configuration changes. If it asked too early nothing brings
  /// it to ask again for up to twelve hours. Listing its CA a second time changes the list that Talos
  /// derives, which does, and changes nothing of what the machine trusts.
  private func refreshIfStale(
    _ isStale: Bool, _ wanted: WantedTrust, _ machine: Machine, _ access: ClusterAccess
  ) async -> CheckResult? {
    let key = access.cluster.name + "/" + machine.id
    let now = ContinuousClock.now
    let settings = settings
    let isDue = notes.withLock { notes -> Bool in
      guard isStale else {
        notes.staleSince[key] = nil
        return false
      }
      let since = notes.staleSince[key] ?? now
      let isDue = now - since >= settings.refreshAfter
      notes.staleSince[key] = isDue ? now : since
      return isDue
    }
    guard isDue else { return nil }
    do {
      try await withMachine(machine, access, within: .zero) { client async throws(TalosFailure) in
        let config = try await client.machineConfig()
        var repeated = wanted
        repeated.repeatsIssuing = true
        let edited = try await self.edit(config, repeated, machine)
        let next = edited.changed ? edited : try await self.edit(config, wanted, machine)
        try await client.applyConfiguration(next.bytes)
      }
      return CheckResult(
        "trust-refresh", .waiting,
        "its apid still has the trust of the stage before; it was made to ask trustd again")
    } catch {
      return CheckResult(
        "trust-refresh", .waiting,
        "its apid still has the trust of the stage before, and asking trustd again failed: "
          + error.message)
    }
  }
}
