import Crypto
import RPC
import Rotation
import Schema

extension KubernetesObservation {
  private static let kubeletClientPath = "/var/lib/kubelet/pki/kubelet-client-current.pem"

  /// Asks everything at once.
  ///
  /// - Parameter known: the configurations where they were read already.
  static func read(
    _ client: TalosClient, isControlPlane: Bool, configs known: MachineConfigs? = nil
  ) async throws(TalosFailure) -> KubernetesObservation {
    async let configs = TalosClient.outcome { () async throws(TalosFailure) in
      if let known { known } else { try await client.machineConfigs() }
    }
    async let secrets = TalosClient.outcome { () async throws(TalosFailure) in
      try await client.find(.kubeletSecrets)
    }
    async let service = TalosClient.outcome { () async throws(TalosFailure) in
      try await client.find(.service("kubelet"))
    }
    async let nodename = TalosClient.outcome { () async throws(TalosFailure) in
      try await client.nodename()
    }
    async let certificates = TalosClient.outcome { () async throws(TalosFailure) in
      try await kubeletClient(client)
    }
    async let plane = ControlPlane.read(client, isControlPlane)
    var seen = KubernetesObservation(configs: try await configs.get())
    if let secrets = try await secrets.get() {
      seen.kubeletAccepted = Talos.PEMEncodedCertificate.trust(in: secrets.spec.acceptedCAs)
      seen.kubeletSecretsUpdated = secrets.updated
    }
    if let service = try await service.get() {
      seen.kubelet = Service(
        running: service.spec.running, healthy: service.spec.healthy,
        unknown: service.spec.unknown, updated: service.updated)
    }
    seen.nodename = try await nodename.get()
    seen.kubeletClient = try await certificates.get()
    guard let shown = await plane else { return seen }
    seen.staticPods = try shown.staticPods.get()
    if let root = try shown.root.get() {
      seen.staticPods?.rootUpdated = root.updated
      seen.issuing = root.spec.issuingCA?.certificates.first
      seen.rootAccepted = Talos.PEMEncodedCertificate.trust(in: root.spec.acceptedCAs)
    }
    return seen
  }

  /// What only control planes show.
  private struct ControlPlane {
    var staticPods: Result<StaticPodSecrets?, TalosFailure>
    var root: Result<SeenResource<Talos.KubernetesRootSpec>?, TalosFailure>

    /// Nil on workers.
    static func read(_ client: TalosClient, _ isControlPlane: Bool) async -> ControlPlane? {
      guard isControlPlane else { return nil }
      async let pods = TalosClient.outcome { () async throws(TalosFailure) in
        try await StaticPodSecrets.readPods(client)
      }
      async let root = TalosClient.outcome { () async throws(TalosFailure) in
        try await client.find(.kubernetesRoot)
      }
      return ControlPlane(staticPods: await pods, root: await root)
    }
  }

  /// The file holds the key too: only the certificates are kept.
  private static func kubeletClient(
    _ client: TalosClient
  ) async throws(TalosFailure) -> [Certificate] {
    do {
      let text = String(decoding: try await client.read(kubeletClientPath), as: UTF8.self)
      return (try? SeenCertificates.shared.bundle(pem: text)) ?? []
    } catch {
      // Between the old certificate's removal and the new one there is no file; Talos has no code of its
      // own for that.
      if case .status(let code, _) = error, code != .permissionDenied, code != .unauthenticated {
        return []
      }
      throw error
    }
  }
}
