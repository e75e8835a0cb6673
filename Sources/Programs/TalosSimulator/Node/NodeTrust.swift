internal import Crypto

/// What Talos' `OSRootSecrets` holds: who signs and who is accepted in the Talos API.
struct OSRoot: Sendable, Equatable {
  /// Nil on workers: a CA without its key signs nothing.
  var issuing: PEMPair?
  /// The configured list, then the CA of `.machine.ca`.
  var accepted: [String]
  var certificateSANs: [String]
  var token: String

  init(_ config: MachineConfig) {
    accepted = config.talosAccepted
    issuing = nil
    if let ca = config.talosCA {
      accepted.append(ca.certificate)
      if !ca.key.isEmpty { issuing = ca }
    }
    certificateSANs = config.certificateSANs
    token = config.token
  }
}

/// What Talos' `KubernetesRootSecrets` holds on a control plane.
struct KubernetesRoot: Sendable, Equatable {
  var issuing: PEMPair
  var accepted: [String]
  var name: String
  var endpoint: String
  var dnsDomain: String
  var aggregatorCA: PEMPair?
  var serviceAccountKey: String
  var bootstrapToken: String
  var secretboxSecret: String

  /// - Parameter talosMinor: up to 1.13 the issuing CA came last in the accepted list, since then
  ///   it comes first.
  init?(_ config: MachineConfig, talosMinor: Int) {
    guard config.type == .controlPlane, let issuing = config.kubernetesIssuing else { return nil }
    self.issuing = issuing
    var list = config.kubernetesAccepted
    if talosMinor < 14, let first = list.first {
      list.removeFirst()
      list.append(first)
    }
    accepted = list
    name = config.clusterName
    endpoint = config.endpoint
    dnsDomain = config.dnsDomain
    aggregatorCA = config.aggregatorCA
    serviceAccountKey = config.serviceAccountKey
    bootstrapToken = config.bootstrapToken
    secretboxSecret = config.secretboxSecret
  }
}

/// What Talos' `KubeletSecrets` holds. Any change of it restarts the kubelet.
struct KubeletTrust: Sendable, Equatable {
  var endpoint: String
  var bootstrapToken: String
  var accepted: [String]

  init(_ config: MachineConfig) {
    endpoint = config.endpoint
    bootstrapToken = config.bootstrapToken
    accepted = config.kubernetesAccepted
  }
}

/// The certificates apid works with (`ApiCertificates`).
struct APICertificates: Sendable, Equatable {
  var server: PEMPair
  /// What a control plane shows when it forwards a call; workers have none.
  var client: PEMPair?
  /// One entry per CA on a control plane; on a worker one entry that holds all of trustd's answer.
  var accepted: [String]
}

/// The certificates of the Kubernetes control plane on one machine (`KubernetesDynamicCerts`).
struct KubernetesCertificates: Sendable, Equatable {
  /// The leaf followed by the CA that issued it.
  var apiServer: PEMPair
  var kubeletClient: PEMPair
  var frontProxy: PEMPair
}
