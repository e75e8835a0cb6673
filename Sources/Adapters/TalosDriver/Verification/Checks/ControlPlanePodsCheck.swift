import Orchestrator
import ProtoCodec
import Rotation

/// `control-plane-pods`: whether controller-manager and scheduler are Ready, or need not be yet.
extension TalosDriver {
  /// Whether the controller-manager and the scheduler of a control plane are Ready, or need not be yet.
  ///
  /// - Parameters:
  ///   - excused: those that are not waited for.
  ///   - isPodless: whether Kubernetes has shown no static pods of the machine for so long that it never does.
  func controlPlanePods(
    _ mirrors: [StaticPod: MirrorPod], _ nodename: String, _ look: MachineLook,
    excused: Set<StaticPod>, isPodless: Bool = false
  ) async -> CheckResult {
    let name = CheckName.controlPlanePods
    let (access, occasion) = (look.access, look.occasion)
    guard !mirrors.isEmpty || StaticPodRestart.hadPods(look.baseline) else {
      return isPodless
        ? CheckResult(name, .notApplicable, "this control plane shows no such pods")
        : CheckResult(name, .waiting, "Kubernetes shows none of them yet")
    }
    let open = [StaticPod.controllerManager, .scheduler].filter { pod in
      mirrors[pod]?.isReady != true && !excused.contains(pod)
    }
    guard !open.isEmpty else {
      return CheckResult(name, .passed, "controller-manager and scheduler are Ready")
    }
    let names = open.map { $0.mirrorName(on: nodename) }.joined(separator: ", ")
    guard occasion == .turn else { return CheckResult(name, .waiting, "not Ready: \(names)") }
    for pod in open {
      switch await leader(of: pod, besides: nodename, access) {
      case .success(true): continue
      case .success(false):
        return CheckResult(
          name, .waiting,
          "not Ready: \(names), and no other machine holds the lease of \(pod.rawValue)")
      case .failure(let error): return CheckResult(name, .waiting, error.message)
      }
    }
    return CheckResult(
      name, .passed,
      "\(names) not Ready yet; other machines hold their leases, the gate waits for them")
  }

  /// Whether a process on another node leads for a component: it is named in the lease, has renewed it lately,
  /// and its pod is Ready. A process that is gone stays in the lease until the lease has run out.
  private func leader(
    of pod: StaticPod, besides nodename: String, _ access: ClusterAccess
  ) async -> Result<Bool, DriverError> {
    do throws(DriverError) {
      return .success(
        try await withKubernetes(access) { client async throws(DriverError) in
          guard let lease = try await LeaderLease.read(pod, client), !lease.isForgotten,
            let host = lease.host, host != LeaderLease.host(nodename)
          else { return false }
          let mirror = try await client.get(
            "/api/v1/namespaces/kube-system/pods/"
              + KubernetesClient.escaped(pod.mirrorName(on: lease.holder))
          ).map(MirrorPod.init)
          // No such pod: whether its process runs cannot be told.
          return mirror?.isReady == true
        })
    } catch { return .failure(error) }
  }
}
