import Crypto
import Encodings
import YAML

/// The client configuration file of the Kubernetes API, written in the form that kubectl reads.
enum Kubeconfig {
  /// One cluster, user `admin@<cluster>` with an embedded certificate, context of the same name.
  static func text(
    cluster: String, server: String, roots: [Certificate], identity: Identity
  ) -> String {
    let user = "admin@" + cluster
    let value: YAMLValue = [
      "apiVersion": "v1",
      "kind": "Config",
      "clusters": [
        [
          "name": .string(cluster),
          "cluster": [
            "server": .string(server),
            "certificate-authority-data": .string(Base64.encode(roots.map(\.pem).joined())),
          ],
        ]
      ],
      "users": [
        [
          "name": .string(user),
          "user": [
            "client-certificate-data": .string(Base64.encode(identity.chainPEM)),
            "client-key-data": .string(Base64.encode(identity.keyPEM)),
          ],
        ]
      ],
      "contexts": [
        [
          "name": .string(user),
          "context": [
            "cluster": .string(cluster), "namespace": "default", "user": .string(user),
          ],
        ]
      ],
      "current-context": .string(user),
      "preferences": [:],
    ]
    return value.document(step: 2)
  }
}
