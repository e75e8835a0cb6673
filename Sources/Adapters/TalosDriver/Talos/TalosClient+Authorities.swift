import Crypto
import Orchestrator
import Schema

extension TalosClient {
  /// The Talos CA with the PEM of its key, from a control plane. Only an import asks for keys.
  func talosAuthority() async throws(TalosFailure) -> (certificate: Certificate, key: SecretBytes) {
    try pair(try await get(.osRoot)?.issuingCA)
  }

  /// The Kubernetes CA with its key, from a control plane.
  func kubernetesAuthority() async throws(TalosFailure) -> (
    certificate: Certificate, key: SecretBytes
  ) {
    try pair(try await get(.kubernetesRoot)?.issuingCA)
  }

  private func pair(
    _ pair: Talos.PEMEncodedCertificateAndKey?
  ) throws(TalosFailure) -> (certificate: Certificate, key: SecretBytes) {
    guard let pair, let certificate = pair.certificates.first, !pair.key.isEmpty else {
      throw .unusable(DriverError(.refused, "the control plane shows no authority with a key"))
    }
    return (certificate, SecretBytes(copying: pair.key))
  }
}
