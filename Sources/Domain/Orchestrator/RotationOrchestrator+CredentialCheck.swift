import Rotation

/// Whether a credential that somebody has found, or lost, is good still.
extension RotationOrchestrator {
  /// Finds out which authority has signed a client certificate, and which machines accept that authority now. Where no
  /// record of the named cluster has the authority, the machines are asked whether they list one that has signed it.
  ///
  /// The certificate alone is needed. That whoever holds it has its key, nobody asks.
  ///
  /// - Parameters:
  ///   - certificate: PEM; the first certificate counts.
  ///   - name: whose authorities to look at; empty: those of all clusters, without what older rotations have retired.
  /// - Throws: `.notFound`, `.invalidArgument`, `.shuttingDown`.
  public func check(
    certificate: String, cluster name: String = ""
  ) async throws(OrchestratorError) -> CredentialCheck {
    try requireStarted()
    var arguments = Arguments()
    if !name.isEmpty { arguments.cluster(name) }
    arguments.certificate(certificate)
    try arguments.check()
    let clusters = name.isEmpty ? journal.clusters() : [try known(name)]
    let read: ClientCertificate
    do throws(DriverError) { read = try driver.read(certificate: certificate) } catch {
      throw .invalid("certificate", error.message)
    }
    let now = clock.now()
    var check = CredentialCheck(
      certificate: read, authority: .unknown, fingerprint: "", cluster: name, component: nil,
      isInTime: read.notBefore <= now && now < read.notAfter, machines: [])
    for cluster in clusters {
      let current = authorities(inUseBy: cluster)
      var candidates = current
      candidates += SecretComponent.allCases.compactMap { cluster.predecessors[$0] }
      if !name.isEmpty { candidates += (try? await retired(of: cluster))?.authorities ?? [] }
      guard let issuer = driver.issuer(of: certificate, among: candidates) else { continue }
      check.authority = current.contains(issuer) ? .inUse : .retired
      check.fingerprint = issuer.fingerprint
      check.cluster = cluster.name
      check.component = issuer.binding.component
      let access = access(cluster)
      check.machines = await driver.acceptance(of: issuer, access: access)
        .sorted { RolloutPolicy.precedes($0.machine, $1.machine) }
      return check
    }
    // Somebody may have made machines accept a CA that no record has.
    if !name.isEmpty {
      let access = access(clusters[0])
      let machines = await driver.acceptance(ofClient: certificate, access: access)
      if machines.contains(where: { $0.answer != .refused }) {
        check.machines = machines.sorted { RolloutPolicy.precedes($0.machine, $1.machine) }
      }
    }
    return check
  }

  private func authorities(inUseBy cluster: ClusterRecord) -> [SealedAuthority] {
    var all = SecretComponent.allCases.compactMap { cluster.authorities[$0] }
    if let rotation = journal.activeRotation(of: cluster) { all += [rotation.old, rotation.new] }
    return all
  }
}
