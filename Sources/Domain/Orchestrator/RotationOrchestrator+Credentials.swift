public import Rotation

/// Handing out credentials.
extension RotationOrchestrator {
  /// How long a credential is valid when its caller does not say.
  public static let usualValidity = Duration.seconds(12 * 3600)
  /// The same of one for emergencies.
  public static let emergencyValidity = Duration.seconds(365 * 86_400)

  /// A fresh talosconfig. During a rotation it works before and after each step.
  ///
  /// - Parameters:
  ///   - requester: who holds the credential then, as recorded.
  ///   - roles: the Talos roles it is good for; not empty.
  ///   - ttl: how long it is good for: a minute to 366 days.
  ///   - breakGlass: the credential is for emergencies: the cluster is marked until both authorities were rotated.
  /// - Throws: `.notFound`, `.invalidArgument`, `.journalUnavailable`, or what the driver met.
  public func talosconfig(
    cluster name: String, requester: String, roles: [String] = ["os:admin"],
    ttl: Duration = usualValidity,
    breakGlass: Bool = false
  ) async throws(OrchestratorError) -> IssuedCredential {
    let cluster = try known(name) {
      $0.roles(roles)
      $0.validity(ttl)
    }
    try await requireCurrent(cluster, .talosCA)
    // Before it is handed out, because afterwards nobody can take it back.
    if breakGlass { try await note(.mark(.breakGlass), on: name) }
    let ttl = ttl.wholeSeconds
    let expiry = expiry(cluster, .talosCA, ttl)
    let made: ClientConfiguration
    do throws(DriverError) {
      made = try await driver.talosconfig(access(cluster), roles: roles, ttl: ttl)
    } catch {
      throw OrchestratorError(error, cluster: error.code == .invalidInput ? "roles" : name)
    }
    return try await handOut(
      made, .talosCA, to: requester, roles: roles, until: expiry, cluster: name)
  }

  /// A fresh administrator's kubeconfig.
  ///
  /// - Parameters:
  ///   - requester: who holds the credential then, as recorded.
  ///   - ttl: how long it is good for: a minute to 366 days.
  ///   - breakGlass: as for `talosconfig`.
  /// - Throws: `.notFound`, `.invalidArgument`, `.journalUnavailable`, or what the driver met.
  public func kubeconfig(
    cluster name: String, requester: String, ttl: Duration = usualValidity,
    breakGlass: Bool = false
  ) async throws(OrchestratorError) -> IssuedCredential {
    let cluster = try known(name) { $0.validity(ttl) }
    guard cluster.authorities[.kubernetesCA] != nil else {
      throw .lacking(.kubernetesCA, in: cluster)
    }
    try await requireCurrent(cluster, .kubernetesCA)
    // Before it is handed out, because afterwards nobody can take it back.
    if breakGlass { try await note(.mark(.breakGlass), on: name) }
    let ttl = ttl.wholeSeconds
    let expiry = expiry(cluster, .kubernetesCA, ttl)
    let made: ClientConfiguration
    do throws(DriverError) {
      made = try await driver.kubeconfig(access(cluster), ttl: ttl)
    } catch {
      throw OrchestratorError(error, cluster: name)
    }
    return try await handOut(
      made, .kubernetesCA, to: requester, roles: ["system:masters"], until: expiry, cluster: name)
  }

  /// Notes who holds the credential, before anybody does: whoever holds one of an authority that goes needs another.
  private func handOut(
    _ made: ClientConfiguration, _ component: SecretComponent, to requester: String,
    roles: [String], until expiry: Instant, cluster name: String
  ) async throws(OrchestratorError) -> IssuedCredential {
    let held = HeldCredential(
      component: component, authority: made.authority, holder: requester, roles: roles,
      serial: made.serial, issuedAt: clock.now(), expiresAt: expiry)
    try await note(.credential(held), on: name)
    return IssuedCredential(made, issuedAt: held.issuedAt, expiresAt: expiry)
  }

  /// When a credential of the component ends that is issued now for `ttl`: with its authority at the latest. Taken before
  /// the certificate is made, and so never later than what that says.
  private func expiry(
    _ cluster: ClusterRecord, _ component: SecretComponent, _ ttl: Duration
  ) -> Instant {
    let wanted = clock.now().advanced(by: ttl)
    let last = driver.issuerExpiry(component, access: access(cluster))
    return last.map { min($0, wanted) } ?? wanted
  }
}

/// A client configuration that was issued.
public struct IssuedCredential: Sendable {
  /// A talosconfig or a kubeconfig, with its key.
  public var configuration: String
  /// The serial number of its certificate, in lower-case hexadecimal.
  public var serial: String
  /// The fingerprint of the authority that has issued the certificate.
  public var authority: String
  public var issuedAt: Instant
  public var expiresAt: Instant

  init(_ made: ClientConfiguration, issuedAt: Instant, expiresAt: Instant) {
    configuration = made.text
    serial = made.serial
    authority = made.authority
    self.issuedAt = issuedAt
    self.expiresAt = expiresAt
  }
}

extension Duration {
  /// The duration as certificates have it.
  fileprivate var wholeSeconds: Duration { .seconds(components.seconds) }
}
