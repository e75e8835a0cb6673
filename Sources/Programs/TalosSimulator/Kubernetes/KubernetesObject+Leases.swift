internal import Encodings

extension KubernetesObject {
  /// The leases of the components that lead, and one for each node.
  static func leases(_ snapshot: KubernetesSnapshot) -> [KubernetesObject] {
    func lease(
      _ namespace: String, _ name: String, holder: String, seconds: Int, renewed: Int64,
      _ more: [String: Any] = [:]
    ) -> KubernetesObject {
      let spec: [String: Any] = [
        "holderIdentity": holder, "leaseDurationSeconds": seconds, "renewTime": microTime(renewed),
      ]
      return KubernetesObject(
        kind: "Lease", namespace: namespace, name: name, created: snapshot.created,
        revision: snapshot.state.revision, apiVersion: "coordination.k8s.io/v1",
        ["spec": spec.merging(more) { $1 }])
    }
    var list: [KubernetesObject] = snapshot.nodes.map {
      lease("kube-node-lease", $0.name, holder: $0.name, seconds: 40, renewed: $0.leaseRenewed)
    }
    for led in KubernetesState.Led.allCases {
      guard let state = snapshot.state.leases[led], let holder = state.holder else { continue }
      let clock = snapshot.nodes.first { $0.name == holder.node }?.clock ?? state.acquired
      list.append(
        lease(
          "kube-system", led.rawValue, holder: holder.identity, seconds: 15,
          renewed: state.lastRenewal ?? clock,
          ["acquireTime": microTime(state.acquired), "leaseTransitions": state.transitions]))
    }
    return list
  }

  /// RFC 3339 in UTC, to the microsecond.
  ///
  /// - Parameter nanoseconds: since 1970.
  static func microTime(_ nanoseconds: Int64) -> String {
    RFC3339.text(
      secondsSince1970: nanoseconds / 1_000_000_000,
      nanoseconds: Int32(nanoseconds % 1_000_000_000), fraction: .microseconds)
  }
}
