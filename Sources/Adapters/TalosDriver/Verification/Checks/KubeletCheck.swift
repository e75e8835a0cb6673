import Rotation

/// `kubelet`: whether the kubelet runs and is healthy.
extension KubernetesObservation {
  func kubeletCheck(
    _ machine: Machine, isExcused: Bool = false, _ freshness: Freshness
  ) -> CheckResult {
    guard !isExcused else {
      return CheckResult(
        .kubelet, .notApplicable,
        "was not running and healthy before the rotation; not waited for")
    }
    let look = "talosctl -n \(machine.address) logs kubelet"
    guard let kubelet else {
      return CheckResult(
        .kubelet, .waiting, "the kubelet service is not running on \(machine.id): \(look)")
    }
    guard kubelet.running, !isRestartToCome(kubelet, freshness) else {
      return CheckResult(.kubelet, .waiting, "the kubelet of \(machine.id) is being restarted")
    }
    guard kubelet.healthy else {
      return CheckResult(
        .kubelet, .waiting,
        kubelet.unknown
          ? "the health of the kubelet of \(machine.id) is not known yet"
          : "the kubelet of \(machine.id) is unhealthy: \(look)")
    }
    return CheckResult(.kubelet, .passed, "running and healthy")
  }

  /// Whether the kubelet that runs is the one from before its secrets changed: Talos restarts the kubelet with
  /// each change of them, a moment later. Looked at only while the change is fresh, so that a clock that was set
  /// does not make it look so for ever.
  private func isRestartToCome(_ kubelet: Service, _ freshness: Freshness) -> Bool {
    guard let changed = kubeletSecretsUpdated, let updated = kubelet.updated, updated < changed
    else { return false }
    return freshness.holds("kubelet secrets", changed, within: .seconds(60))
  }
}
