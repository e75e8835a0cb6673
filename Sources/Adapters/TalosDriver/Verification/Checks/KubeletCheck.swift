import Rotation

/// `kubelet`: whether the kubelet runs and is healthy.
extension KubernetesObservation {
  func kubeletCheck(_ machine: Machine) -> CheckResult {
    let look = "talosctl -n \(machine.address) logs kubelet"
    guard let kubelet else {
      return CheckResult(
        .kubelet, .waiting, "the kubelet service is not running on \(machine.id): \(look)")
    }
    guard kubelet.running else {
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
}
