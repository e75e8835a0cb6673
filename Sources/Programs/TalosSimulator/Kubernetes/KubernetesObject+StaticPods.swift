extension KubernetesObject {
  /// The mirror pods of one control plane.
  static func mirrorPods(
    of node: KubernetesSnapshot.Node, _ snapshot: KubernetesSnapshot
  ) -> [KubernetesObject] {
    node.pods.map { pod in
      let name = pod.component.rawValue
      // A node that nobody has heard of for long: the node controller marks its pods.
      let ready = pod.isReady && node.ready != .unknown
      let hash = uid("\(name)/\(node.name)/\(pod.secretsVersion)").filter { $0 != "-" }
      return KubernetesObject(
        kind: "Pod", namespace: "kube-system", name: "\(name)-\(node.name)",
        created: snapshot.created, revision: snapshot.state.revision,
        labels: ["k8s-app": name, "tier": "control-plane", "component": name],
        annotations: [
          "talos.dev/secrets-version": "\(pod.secretsVersion)",
          "talos.dev/config-version": "1", "kubernetes.io/config.source": "http",
          "kubernetes.io/config.hash": hash, "kubernetes.io/config.mirror": hash,
        ],
        [
          "spec": [
            "nodeName": node.name, "hostNetwork": true,
            "containers": [["name": name, "image": "\(name):\(snapshot.kubernetesVersion)"]],
          ] as [String: Any],
          "status": [
            "phase": pod.containerID.isEmpty ? "Pending" : "Running", "podIP": node.address,
            "conditions": [["type": "Ready", "status": ready ? "True" : "False"]],
            "containerStatuses": [container(pod)],
          ] as [String: Any],
        ])
    }
  }

  private static func container(_ pod: StaticPod) -> [String: Any] {
    let name = pod.component.rawValue
    var status: [String: Any] = [
      "name": name, "ready": pod.isReady, "restartCount": pod.restartCount,
      "containerID": pod.containerID,
    ]
    if let last = pod.lastTermination { status["lastState"] = ["terminated": terminated(last)] }
    switch pod.phase {
    case .running(let since):
      status["started"] = true
      status["state"] = ["running": ["startedAt": time(since)]]
    case .ended:
      status["started"] = false
      if let last = pod.lastTermination { status["state"] = ["terminated": terminated(last)] }
    case .backingOff(let wait):
      status["started"] = false
      let seconds = max(1, wait.components.seconds)
      status["state"] = [
        "waiting": [
          "reason": "CrashLoopBackOff",
          "message": "back-off \(seconds)s restarting failed container=\(name)",
        ]
      ]
    }
    return status
  }

  private static func terminated(_ last: StaticPod.Termination) -> [String: Any] {
    [
      "exitCode": last.exitCode, "reason": last.reason, "containerID": last.containerID,
      "startedAt": time(last.started), "finishedAt": time(last.finished),
    ]
  }
}
