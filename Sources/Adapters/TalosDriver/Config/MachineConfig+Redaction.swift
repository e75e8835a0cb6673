import Encodings
import YAML

/// Recognizing a configuration that Talos has blacked out for a reader who may not see secrets.
///
/// Talos replaces secrets and nothing else (`Config.Redact` and the documents' `Redact`), so six stars in
/// any other value are that value. Talos blacks out all secrets or none: those that every machine or
/// the machine's authorities have tell it.
extension MachineConfig {
  /// Secrets of the v1alpha1 document; `*` stands for every key or item.
  private static let sections = [
    "machine.token", "machine.ca.key", "cluster.secret", "cluster.token", "cluster.ca.key",
    "cluster.aescbcEncryptionSecret", "cluster.secretboxEncryptionSecret",
    "cluster.aggregatorCA.key", "cluster.serviceAccount.key", "cluster.etcd.ca.key",
    "machine.registries.config.*.auth.password", "machine.registries.config.*.auth.auth",
    "machine.registries.config.*.auth.identityToken",
    "machine.registries.config.*.tls.clientIdentity.key",
    "machine.network.interfaces.*.wireguard.privateKey",
    "machine.network.interfaces.*.vip.hcloud.apiToken",
    "machine.network.interfaces.*.vip.equinixMetal.apiToken",
    "machine.network.interfaces.*.vlans.*.vip.hcloud.apiToken",
    "machine.network.interfaces.*.vlans.*.vip.equinixMetal.apiToken",
    "machine.systemDiskEncryption.*.keys.*.static.passphrase",
  ]

  /// Secrets of the other documents, by kind.
  private static let kinds: [String: [String]] = [
    "KubeAPIServerCAConfig": ["issuingCA.key"], "KubeAggregatorCAConfig": ["issuingCA.key"],
    "KubeServiceAccountConfig": ["issuer.privateKey"],
    "DiscoveryIdentityConfig": ["clusterSecret"], "HCloudVIPConfig": ["apiToken"],
    "WireguardConfig": ["privateKey", "peers.*.presharedKey"],
    "RegistryAuthConfig": ["password", "auth", "identityToken"],
  ]

  /// The path of the first secret that is blacked out.
  static func redactedPath(in documents: [YAMLNode]) -> String? {
    for document in documents {
      for path in document["kind"]?.text.map({ kinds[$0] ?? [] }) ?? sections
      where holdsStars(document, path.split(separator: ".")[...]) { return path }
    }
    return nil
  }

  private static func holdsStars(_ node: YAMLNode, _ path: ArraySlice<Substring>) -> Bool {
    guard let step = path.first else { return node.text.map(isRedacted) ?? false }
    let rest = path.dropFirst()
    guard step == "*" else { return node[String(step)].map { holdsStars($0, rest) } ?? false }
    let children = node.items ?? node.entries?.map(\.value) ?? []
    return children.contains { holdsStars($0, rest) }
  }

  /// Base64 fields hold the stars as they are or encoded.
  private static func isRedacted(_ text: String) -> Bool {
    text == "******" || text == Base64.encode("******")
  }
}
