import Crypto
import Orchestrator
import ProtoCodec
import Rotation

/// `kube-root-ca`: what pods are given as the cluster's root.
extension TalosDriver {
  /// The root that pods are given, in every namespace. The controller-manager writes the issuing
  /// authority alone, once it has restarted.
  func rootConfigMaps(
    _ change: TrustChange, _ trust: ChangeTrust, _ access: ClusterAccess
  ) async -> CheckResult {
    let name = CheckName.kubeRootCA
    guard change.phase != .preRotate || change.direction == .backward else {
      return CheckResult(name, .notApplicable, "stays as it is in this stage")
    }
    do {
      let (total, published, behind) = try await withKubernetes(access) {
        client async throws(DriverError) in
        let namespaces = try await client.list("/api/v1/namespaces").filter { !$0.isTerminating }
        var published = 0
        var behind: [String] = []
        for namespace in namespaces {
          let escaped = KubernetesClient.escaped(namespace.objectName)
          let map = try await client.get(
            "/api/v1/namespaces/\(escaped)/configmaps/kube-root-ca.crt")
          guard let map, !map.isTerminating else { continue }
          published += 1
          let roots = map.trust(inData: "ca.crt") ?? SeenTrust([])
          if Set(roots.certificates) != [trust.issuing] || roots.unreadable > 0 {
            behind.append(namespace.objectName)
          }
        }
        return (namespaces.count, published, behind)
      }
      guard published > 0 else {
        return CheckResult(name, .notApplicable, "no namespace has a kube-root-ca.crt")
      }
      guard behind.isEmpty else {
        let some = behind.prefix(3).map(PeerText.clean).joined(separator: ", ")
        return CheckResult(
          name, .waiting,
          "\(behind.count) of \(published) namespaces still get another root: \(some); the controller-manager "
            + "writes it once it has restarted: kubectl -n kube-system get pods -l k8s-app=kube-controller-manager"
        )
      }
      return CheckResult(
        name, .passed, "\(published) of \(total) namespaces get \(trust.name(trust.issuing))")
    } catch { return CheckResult(name, .waiting, error.message) }
  }
}
