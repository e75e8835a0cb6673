import Crypto
public import Orchestrator
import Rotation
import Synchronization

/// Importing a cluster from nothing but a talosconfig.
extension TalosDriver {
  public func discover(
    _ request: DiscoveryRequest
  ) async throws(DriverError) -> DiscoveredCluster {
    let context = try await Talosconfig.read(request)
    try context.requireInTime(now())
    let certificate = context.identity.certificate
    forgetPorts(of: request.name)
    notes.withLock { $0.etcdAuthorities[request.name] = nil }
    let discovery = ClusterDiscovery(
      driver: self, context: context, name: request.name, listing: request.listing,
      leftOut: request.leftOut)
    let limit = importTime(leaving: request.leftOut)
    do {
      return try await Deadline.of(
        limit, late: { discovery.awaited.late(limit) }
      ) { () throws(TalosFailure) in try await discovery.run() }
    } catch {
      guard error.isPermissionDenied else { throw error.driverError }
      let roles = certificate.subjectOrganizations.sorted().map(PeerText.clean)
        .joined(separator: ", ")
      throw DriverError(
        .permissionDenied,
        "the talosconfig's certificate has the roles [\(roles)]; an import needs os:admin, since it "
          + "reads the cluster's authorities")
    }
  }
}

extension TalosDriver {
  /// How long an import or a take-over may take: twice as long where somebody is looked for who is said to be gone, and who
  /// may swallow what is sent there.
  func importTime(leaving leftOut: LeftOutMachines) -> Duration {
    settings.importTimeout * (leftOut.isEmpty ? 1 : 2)
  }
}

extension TalosContext {
  /// - Throws: `.unauthenticated` for what has expired, `.clock` for what is not valid yet.
  func requireInTime(_ now: Int64) throws(DriverError) {
    let certificate = identity.certificate
    guard certificate.notAfter > now else {
      throw DriverError(
        .unauthenticated,
        "the talosconfig's certificate expired on "
          + "\(Instant(secondsSince1970: certificate.notAfter)); get a fresh talosconfig")
    }
    guard certificate.notBefore <= now else {
      throw DriverError(
        .clock,
        "the talosconfig's certificate is valid from \(Instant(secondsSince1970: certificate.notBefore)) on, and "
          + "this host's clock says \(Instant(secondsSince1970: now)): set the clock of this host right"
      )
    }
    for root in roots where root.notAfter <= now {
      throw DriverError(
        .unauthenticated,
        "the Talos CA \(root.fingerprint.prefix(12)) of this talosconfig expired on "
          + "\(Instant(secondsSince1970: root.notAfter)): no machine can be reached with it")
    }
  }
}
