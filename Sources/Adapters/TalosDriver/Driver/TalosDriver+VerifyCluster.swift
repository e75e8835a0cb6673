import Crypto
public import Orchestrator
import ProtoCodec
public import Rotation
import Synchronization

/// The gate between two stages, and after the last.
extension TalosDriver {
  public func verifyCluster(
    _ change: TrustChange, baselines: [String: Baseline], access: ClusterAccess
  ) async -> ClusterReport {
    await awaitPods(change, baselines, access)
    async let machines = verifyMachines(change, baselines, access)
    async let kubernetes = kubernetesChecks(change, access)
    async let coverage = asksForCoverage(change) ? coverageChecks(change, access) : nil
    var report = ClusterReport(
      machines: await machines,
      cluster: [DistinctMachines.check(access.cluster.machines)] + (await kubernetes))
    let found = await coverage
    if let found {
      report.cluster.append(found.check)
      report.uncovered = found.uncovered
    }
    note(report, change, access)
    guard let found else { return report }
    // Many addresses may not answer, and what else is open is looked at again soon.
    let isSettled = (report.machines.values.flatMap { $0 } + report.cluster).allSatisfy(\.isSettled)
    if change.dropsAuthority, isSettled {
      report.cluster.append(
        await furtherAddressCheck(change, access, addresses: found.addresses))
    }
    return report
  }

  /// Keeps in mind whether pods are all that is waited for. What is done once all else is well does not count.
  private func note(_ report: ClusterReport, _ change: TrustChange, _ access: ClusterAccess) {
    let open = (report.machines.values.flatMap { $0 } + report.cluster).filter {
      !$0.isSettled && !$0.isNamed(.extensionAuthentication)
    }
    let place = Notes.Told.Place(change, access)
    let awaitsPods = open.allSatisfy { $0.isNamed(.controlPlanePods) && $0.state == .waiting }
    notes.withLock { notes in
      if awaitsPods, !open.isEmpty {
        notes.told.note(open.map(\.name), at: place)
      } else {
        notes.told.forget(place)
      }
    }
  }

  /// Before the first machine refuses the authority that goes, and after the last one does: who is left out is locked out
  /// by POST_ROTATE, from which there is no way back.
  private func asksForCoverage(_ change: TrustChange) -> Bool {
    change.dropsAuthority || (change.phase == .rotate && change.direction == .forward)
  }

  private func kubernetesChecks(
    _ change: TrustChange, _ access: ClusterAccess
  ) async -> [CheckResult] {
    guard change.component == .kubernetesCA else { return [] }
    do throws(DriverError) {
      let trust = try ChangeTrust(change, .controlPlane, keyring)
      async let roots = rootConfigMaps(change, trust, access)
      async let clients = extensionAuthentication(trust, access)
      return [await roots, await clients]
    } catch { return [CheckResult(.driver, .failed, error.message)] }
  }

  /// Asks every machine once more, several at a time: what was proved of the first may have been
  /// undone while the last was on its turn.
  private func verifyMachines(
    _ change: TrustChange, _ baselines: [String: Baseline], _ access: ClusterAccess
  ) async -> [String: [CheckResult]] {
    await concurrently(access.cluster.machines) { machine in
      let look = MachineLook(
        change: change, machine: machine, baseline: baselines[machine.id], access: access,
        occasion: .gate)
      return (machine.id, await self.take(look))
    }.reduce(into: [:]) { $0[$1.0] = $1.1 }
  }

  /// Does the same to every item, at most `limit`, else `settings.concurrency`, at a time; the results in the order of
  /// the items.
  func concurrently<Item: Sendable, Result: Sendable>(
    _ items: [Item], limit: Int? = nil, _ work: @escaping @Sendable (Item) async -> Result
  ) async -> [Result] {
    await withTaskGroup(of: (Int, Result).self) { group in
      var next = 0
      var results: [Result?] = Array(repeating: nil, count: items.count)
      func startOne() {
        guard next < items.count else { return }
        let (index, item) = (next, items[next])
        next += 1
        group.addTask { (index, await work(item)) }
      }
      for _ in 0..<max(1, limit ?? settings.concurrency) { startOne() }
      while let (index, result) = await group.next() {
        results[index] = result
        startOne()
      }
      return results.compactMap { $0 }
    }
  }
}
