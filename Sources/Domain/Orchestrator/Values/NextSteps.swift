import Rotation

/// What a person should do once a rotation is over.
enum NextSteps {
  static func lines(_ rotation: RotationRecord) -> [String] {
    guard case .succeeded = rotation.state else { return [] }
    let cluster = rotation.cluster
    let ca = rotation.new.fingerprint.prefix(12)
    let credentials =
      switch rotation.component {
      case .talosCA:
        [
          "every talosconfig made before is refused now; get a fresh one: omnictl cluster -n \(cluster) "
            + "talosconfig --output-file talosconfig"
        ]
      case .kubernetesCA:
        [
          "every kubeconfig made before is refused now; get a fresh one: omnictl cluster -n \(cluster) "
            + "kubeconfig --output-file kubeconfig",
          "restart the pods that read the old root at their start, kube-proxy and the CNI first: kubectl "
            + "-n kube-system rollout restart daemonset",
        ]
      }
    return credentials + [
      "whoever keeps this cluster's secrets or configurations elsewhere (Terraform, GitOps, a secrets "
        + "bundle) has to take over the new CA \(ca), or the old one comes back with the next apply",
      "back up omnid's store and its master key, apart from each other: beside the control planes they alone "
        + "hold the new CA's key",
    ]
  }
}
