import Orchestrator
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
      freshness: freshness(machine))
    return [
      restart.check(machine: machine.id),
      await controlPlanePods(mirrors, nodename, look),
    ]
  }

  /// The cheapest looks at a control plane, by Kubernetes alone: whether a container of its static pods is still the
  /// one from before the change, its API server is not ready yet, or a lease is still its own. Nil where none of it is
  /// so, and where it cannot be told.
  func restartUnderWay(_ look: MachineLook, _ trust: ChangeTrust) async -> CheckResult? {
    guard let baseline = look.baseline, baseline[Fact.holds] == "false",
      let nodename = baseline[Fact.nodename],
      let mirrors = try? await mirrorPods(on: nodename, look.machine, look.access)
    else { return nil }
    let options = look.change.options
    let old = StaticPod.allCases.first { pod in
      guard let before = baseline[pod.rawValue] else { return false }
      return mirrors[pod]?.container == before
        && !options.unready.contains(pod.unreadyName(on: nodename))
    }
    if let old { return StaticPodRestart.notYet(old, on: look.machine.id) }
    if !options.unready.contains(StaticPod.apiServer.unreadyName(on: nodename)) {
      let ready = await askReadiness(look.change, trust, look.machine, look.access)
      if let open = readiness(ready, trust).first(where: { !$0.isSettled }) { return open }
    }
    let pods = await controlPlanePods(mirrors, nodename, look)
    return pods.isSettled ? nil : pods
  }

  /// Waits for pods that are not Ready yet, for as long as a look goes on: each look at all machines asks much, and
  /// would find no more than that. What the looks find decides.
  func awaitPods(
    _ change: TrustChange, _ baselines: [String: Baseline], _ access: ClusterAccess
  ) async {
    guard change.component == .kubernetesCA else { return }
    let end = ContinuousClock.now + settings.lookWindow
    while ContinuousClock.now < end {
      let isComing = await concurrently(access.cluster.controlPlanes) { plane in
        guard let nodename = baselines[plane.id]?[Fact.nodename],
          let mirrors = try? await self.mirrorPods(on: nodename, plane, access)
        else { return false }
        return [StaticPod.controllerManager, .scheduler].contains { pod in
          mirrors[pod]?.isReady == false
            && !change.options.unready.contains(pod.unreadyName(on: nodename))
        }
      }
      guard isComing.contains(true) else { return }
      guard (try? await Task.sleep(for: settings.longestLookPause)) != nil else { return }
    }
  }
}
