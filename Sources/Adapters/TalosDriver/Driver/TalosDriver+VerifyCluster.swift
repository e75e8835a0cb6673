import Crypto
public import Orchestrator
import ProtoCodec
public import Rotation

/// The gate between two stages, and after the last.
extension TalosDriver {
  public func verifyCluster(
    _ change: TrustChange, baselines: [String: Baseline], access: ClusterAccess
  ) async -> ClusterReport {
    async let machines = verifyMachines(change, baselines, access)
    async let kubernetes = kubernetesChecks(change, access)
    async let coverage = change.phase == .postRotate ? coverageChecks(change, access) : []
    return ClusterReport(
      machines: await machines,
      cluster: [DistinctMachines.check(access.cluster.machines)] + (await kubernetes)
        + (await coverage))
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
      (
        machine.id,
        await self.take(
          MachineLook(
            change: change, machine: machine, baseline: baselines[machine.id], access: access,
            occasion: .gate), isThorough: true)
      )
    }.reduce(into: [:]) { $0[$1.0] = $1.1 }
  }

  /// Does the same to every item, at most `settings.concurrency` at a time; the results in the order of the
  /// items.
  func concurrently<Item: Sendable, Result: Sendable>(
    _ items: [Item], _ work: @escaping @Sendable (Item) async -> Result
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
      for _ in 0..<max(1, settings.concurrency) { startOne() }
      while let (index, result) = await group.next() {
        results[index] = result
        startOne()
      }
      return results.compactMap { $0 }
    }
  }

  /// The root that pods are given, in every namespace. The controller-manager writes the issuing
  /// authority alone, once it has restarted.
  private func rootConfigMaps(
    _ change: TrustChange, _ trust: ChangeTrust, _ access: ClusterAccess
  ) async -> CheckResult {
    let name = CheckName.kubeRootCA
    guard change.phase != .preRotate else {
      return CheckResult(name, .notApplicable, "stays as it is in this stage")
    }
    do {
      let (total, published, behind) = try await withKubernetes(access) {
        client async throws(DriverError) in
        let namespaces = try await client.list("/api/v1/namespaces").filter { !$0.isTerminating }
        var published = 0
        var behind: [String] = []
        for namespace in namespaces {
          let escaped = KubernetesClient.escaped(namespace.objectName)
          let map = try await client.get(
            "/api/v1/namespaces/\(escaped)/configmaps/kube-root-ca.crt")
          guard let map, !map.isTerminating else { continue }
          published += 1
          let roots = map.trust(inData: "ca.crt") ?? SeenTrust([])
          if Set(roots.certificates) != [trust.issuing] || roots.unreadable > 0 {
            behind.append(namespace.objectName)
          }
        }
        return (namespaces.count, published, behind)
      }
      guard published > 0 else {
        return CheckResult(name, .notApplicable, "no namespace has a kube-root-ca.crt")
      }
      guard behind.isEmpty else {
        let some = behind.prefix(3).map(PeerText.clean).joined(separator: ", ")
        return CheckResult(
          name, .waiting,
          "\(behind.count) of \(published) namespaces still get another root: \(some)")
      }
      return CheckResult(
        name, .passed, "\(published) of \(total) namespaces get \(trust.name(trust.issuing))")
    } catch { return CheckResult(name, .waiting, error.message) }
  }

  /// The ConfigMap by which aggregated API servers know whose clients to accept. It keeps authorities
  /// that were removed, until it is deleted; the API server then writes it anew within a second.
  private func extensionAuthentication(
    _ trust: ChangeTrust, _ access: ClusterAccess
  ) async -> CheckResult {
    let name = CheckName.extensionAuthentication
    guard !trust.dropped.isEmpty else {
      return CheckResult(name, .notApplicable, "no authority is dropped in this stage")
    }
    let accepted = trust.accepted
    do throws(DriverError) {
      let roots = try await withKubernetes(access) { client async throws(DriverError) in
        try await client.get(ExtensionAuthentication.path)?.trust(
          inData: ExtensionAuthentication.key) ?? SeenTrust([])
      }
      let isClean = roots.unreadable == 0 && roots.certificates.allSatisfy(accepted.contains)
      return isClean
        ? CheckResult(name, .passed, "holds no other CA than the accepted ones")
        : CheckResult(
          name, .waiting,
          "still holds another CA than the accepted ones; renewed once all else is done")
    } catch { return CheckResult(name, .waiting, error.message) }
  }
}

/// Where aggregated API servers are told whose clients to accept.
enum ExtensionAuthentication {
  static let path =
    "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
  static let key = "client-ca-file"
}

/// Whether the machines of a rotation are as many as they seem.
enum DistinctMachines {
  static func check(_ machines: [Machine]) -> CheckResult {
    let name = CheckName.distinctMachines
    var seen: [String: String] = [:]
    for machine in machines where !machine.identity.isEmpty {
      if let other = seen.updateValue(machine.id, forKey: machine.identity) {
        return CheckResult(
          name, .failed,
          "\(other) and \(machine.id) are one machine (node id \(machine.identity)): one of them was never "
            + "changed, or does not exist")
      }
    }
    return CheckResult(name, .passed, "\(machines.count) distinct machines")
  }
}
