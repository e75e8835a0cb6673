import Crypto
import Encodings
public import Orchestrator
import ProtoCodec
import Rotation

/// Who goes on with what a rotation has retired.
extension TalosDriver {
  public func staleTrust(
    _ stale: StaleTrust, access: ClusterAccess
  ) async throws(DriverError) -> StaleTrustCount {
    guard let issuing = access.cluster.authorities[stale.component] else {
      throw DriverError(.refused, "this cluster has no \(stale.component.rawValue)")
    }
    let current = try keyring.certificate(issuing)
    return try await withKubernetes(access) { client async throws(DriverError) in
      switch stale.component {
      case .kubernetesCA:
        let maps = try await Self.rootConfigMaps(client, changedBy: stale.changedBy)
        return try await Self.count(.rootCertificate, maps, client)
      case .talosCA:
        let (secrets, outdated) = try await Self.talosSecrets(
          client, current, changedBy: stale.changedBy)
        let pods = try await Self.count(.talosClient, secrets, client)
        return StaleTrustCount(pods.holders + outdated, beyond: pods)
      }
    }
  }

  private static func count(
    _ kind: StaleHolder.Kind, _ changes: [StalePods.Source: Instant], _ client: KubernetesClient
  ) async throws(DriverError) -> StaleTrustCount {
    guard !changes.isEmpty else { return StaleTrustCount([]) }
    var pods = StalePods(kind, changes: changes)
    try await client.pages(of: "/api/v1/pods", "fieldSelector=status.phase%3DRunning") {
      pods.add($0)
    }
    return StaleTrustCount(pods.holders)
  }

  /// When the root that pods are given changed, by namespace.
  private static func rootConfigMaps(
    _ client: KubernetesClient, changedBy: Instant
  ) async throws(DriverError) -> [StalePods.Source: Instant] {
    var changes: [StalePods.Source: Instant] = [:]
    let name = "kube-root-ca.crt"
    for map in try await client.list("/api/v1/configmaps", "fieldSelector=metadata.name%3D\(name)")
    {
      let source = StalePods.Source(kind: .configMap, namespace: map.objectNamespace, name: name)
      changes[source] = StalePods.changed(map, latest: changedBy) ?? changedBy
    }
    return changes
  }

  /// The Secrets that Talos writes for pods that may call its API (ServiceAccounts of `talos.dev/v1alpha1`): when those
  /// changed that are of the present authority, and those that are not.
  private static func talosSecrets(
    _ client: KubernetesClient, _ current: Certificate, changedBy: Instant
  ) async throws(DriverError) -> ([StalePods.Source: Instant], [StaleHolder]) {
    var changes: [StalePods.Source: Instant] = [:]
    var outdated: [StaleHolder] = []
    // A cluster without Talos API access for pods has no such resource: the list is empty.
    for account in try await client.list(
      "/apis/talos.dev/v1alpha1/serviceaccounts", mayBeAbsent: true)
    {
      let (namespace, name) = (account.objectNamespace, account.objectName)
      let path =
        "/api/v1/namespaces/\(KubernetesClient.escaped(namespace))/secrets/"
        + KubernetesClient.escaped(name)
      guard let secret = try await client.get(path) else { continue }
      let source = StalePods.Source(kind: .secret, namespace: namespace, name: name)
      if TalosAccessSecret.isOf(current, secret) {
        changes[source] = StalePods.changed(secret, latest: changedBy) ?? changedBy
      } else {
        outdated.append(
          StaleHolder(
            .talosSecret, namespace: PeerText.clean(namespace),
            owner: "secret/" + PeerText.clean(name)))
        // Whoever has read it has an old one, however late.
        changes[source] = Instant(nanosecondsSince1970: .max)
      }
    }
    return (changes, outdated)
  }
}

/// A Secret with a talosconfig for pods (Talos' `serviceaccounts.talos.dev`; its key is `config`).
enum TalosAccessSecret {
  /// Whether the talosconfig trusts the authority alone.
  static func isOf(_ authority: Certificate, _ secret: JSONValue) -> Bool {
    guard let text = secret["data"]?["config"]?.string, let bytes = Base64.decode(text) else {
      return false
    }
    // Where it leads to does not matter.
    let anywhere = [TalosEndpoint(host: "127.0.0.1", port: TalosEndpoint.defaultPort)]
    let context = try? Talosconfig.context(
      nil, in: String(decoding: bytes, as: UTF8.self), instead: anywhere)
    return context?.roots == [authority]
  }
}
