public import Rotation

/// What a driver answers that has no answer of its own.
extension ClusterDriver {
  public func survey(_ request: SurveyRequest) async throws(DriverError) -> SurveyedCluster {
    throw DriverError(.refused, "this driver takes no rotation over")
  }

  public func awaitChange(
    _ change: TrustChange, of machine: Machine, access: ClusterAccess, atMost limit: Duration,
    by clock: any OrchestratorClock
  ) async throws(CancellationError) {
    try await clock.sleep(for: limit)
  }

  public func persist(
    _ change: TrustChange, on machine: Machine, access: ClusterAccess
  ) async throws(DriverError) {
    throw DriverError(.refused, "this driver tries nothing")
  }

  public func staleTrust(
    _ stale: StaleTrust, access: ClusterAccess
  ) async throws(DriverError) -> StaleTrustCount {
    throw DriverError(.refused, "this driver counts no stale trust")
  }

  public func departure(of machine: Machine, access: ClusterAccess) async -> Departure {
    .doubted("")
  }

  public func unreachable(_ machines: [Machine], access: ClusterAccess) async -> Set<String> {
    []
  }

  public func leaders(_ access: ClusterAccess) async -> [String] { [] }

  public func issuerExpiry(_ component: SecretComponent, access: ClusterAccess) -> Instant? { nil }

  public func sightings(
    of retired: RetiredAuthorities, access: ClusterAccess
  ) async -> [String: Set<RetiredSighting>] { [:] }

  public func read(certificate: String) throws(DriverError) -> ClientCertificate {
    throw DriverError(.invalidInput, "this driver reads no certificates")
  }

  public func issuer(
    of certificate: String, among authorities: [SealedAuthority]
  ) -> SealedAuthority? { nil }

  public func acceptance(
    of authority: SealedAuthority, access: ClusterAccess
  ) async -> [MachineAcceptance] { [] }

  public func acceptance(
    ofClient certificate: String, access: ClusterAccess
  ) async -> [MachineAcceptance] { [] }

  public func opened(
    _ authority: SealedAuthority
  ) async throws(DriverError) -> OpenedAuthority {
    throw DriverError(.refused, "this driver opens no authority")
  }

  public func secretsBundle(_ access: ClusterAccess) async throws(DriverError) -> String {
    throw DriverError(.refused, "this driver does not read secrets")
  }
}
