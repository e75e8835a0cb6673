import Crypto
public import Orchestrator
import Rotation

/// Whether a cluster's record is what its machines live by.
extension TalosDriver {
  public func standing(_ access: ClusterAccess) async -> ClusterStanding {
    let planes = access.cluster.controlPlanes
    guard !planes.isEmpty else {
      return .unknown("cluster \(access.cluster.name) has no control plane")
    }
    // Whoever asks for a credential waits for the answer, and may need it because the machines are down.
    let limit = settings.standingTimeout
    return await withTaskGroup(of: StandingBallot.Answer?.self) { group in
      for plane in planes { group.addTask { await self.answer(of: plane, access) } }
      group.addTask {
        try? await Task.sleep(for: limit)
        return nil
      }
      defer { group.cancelAll() }
      var ballot = StandingBallot(planes: planes.count, isRotating: access.rotation != nil)
      for _ in planes {
        guard let answer = await group.next() ?? nil else { break }
        ballot.add(answer)
        if let decision = ballot.decision { return decision }
      }
      return ballot.result(late: "no answer within \(limit.components.seconds) s")
    }
  }

  /// Whether a control plane is as the record has it.
  private func answer(
    of plane: Machine, _ access: ClusterAccess
  ) async -> StandingBallot.Answer {
    do throws(TalosFailure) {
      var config = try await withReading(plane, access, within: .zero) {
        client async throws(TalosFailure) in try await client.machineConfig()
      }
      defer { config.wipe() }
      let standing = try await compare(config, access)
      return standing.fault == nil ? .current : .shown(standing)
    } catch {
      let text = words(access).text(plane, error)
      guard error.isUnknownIssuer else { return .silent(text) }
      return .stranger(.outdated(.talosCA, text + "; nothing is issued from the record's CA"))
    }
  }

  @concurrent
  private func compare(
    _ config: [UInt8], _ access: ClusterAccess
  ) async throws(TalosFailure) -> ClusterStanding {
    do throws(DriverError) {
      let config = try MachineConfig(config)
      for component in SecretComponent.allCases {
        guard let sealed = access.cluster.authorities[component] else { continue }
        let trust = try config.writtenTrust(component)
        guard let issuing = trust.issuing else { continue }
        if let change = access.rotation, change.component == component {
          if issuing.fingerprint != change.old.fingerprint,
            issuing.fingerprint != change.new.fingerprint
          {
            return .outdated(
              component,
              "the machines issue from \(ForeignAuthority.name(issuing)), and the rotation of "
                + "'\(access.cluster.name)' leads from \(change.old.fingerprint.prefix(12)) to "
                + "\(change.new.fingerprint.prefix(12)): somebody else is rotating; nothing is issued; stop that tool, "
                + "or forget the cluster (--force) and take it over (omnictl cluster adopt)")
          }
          if let overtaken = Self.overtaken(change, issuing, trust) {
            return .overtaken(
              component,
              "\(overtaken): the record of the rotation of '\(access.cluster.name)' is older than the machines, as after a "
                + "restored backup, or another omnid has gone on; nothing is issued from it; take up what the "
                + "machines show (omnictl cluster -n \(access.cluster.name) secret rotate adopt)")
          }
          continue
        }
        if issuing.fingerprint != sealed.fingerprint {
          return .outdated(
            component,
            "the machines issue from \(ForeignAuthority.name(issuing)), the record of "
              + "'\(access.cluster.name)' has \(sealed.fingerprint.prefix(12)): the \(component.rawValue) "
              + "has been rotated since, as after a restored backup; nothing is issued from it; take it "
              + "over (\(Self.adoption(component, access)))")
        }
      }
      return .current
    } catch { throw .unusable(error) }
  }

  /// In what a control plane is further than the rotation's record; nil where it is not.
  private static func overtaken(
    _ change: TrustChange, _ issuing: Certificate, _ trust: ConfiguredTrust
  ) -> String? {
    let (old, new) = (change.old.fingerprint, change.new.fingerprint)
    guard issuing.fingerprint == new else { return nil }
    if change.phase == .preRotate {
      return
        "the machines issue from the new CA \(new.prefix(12)) already, the record is in \(change.phase.name)"
    }
    let isKept = change.bundle(for: .controlPlane).accepted.contains(.old)
    guard isKept, !trust.accepted.contains(where: { $0.fingerprint == old }) else { return nil }
    return
      "the machines do not accept the old CA \(old.prefix(12)) any more, the record is in \(change.phase.name)"
  }

  /// The command that takes over what another tool has rotated.
  private static func adoption(_ component: SecretComponent, _ access: ClusterAccess) -> String {
    let name = access.cluster.name
    // The Talos API lets this omnid in still where the Kubernetes CA alone was rotated.
    return component == .talosCA
      ? "omnictl cluster adopt \(name) --talosconfig FILE"
      : "omnictl cluster -n \(name) secret rotate adopt"
  }

  public func describe(_ authority: SealedAuthority) -> AuthorityDescription? {
    guard let certificate = try? keyring.certificate(authority) else { return nil }
    return AuthorityDescription(
      subject: PeerText.clean(certificate.subject),
      notBefore: Instant(secondsSince1970: certificate.notBefore),
      notAfter: Instant(secondsSince1970: certificate.notAfter))
  }
}
