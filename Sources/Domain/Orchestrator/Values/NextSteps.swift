import Rotation

/// What a person should do once a rotation is over.
enum NextSteps {
  static func lines(_ rotation: RotationRecord) -> [String] {
    switch rotation.state {
    case .succeeded: succeeded(rotation)
    case .aborted(_, _?): aborted(rotation)
    case .assembling, .rolling, .gating, .failed, .aborted(_, nil): []
    }
  }

  /// Machines had accepted the new authority, and credentials may have been issued from it.
  private static func aborted(_ rotation: RotationRecord) -> [String] {
    let command = rotation.component == .talosCA ? "talosconfig" : "kubeconfig"
    return [
      "every \(command) that omnid issued from the new CA \(rotation.new.fingerprint.prefix(12)) is refused now; "
        + "get a fresh one: omnictl cluster -n \(rotation.cluster) \(command) --output-file \(command)",
      "every credential of the old CA works on: if one has leaked, start another rotation",
    ]
  }

  /// What else the cause needs, as far as it is known from this rotation alone.
  private static func rest(_ rotation: RotationRecord) -> [String] {
    guard let cause = rotation.cause, let kind = ClusterMark.Kind(rawValue: cause.rawValue),
      kind == .leakedSecrets || (cause.needs ?? []).count > 1
    else { return [] }
    return [
      "\(cause.rawValue) is dealt with only when both CAs have been rotated after it"
        + (kind == .leakedSecrets ? ", and the other secrets replaced" : "")
        + "; what is pending: omnictl cluster get \(rotation.cluster)"
    ]
  }

  private static func succeeded(_ rotation: RotationRecord) -> [String] {
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
          "restart the pods that read the old root at their start, kube-proxy and the CNI first: omnictl cluster -n "
            + "\(cluster) secret rotate status names them until none is left",
        ]
      }
    return credentials + rest(rotation) + [
      "whoever keeps this cluster's secrets or configurations elsewhere (Terraform, GitOps, a secrets "
        + "bundle) has to take over the new CA \(ca), or the old one comes back with the next apply: omnictl "
        + "cluster -n \(cluster) secrets export",
      "back up omnid's store and its master key, apart from each other: beside the control planes they alone "
        + "hold the new CA's key",
    ]
  }
}
