import Orchestrator
import ProtoCodec
import Rotation

/// `control-plane-pods`: whether controller-manager and scheduler are Ready, or need not be yet.
extension TalosDriver {
  /// Whether the controller-manager and the scheduler of a control plane are Ready, or need not be yet.
  func controlPlanePods(
    _ mirrors: [StaticPod: MirrorPod], _ nodename: String, _ options: RotationOptions,
    _ access: ClusterAccess, _ occasion: MachineLook.Occasion
  ) async -> CheckResult {
    let name = CheckName.controlPlanePods
    guard !mirrors.isEmpty else {
      return CheckResult(name, .notApplicable, "this control plane shows no such pods")
    }
    let open = [StaticPod.controllerManager, .scheduler].filter { pod in
      mirrors[pod]?.isReady != true
        && !options.unready.contains(pod.unreadyName(on: nodename))
    }
    guard !open.isEmpty else {
      return CheckResult(name, .passed, "controller-manager and scheduler are Ready")
    }
    let names = open.map { $0.mirrorName(on: nodename) }.joined(separator: ", ")
    guard occasion == .turn else { return CheckResult(name, .waiting, "not Ready: \(names)") }
    for pod in open {
      switch await leader(of: pod, access) {
      case .success(let holder) where holder == nodename || holder.isEmpty:
        return CheckResult(
          name, .waiting,
          "not Ready: \(names), and no other machine holds the lease of \(pod.rawValue)")
      case .success: continue
      case .failure(let error): return CheckResult(name, .waiting, error.message)
      }
    }
    return CheckResult(
      name, .passed,
      "\(names) not Ready yet; other machines hold their leases, the gate waits for them")
  }

  /// The node whose process holds the lease of a component; empty where nobody has renewed it lately.
  private func leader(
    of pod: StaticPod, _ access: ClusterAccess
  ) async -> Result<String, DriverError> {
    let path =
      "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/" + pod.rawValue
    do throws(DriverError) {
      let lease = try await withKubernetes(access) { client async throws(DriverError) in
        try await client.getDated(path)
      }
      guard let lease else { return .success("") }
      let spec = lease.object["spec"]
      let duration = spec?["leaseDurationSeconds"]?.integer ?? 15
      if let renewed = (spec?["renewTime"]?.string).flatMap(Instant.init(rfc3339:)),
        let date = lease.date,
        renewed.duration(to: date) > .seconds(max(duration, 1) * 2)
      {
        return .success("")
      }
      // `NODENAME_uuid`, by the components' own custom.
      let holder = spec?["holderIdentity"]?.string ?? ""
      return .success(String(holder.prefix { $0 != "_" }))
    } catch { return .failure(error) }
  }
}
