import Orchestrator
import Rotation
import Synchronization

/// The static pods of a control plane after a change of the Kubernetes CA.
extension TalosDriver {
  /// Whether they run with the new secrets. The controller-manager and the scheduler fail while their own API
  /// server is away and then sit out a back-off of 10, 20, 40 seconds: that they are Ready again is a matter
  /// for the gate, as long as another machine's hold the leases.
  ///
  /// - Parameter mirrors: nil where Talos shows no static pods.
  func staticPods(
    _ seen: KubernetesObservation, _ nodename: String, _ look: MachineLook,
    _ mirrors: Result<[StaticPod: MirrorPod], DriverError>?, excused: Set<StaticPod>
  ) async -> [CheckResult] {
    let machine = look.machine
    guard let secrets = seen.staticPods, let mirrors else {
      guard look.baseline?[Fact.version] == nil else {
        return [
          CheckResult(
            StaticPodRestart.name, .waiting,
            "\(machine.id) shows no static pods, which it did before its change: it is booting, perhaps"
          )
        ]
      }
      return [
        CheckResult(StaticPodRestart.name, .notApplicable, "Talos shows no static pods here")
      ]
    }
    switch mirrors {
    case .failure(let error):
      return [CheckResult(StaticPodRestart.name, .waiting, error.message)]
    case .success(let mirrors):
      var versions: [StaticPod: String] = [:]
      for pod in StaticPod.allCases {
        versions[pod] = versionOfContainer(
          pod, mirrors[pod], secrets.pods[pod], on: nodename, look.change, look.access)
      }
      let isPodless = isPodless(machine, mirrors)
      let restart = StaticPodRestart(
        secrets: secrets, mirrors: mirrors, baseline: look.baseline, excused: excused,
        versions: versions, freshness: freshness(machine), isPodless: isPodless)
      return [
        restart.check(machine: machine.id),
        await controlPlanePods(
          mirrors, nodename, look, excused: excused, isPodless: isPodless),
      ]
    }
  }

  /// What only a control plane shows of the Kubernetes CA: its static pods, and its API server.
  func controlPlaneChecks(
    _ seen: KubernetesObservation, _ nodename: String, _ look: MachineLook, _ trust: ChangeTrust
  ) async -> [CheckResult] {
    var mirrors: Result<[StaticPod: MirrorPod], DriverError>?
    if seen.staticPods != nil {
      do throws(DriverError) {
        mirrors = .success(try await mirrorPods(on: nodename, look.machine, look.access))
      } catch { mirrors = .failure(error) }
    }
    let excused = await excusedPods(
      (try? mirrors?.get()) ?? [:], on: nodename, look, trust)
    async let server = probeAPIServer(
      look.change, trust, look.machine, look.access, isExcused: excused.contains(.apiServer),
      mayBeUnwell: isExcusable(
        StaticPod.apiServer.unreadyName(on: nodename), look.change, look.access))
    let pods = await staticPods(seen, nodename, look, mirrors, excused: excused)
    return pods + (await server)
  }

  /// The cheapest looks at a control plane, by Kubernetes alone: whether a container of its static pods is still the
  /// one from before the change, its API server is not ready yet, or a lease is still its own. Nil where none of it is
  /// so, and where it cannot be told.
  func restartUnderWay(_ look: MachineLook, _ trust: ChangeTrust) async -> CheckResult? {
    guard let baseline = look.baseline, baseline[Fact.holds] == "false",
      let nodename = baseline[Fact.nodename],
      let mirrors = try? await mirrorPods(on: nodename, look.machine, look.access)
    else { return nil }
    let excused = await excusedPods(mirrors, on: nodename, look, trust)
    let old = StaticPod.allCases.first { pod in
      guard let before = baseline[pod.rawValue] else { return false }
      return mirrors[pod]?.container == before && !excused.contains(pod)
    }
    if let old { return StaticPodRestart.notYet(old, on: look.machine.id) }
    if !excused.contains(.apiServer) {
      let ready = await askReadiness(look.change, trust, look.machine, look.access)
      let mayBeUnwell = isExcusable(
        StaticPod.apiServer.unreadyName(on: nodename), look.change, look.access)
      let results = readiness(ready, trust, isUnwell: ready.isError && mayBeUnwell)
      if let open = results.first(where: { !$0.isSettled }) { return open }
    }
    let pods = await controlPlanePods(mirrors, nodename, look, excused: excused)
    return pods.isSettled ? nil : pods
  }

  /// Waits for pods that are not Ready yet, for as long as a look goes on (`settings.lookWindow`, `longLookWindow`): each
  /// look at all machines asks much, and would find no more than that. What the looks find decides.
  func awaitPods(
    _ change: TrustChange, _ baselines: [String: Baseline], _ access: ClusterAccess
  ) async {
    guard change.component == .kubernetesCA else { return }
    let place = Notes.Told.Place(change, access)
    let isTold = notes.withLock { !$0.told.open(at: place).isEmpty }
    let end = ContinuousClock.now + (isTold ? settings.longLookWindow : settings.lookWindow)
    while ContinuousClock.now < end {
      let isComing = await concurrently(access.cluster.controlPlanes) { plane in
        guard let baseline = baselines[plane.id], let nodename = baseline[Fact.nodename],
          let mirrors = try? await self.mirrorPods(on: nodename, plane, access)
        else { return false }
        return [StaticPod.controllerManager, .scheduler].contains { pod in
          mirrors[pod]?.isReady == false
            && !(baseline[Fact.ready(pod)] != "true"
              && self.isExcusable(pod.unreadyName(on: nodename), change, access))
        }
      }
      guard isComing.contains(true) else { return }
      guard (try? await Task.sleep(for: settings.longestLookPause)) != nil else { return }
    }
  }
}
