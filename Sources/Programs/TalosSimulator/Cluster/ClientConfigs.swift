internal import Crypto
internal import Encodings

/// The client files Talos hands out, in the form its own tools write.
enum ClientConfigs {
  /// A talosconfig with one context.
  ///
  /// - Parameters:
  ///   - ca: PEM of the CA (or CAs) that the machines' certificates verify against.
  ///   - endpoints: where to dial; may be empty, as in GenerateClientConfiguration's answer.
  static func talosconfig(
    context: String, endpoints: [String], nodes: [String], ca: String, client: PEMPair
  ) -> String {
    var text = "context: \(context)\ncontexts:\n    \(context):\n"
    text += list("endpoints", endpoints) + list("nodes", nodes)
    text += "        ca: \(Base64.encode(ca))\n"
    text += "        crt: \(Base64.encode(client.certificate))\n"
    text += "        key: \(Base64.encode(client.key))\n"
    return text
  }

  private static func list(_ name: String, _ values: [String]) -> String {
    if values.isEmpty { return name == "nodes" ? "" : "        \(name): []\n" }
    return "        \(name):\n" + values.map { "            - \($0)\n" }.joined()
  }

  /// An admin kubeconfig. `ca` is every accepted CA, one after the other.
  static func kubeconfig(cluster: String, server: String, ca: String, client: PEMPair) -> String {
    """
    apiVersion: v1
    kind: Config
    clusters:
    - name: \(cluster)
      cluster:
        server: \(server)
        certificate-authority-data: \(Base64.encode(ca))
    users:
    - name: admin@\(cluster)
      user:
        client-certificate-data: \(Base64.encode(client.certificate))
        client-key-data: \(Base64.encode(client.key))
    contexts:
    - context:
        cluster: \(cluster)
        namespace: default
        user: admin@\(cluster)
      name: admin@\(cluster)
    current-context: admin@\(cluster)

    """
  }

  /// The bundle that `talosctl gen secrets` writes.
  static func secretsBundle(_ secrets: ClusterSecrets) -> String {
    func pair(_ name: String, _ pair: PEMPair) -> String {
      "    \(name):\n        crt: \(Base64.encode(pair.certificate))\n"
        + "        key: \(Base64.encode(pair.key))\n"
    }
    return """
      cluster:
          id: \(secrets.clusterID)
          secret: \(secrets.clusterSecret)
      secrets:
          bootstraptoken: \(secrets.bootstrapToken)
          secretboxencryptionsecret: \(secrets.secretboxSecret)
      trustdinfo:
          token: \(secrets.talosToken)
      certs:

      """ + pair("etcd", secrets.etcdCA) + pair("k8s", secrets.kubernetesCA)
        + pair("k8saggregator", secrets.aggregatorCA)
        + "    k8sserviceaccount:\n        key: \(Base64.encode(secrets.serviceAccountKey))\n"
        + pair("os", secrets.talosCA)
  }
}
