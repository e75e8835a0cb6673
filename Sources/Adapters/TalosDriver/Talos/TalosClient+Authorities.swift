import Crypto
import Orchestrator
import Schema

extension TalosClient {
  /// The Talos CA with its key, from a control plane. Only an import asks for keys.
  func talosAuthority() async throws(TalosFailure) -> (certificate: Certificate, keyPEM: String) {
    try pair(try await get(.osRoot)?.issuingCA)
  }

  /// The Kubernetes CA with its key, from a control plane.
  func kubernetesAuthority() async throws(TalosFailure) -> (
    certificate: Certificate, keyPEM: String
  ) {
    try pair(try await get(.kubernetesRoot)?.issuingCA)
  }

  private func pair(
    _ pair: Talos.PEMEncodedCertificateAndKey?
  ) throws(TalosFailure) -> (certificate: Certificate, keyPEM: String) {
    guard let pair, let certificate = pair.certificates.first, !pair.key.isEmpty else {
      throw .unusable(DriverError(.refused, "the control plane shows no authority with a key"))
    }
    return (certificate, String(decoding: pair.key, as: UTF8.self))
  }
}
