import Orchestrator
import ProtoCodec
import Rotation

/// The static pods of a control plane after a change of the Kubernetes CA.
extension TalosDriver {
  /// Whether they run with the new secrets. The controller-manager and the scheduler fail while their own API
  /// server is away and then sit out a back-off of 10, 20, 40 seconds: that they are Ready again is a matter
  /// for the gate, as long as another machine's hold the leases.
  func staticPods(
    _ seen: KubernetesObservation, _ nodename: String, _ look: MachineLook
  ) async -> [CheckResult] {
    let (change, machine, access) = (look.change, look.machine, look.access)
    guard let secrets = seen.staticPods else {
      return [
        CheckResult(StaticPodRestart.name, .notApplicable, "Talos shows no static pods here")
      ]
    }
    let mirrors: [StaticPod: MirrorPod]
    do throws(DriverError) {
      mirrors = try await mirrorPods(on: nodename, machine, access)
    } catch {
      return [CheckResult(StaticPodRestart.name, .waiting, error.message)]
    }
    let restart = StaticPodRestart(
      secrets: secrets, mirrors: mirrors, baseline: look.baseline,
      unready: Set(
        StaticPod.allCases.filter {
          change.options.unready.contains($0.unreadyName(on: nodename))
        }),
      now: Instant(secondsSince1970: now()))
    return [
      restart.check(machine: machine.id),
      await controlPlanePods(mirrors, nodename, change.options, access, look.occasion),
    ]
  }

  /// Whether the controller-manager and the scheduler of a control plane are Ready, or need not be yet.
  private func controlPlanePods(
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
