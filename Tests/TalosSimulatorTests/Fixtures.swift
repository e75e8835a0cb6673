import Crypto
import Encodings
import Testing

@testable import TalosSimulator

/// Material for tests that is made once: keys cost time.
enum Fixture {
  static let now: Int64 = 1_780_000_000
  static let talos = try! PEMPair(Authority.generate(.talos, now: now))
  static let otherTalos = try! PEMPair(Authority.generate(.talos, now: now))
  static let kubernetes = try! PEMPair(Authority.generate(.kubernetes, now: now))
  static let otherKubernetes = try! PEMPair(Authority.generate(.kubernetes, now: now))

  static let secrets = ClusterSecrets(
    clusterID: "Y2x1c3Rlcg==", clusterSecret: "c2VjcmV0", talosToken: "abcdef.0123456789abcdef",
    bootstrapToken: "fedcba.fedcba9876543210", secretboxSecret: "c2VjcmV0Ym94",
    talosCA: talos, kubernetesCA: kubernetes, etcdCA: kubernetes, aggregatorCA: kubernetes,
    serviceAccountKey: kubernetes.key)

  static func template(
    _ type: MachineType = .controlPlane, index: Int = 0,
    layout: ClusterOptions.Layout = .legacy
  ) -> ConfigTemplate {
    ConfigTemplate(
      name: "demo-\(index)", address: "127.0.20.\(index + 1)", type: type, index: index,
      clusterName: "demo", endpoint: "https://127.0.20.1:6443", kubernetesPort: 6443,
      layout: layout, talosVersion: "v1.13.4", kubernetesVersion: "v1.36.2", secrets: secrets)
  }

  static func config(
    _ text: String, talosMinor: Int = 13
  ) throws -> NodeState.StoredConfig {
    let source = Array(text.utf8)
    return NodeState.StoredConfig(
      source: source, config: try MachineConfig(submitted: source, talosMinor: talosMinor))
  }

  static func base64(_ pair: PEMPair) -> String { Base64.encode(pair.certificate) }

  /// The smallest config of a control plane, with room for lines of one's own.
  static func controlPlane(
    ca: PEMPair = talos, accepted: [PEMPair] = [], kubernetesCA: PEMPair = kubernetes,
    kubernetesAccepted: [PEMPair] = []
  ) -> String {
    """
    version: v1alpha1
    machine:
      type: controlplane
      token: abcdef.0123456789abcdef
      ca:
        crt: \(base64(ca))
        key: \(Base64.encode(ca.key))
      acceptedCAs: [\(accepted.map { "{crt: \(base64($0))}" }.joined(separator: ", "))]
    cluster:
      controlPlane: {endpoint: "https://127.0.20.1:6443"}
      token: fedcba.fedcba9876543210
      discovery: {enabled: true}
      ca:
        crt: \(base64(kubernetesCA))
        key: \(Base64.encode(kubernetesCA.key))
      acceptedCAs: [\(kubernetesAccepted.map { "{crt: \(base64($0))}" }.joined(separator: ", "))]

    """
  }

  static func worker(
    ca: PEMPair = talos, accepted: [PEMPair] = [], kubernetesCA: PEMPair = kubernetes,
    kubernetesAccepted: [PEMPair] = []
  ) -> String {
    controlPlane(
      ca: PEMPair(certificate: ca.certificate, key: ""), accepted: accepted,
      kubernetesCA: PEMPair(certificate: kubernetesCA.certificate, key: ""),
      kubernetesAccepted: kubernetesAccepted
    ).replacing("type: controlplane", with: "type: worker")
  }
}
