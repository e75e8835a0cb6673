import Crypto
public import Orchestrator
import ProtoCodec
public import Rotation

/// The gate between two stages, and after the last.
extension TalosDriver {
  public func verifyCluster(_ change: TrustChange, access: ClusterAccess) async -> [CheckResult] {
    var results = await verifyMachines(change, access)
    guard change.component == .kubernetesCA else { return results }
    do {
      let trust = try ChangeTrust(change, .controlPlane, keyring)
      results.append(await rootConfigMaps(change, trust, access))
      let isSettled = results.allSatisfy(\.isSettled)
      results.append(await extensionAuthentication(trust, access, mayDelete: isSettled))
    } catch { results.append(CheckResult("driver", .failed, error.message)) }
    return results
  }

  /// Asks every machine once more, several at a time: what was proved of the first may have been
  /// undone while the last was on its turn.
  private func verifyMachines(_ change: TrustChange, _ access: ClusterAccess) async -> [CheckResult]
  {
    let machines = access.cluster.machines
    var open: [(index: Int, result: CheckResult)] = []
    await withTaskGroup(of: (Int, [CheckResult]).self) { group in
      var next = 0
      func startOne() {
        guard next < machines.count else { return }
        let index = next
        next += 1
        group.addTask {
          (index, await self.verify(change, machine: machines[index], access: access))
        }
      }
      for _ in 0..<max(1, settings.concurrency) { startOne() }
      while let (index, results) = await group.next() {
        for result in results where !result.isSettled { open.append((index, result)) }
        startOne()
      }
    }
    guard !open.isEmpty else {
      return [CheckResult("machines", .passed, "\(machines.count) machines verified once more")]
    }
    return open.sorted { $0.index < $1.index }.prefix(16).map { one in
      CheckResult(
        one.result.name, one.result.state, "\(machines[one.index].id): \(one.result.detail)")
    }
  }

  /// The root that pods are given, in every namespace. The controller-manager writes the issuing
  /// authority alone, once it has restarted.
  private func rootConfigMaps(
    _ change: TrustChange, _ trust: ChangeTrust, _ access: ClusterAccess
  ) async -> CheckResult {
    let name = "kube-root-ca"
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
          let roots = map.certificates(inData: "ca.crt") ?? []
          if !roots.contains(trust.issuing) || trust.dropped.contains(where: roots.contains) {
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
    _ trust: ChangeTrust, _ access: ClusterAccess, mayDelete: Bool
  ) async -> CheckResult {
    let name = "extension-authentication"
    guard !trust.dropped.isEmpty else {
      return CheckResult(name, .notApplicable, "no authority is dropped in this stage")
    }
    let path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
    let dropped = trust.dropped
    do {
      return try await withKubernetes(access) { client async throws(DriverError) in
        func holdsDropped() async throws(DriverError) -> Bool {
          let roots = try await client.get(path)?.certificates(inData: "client-ca-file") ?? []
          return dropped.contains(where: roots.contains)
        }
        guard try await holdsDropped() else {
          return CheckResult(name, .passed, "does not hold the dropped CA")
        }
        guard mayDelete else {
          return CheckResult(
            name, .waiting, "still holds the dropped CA; renewed once all else is done")
        }
        let answer = await client.send("DELETE", path)
        switch answer {
        case .status(200, _), .status(202, _), .status(404, _): break
        default: return CheckResult(name, .waiting, "cannot be renewed: \(answer.summary)")
        }
        for _ in 0..<15 {
          try? await Task.sleep(for: self.settings.retryDelay)
          if try await client.get(path) != nil { break }
        }
        return try await holdsDropped()
          ? CheckResult(name, .waiting, "was written anew, with the dropped CA again")
          : CheckResult(name, .passed, "held the dropped CA; renewed")
      }
    } catch { return CheckResult(name, .waiting, error.message) }
  }
}
