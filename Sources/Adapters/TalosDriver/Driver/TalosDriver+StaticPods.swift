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
      now: Instant(secondsSince1970: now()))
    return [
      restart.check(machine: machine.id),
      await controlPlanePods(mirrors, nodename, change.options, access, look.occasion),
    ]
  }
}
