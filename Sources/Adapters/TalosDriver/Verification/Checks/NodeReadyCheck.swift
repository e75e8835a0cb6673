import Orchestrator
import ProtoCodec
import Rotation

/// `node-ready`: whether a machine's own node is Ready.
extension TalosDriver {
  /// Whether the machine's own node is Ready. Other nodes are none of this machine's business.
  ///
  /// - Parameter lockout: why its kubelet cannot say so until the next stage; nil where it can.
  func nodeReady(
    _ nodename: String, _ machine: Machine, _ change: TrustChange, _ access: ClusterAccess,
    lockout: String? = nil
  ) async -> CheckResult {
    let name = CheckName.nodeReady
    let unready = "node/" + nodename
    func isOpen(_ text: String) -> CheckResult {
      if let lockout { return CheckResult(name, .notApplicable, lockout) }
      return isExcusable(unready, change, access)
        ? CheckResult(name, .notApplicable, "was not Ready before the rotation; not waited for")
        : CheckResult(name, .waiting, text)
    }
    do {
      let node = try await withKubernetes(
        access, preferring: machine.role == .controlPlane ? machine : nil
      ) { client async throws(DriverError) in
        try await client.get("/api/v1/nodes/" + KubernetesClient.escaped(nodename))
      }
      guard let node else {
        return isOpen(
          "there is no node \(nodename), which the kubelet of \(machine.id) registers: talosctl -n "
            + "\(machine.address) logs kubelet")
      }
      guard let ready = node.condition("Ready") else {
        return isOpen("node \(nodename) has no Ready condition yet")
      }
      guard ready.status == "True" else {
        return isOpen(
          "node \(nodename) is not Ready (\(PeerText.clean(ready.reason))): kubectl describe node "
            + nodename)
      }
      noteRecovered(unready, change, access)
      return CheckResult(name, .passed, "node \(nodename) is Ready")
    } catch { return CheckResult(name, .waiting, error.message) }
  }
}
