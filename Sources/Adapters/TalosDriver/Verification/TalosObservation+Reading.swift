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
        accepted: Talos.PEMEncodedCertificate.trust(in: spec.acceptedCAs))
    }
    guard isControlPlane else { return seen }
    if let spec = try await client.get(.osRoot) {
      seen.issuing = spec.issuingCA?.certificates.first
      seen.rootAccepted = Talos.PEMEncodedCertificate.trust(in: spec.acceptedCAs)
    }
    if let spec = try await trustd(client) {
      seen.trustd = ServedTrust(
        server: spec.server?.certificates ?? [],
        accepted: Talos.PEMEncodedCertificate.trust(in: spec.acceptedCAs))
    }
    return seen
  }

  /// What trustd uses is shown by most versions; where it is not, the issuing authority stands for it,
  /// since trustd reads that.
  private static func trustd(
    _ client: TalosClient
  ) async throws(TalosFailure) -> Talos.TrustdCertsSpec? {
    do { return try await client.get(.trustdCertificates) } catch {
      if case .status = error { return nil }
      throw error
    }
  }
}
