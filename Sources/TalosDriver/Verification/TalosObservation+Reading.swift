import Crypto
import Schema

extension TalosObservation {
  static func read(
    _ client: TalosClient, isControlPlane: Bool
  ) async throws(TalosFailure) -> TalosObservation {
    var seen = TalosObservation(
      version: try await client.version(), config: try await client.machineConfig())
    if let spec = try await client.get(.apiCertificates) {
      seen.api = ServedTrust(
        server: spec.server?.certificates ?? [],
        accepted: Talos.PEMEncodedCertificate.certificates(in: spec.acceptedCAs))
    }
    guard isControlPlane else { return seen }
    seen.issuing = try await client.get(.osRoot)?.issuingCA?.certificates.first
    if let spec = try await client.get(.trustdCertificates) {
      seen.trustd = ServedTrust(
        server: spec.server?.certificates ?? [],
        accepted: Talos.PEMEncodedCertificate.certificates(in: spec.acceptedCAs))
    }
    return seen
  }
}
