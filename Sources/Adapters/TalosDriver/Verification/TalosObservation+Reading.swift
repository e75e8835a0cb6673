import Crypto
import Schema

extension TalosObservation {
  /// Asks everything at once.
  ///
  /// - Parameter known: the configurations where they were read already.
  static func read(
    _ client: TalosClient, isControlPlane: Bool, configs known: MachineConfigs? = nil
  ) async throws(TalosFailure) -> TalosObservation {
    async let configs = TalosClient.outcome { () async throws(TalosFailure) in
      if let known { known } else { try await client.machineConfigs() }
    }
    async let api = client.outcome(of: .apiCertificates)
    guard isControlPlane else {
      return TalosObservation(
        configs: try await configs.get(), api: ServedTrust(try await api.get()))
    }
    async let root = client.outcome(of: .osRoot)
    async let trustd = client.outcome(of: .trustdCertificates)
    var seen = TalosObservation(
      configs: try await configs.get(), api: ServedTrust(try await api.get()))
    if let spec = try await root.get() {
      seen.issuing = spec.issuingCA?.certificates.first
      seen.rootAccepted = Talos.PEMEncodedCertificate.trust(in: spec.acceptedCAs)
    }
    // What trustd uses is shown by most versions; where it is not, the issuing authority stands for it, since
    // trustd reads that.
    switch await trustd {
    case .success(let spec?):
      seen.trustd = ServedTrust(
        server: spec.server?.certificates ?? [],
        accepted: Talos.PEMEncodedCertificate.trust(in: spec.acceptedCAs))
    case .success(nil), .failure(.status): break
    case .failure(let failure): throw failure
    }
    return seen
  }
}

extension TalosObservation.ServedTrust {
  fileprivate init?(_ spec: Talos.APICertsSpec?) {
    guard let spec else { return nil }
    self.init(
      server: spec.server?.certificates ?? [],
      accepted: Talos.PEMEncodedCertificate.trust(in: spec.acceptedCAs))
  }
}
