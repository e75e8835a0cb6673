import Crypto
public import Orchestrator
public import Rotation
import Synchronization

/// What one look leaves to the next one of the same step: what is best asked first.
private struct LookMemory {
  /// The name of the machine's node where nothing else than that node was waited for.
  var awaitedNode: String?
}

/// Proving that a machine acts on its configuration. Everything here only looks.
extension TalosDriver {
  public func verify(
    _ change: TrustChange, machine: Machine, baseline: Baseline?, access: ClusterAccess
  ) async -> [CheckResult] {
    let look = MachineLook(
      change: change, machine: machine, baseline: baseline, access: access, occasion: .turn)
    var memory = LookMemory()
    return await patiently(look) { isLast in
      await self.take(look, isThorough: isLast, &memory)
    }
  }

  /// A look that shows everything.
  func take(_ look: MachineLook) async -> [CheckResult] {
    var memory = LookMemory()
    return await take(look, isThorough: true, &memory)
  }

  /// - Parameters:
  ///   - isThorough: whether the look goes on behind the first thing that is not there yet.
  ///   - memory: what the look before, of the same step, has found.
  private func take(
    _ look: MachineLook, isThorough: Bool, _ memory: inout LookMemory
  ) async -> [CheckResult] {
    do {
      let trust = try ChangeTrust(look.change, look.machine.role, keyring)
      switch look.change.component {
      case .talosCA: return try await lookAtTalos(look, trust, isThorough: isThorough)
      case .kubernetesCA:
        return try await lookAtKubernetes(look, trust, isThorough: isThorough, &memory)
      }
    } catch let error as TalosFailure {
      return [CheckResult(.reachable, .failed, words(look.access).text(look.machine, error))]
    } catch {
      let message = (error as? DriverError)?.message ?? "cancelled"
      return [CheckResult(.driver, .failed, message)]
    }
  }

  private func lookAtTalos(
    _ look: MachineLook, _ trust: ChangeTrust, isThorough: Bool
  ) async throws -> [CheckResult] {
    let (change, machine) = (look.change, look.machine)
    let isControlPlane = machine.role == .controlPlane
    if !isThorough, isControlPlane, let waiting = await clientBefore(look, trust) {
      return [waiting]
    }
    var (observed, control) = try await observe(look, trust)
    defer { observed?.configs.wipe() }
    if !isThorough, let waiting = notYet(control, look, trust) { return [waiting] }
    var seen: TalosObservation
    if let taken = observed.take() {
      seen = taken
    } else {
      seen = try await withReading(machine, look.access) { client async throws(TalosFailure) in
        try await TalosObservation.read(client, isControlPlane: isControlPlane)
      }
    }
    defer { seen.configs.wipe() }
    var results = [CheckResult(.reachable, .passed, "answers")]
    let wanted = try wantedTrust(change, machine.role)
    let standing = await configStanding(seen.configs.active, wanted, machine)
    results.append(standing.check)
    results.append(await persistedCheck(seen.configs, wanted, look))
    let listed = await configured(seen.configs.active, change.component)
    if let foreign = trust.foreignCheck(.listed, listed) { results.append(foreign) }
    results += seen.checks(trust, machine.role, listed: listed?.certificates)
    if machine.role == .worker, standing.check.isSettled,
      let refresh = TrustRefresh.check(
        isStale: seen.isStale(trust), isRepeated: standing.isRepeated)
    {
      results.append(refresh)
    }
    guard isThorough || Self.isDone(results) else { return results }
    return results + (await probeTalos(look, trust, control))
  }

  /// Whether nothing is open but that the change is being tried: it is made permanent only when all else is verified.
  private static func isDone(_ results: [CheckResult]) -> Bool {
    results.allSatisfy {
      $0.isSettled || ($0.isNamed(.configPersisted) && $0.state == .waiting)
    }
  }

  private func lookAtKubernetes(
    _ look: MachineLook, _ trust: ChangeTrust, isThorough: Bool, _ memory: inout LookMemory
  ) async throws -> [CheckResult] {
    let machine = look.machine
    if !isThorough {
      if let waiting = await restartUnderWay(look, trust) { return [waiting] }
      if let nodename = memory.awaitedNode {
        let node = await nodeReady(nodename, machine, look.change, look.access)
        if !node.isSettled { return [node] }
      }
    }
    let wanted = try wantedTrust(look.change, machine.role)
    let isControlPlane = machine.role == .controlPlane
    let (results, nodename) = try await withMachine(machine, look.access) {
      client async throws(TalosFailure) in
      var seen = try await KubernetesObservation.read(client, isControlPlane: isControlPlane)
      defer { seen.configs.wipe() }
      let (results, hasAskedAddress) = await self.kubernetesResults(
        seen, wanted, look, trust, isThorough: isThorough)
      // API server and kubelet show nothing of who they are. They are the machine's own where the address led to it
      // before and after, which the connection that was open meanwhile shows.
      if hasAskedAddress { try await client.requireIdentity(of: machine) }
      return (results, seen.nodename ?? machine.id)
    }
    let open = results.filter { !$0.isSettled }
    let awaitsNode = !open.isEmpty && open.allSatisfy { $0.isNamed(.nodeReady) }
    memory.awaitedNode = awaitsNode ? nodename : nil
    return results
  }

  /// What a machine shows, and what its API server and kubelet do where all is well with that.
  ///
  /// - Returns: the results, and whether somebody was asked at the machine's address who shows no identity.
  private func kubernetesResults(
    _ seen: KubernetesObservation, _ wanted: WantedTrust, _ look: MachineLook, _ trust: ChangeTrust,
    isThorough: Bool
  ) async -> (results: [CheckResult], hasAskedAddress: Bool) {
    let (change, machine, access) = (look.change, look.machine, look.access)
    let isControlPlane = machine.role == .controlPlane
    notePort(in: seen.configs.active, of: machine, access)
    var results = [CheckResult(.reachable, .passed, "answers")]
    results.append(await configStanding(seen.configs.active, wanted, machine).check)
    results.append(await persistedCheck(seen.configs, wanted, look))
    let listed = await configured(seen.configs.active, change.component)
    if let foreign = trust.foreignCheck(.listed, listed) { results.append(foreign) }
    let nodename = seen.nodename ?? machine.id
    // One that has come back is looked at like any other.
    let isDown = !(seen.kubelet.map { $0.running && $0.healthy } ?? false)
    if !isDown { noteRecovered(machine.unreadyKubelet, change, access) }
    let isExcused = isDown && isExcusable(machine.unreadyKubelet, change, access)
    let lockout = kubeletLockout(seen.kubeletClient, change)
    results += seen.checks(
      trust, machine, isExcused: isExcused, lockout: lockout, freshness(machine))
    guard isThorough || Self.isDone(results) else { return (results, false) }
    async let node = nodeReady(nodename, machine, change, access, lockout: lockout)
    if isControlPlane { results += await controlPlaneChecks(seen, nodename, look, trust) }
    results.append(await node)
    guard !trust.dropped.isEmpty, Self.isDone(results) else { return (results, isControlPlane) }
    results.append(await probeKubelet(change, machine, look.access))
    return (results, true)
  }
}
