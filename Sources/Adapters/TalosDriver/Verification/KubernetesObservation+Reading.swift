import Crypto
import RPC
import Schema

extension KubernetesObservation {
  private static let kubeletClientPath = "/var/lib/kubelet/pki/kubelet-client-current.pem"

  static func read(
    _ client: TalosClient, isControlPlane: Bool
  ) async throws(TalosFailure) -> KubernetesObservation {
    var seen = KubernetesObservation(
      version: try await client.version(), config: try await client.machineConfig())
    if let spec = try await client.get(.kubeletSecrets) {
      seen.kubeletAccepted = Talos.PEMEncodedCertificate.trust(in: spec.acceptedCAs)
    }
    if let spec = try await client.get(.service("kubelet")) {
      seen.kubelet = Service(running: spec.running, healthy: spec.healthy, unknown: spec.unknown)
    }
    seen.nodename = try await client.get(.nodename)?.nodename
    seen.kubeletClient = try await kubeletClient(client)
    guard isControlPlane else { return seen }
    seen.staticPods = try await StaticPodSecrets.read(client)
    if let spec = try await client.get(.kubernetesRoot) {
      seen.issuing = spec.issuingCA?.certificates.first
      seen.rootAccepted = Talos.PEMEncodedCertificate.trust(in: spec.acceptedCAs)
    }
    return seen
  }

  /// The file holds the key too: only the certificates are kept.
  private static func kubeletClient(
    _ client: TalosClient
  ) async throws(TalosFailure) -> [Certificate] {
    do {
      let text = String(decoding: try await client.read(kubeletClientPath), as: UTF8.self)
      return (try? Certificate.bundle(pem: text)) ?? []
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
