import Crypto
public import Orchestrator
import Rotation

/// Whether a cluster's record is what its machines live by.
extension TalosDriver {
  public func standing(_ access: ClusterAccess) async -> ClusterStanding {
    do throws(TalosFailure) {
      // Whoever asks for a credential waits for the answer, and may need it because the machines are down.
      let limit = settings.standingTimeout
      return try await Deadline.of(
        limit, late: { "no answer within \(limit.components.seconds) s" }
      ) {
        () throws(TalosFailure) in
        await self.ask(access)
      }
    } catch { return .unknown(error.message) }
  }

  /// While a rotation runs one control plane may have been edited by somebody else: the record is out of date only where
  /// none is as the record has it.
  private func ask(_ access: ClusterAccess) async -> ClusterStanding {
    var reason = "cluster \(access.cluster.name) has no control plane"
    var outdated: ClusterStanding?
    for plane in access.cluster.controlPlanes {
      let standing: ClusterStanding
      do throws(TalosFailure) {
        var config = try await withReading(plane, access, within: .zero) {
          client async throws(TalosFailure) in try await client.machineConfig()
        }
        defer { config.wipe() }
        standing = try await compare(config, access)
      } catch {
        guard case .untrusted(let message, _) = error, error.isUnknownIssuer else {
          reason = error.message
          continue
        }
        standing = .outdated(.talosCA, Self.outdated(plane, .talosCA, access, message))
      }
      guard access.rotation != nil, case .outdated = standing else { return standing }
      outdated = outdated ?? standing
    }
    return outdated ?? .unknown(reason)
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
          if let overtaken = Self.overtaken(change, issuing, trust) {
            return .outdated(
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
    guard issuing.fingerprint == old || issuing.fingerprint == new else {
      return
        "the machines issue from \(ForeignAuthority.name(issuing)), and the rotation leads from \(old.prefix(12)) to "
        + "\(new.prefix(12))"
    }
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

  private static func outdated(
    _ plane: Machine, _ component: SecretComponent, _ access: ClusterAccess, _ message: String
  ) -> String {
    let known = access.cluster.authorities[component]?.fingerprint.prefix(12) ?? ""
    return
      "\(plane.id) shows a certificate of a CA that the record of '\(access.cluster.name)' does not know "
      + "(it has \(known)): the \(component.rawValue) has been rotated since, as after a restored backup; "
      + "nothing is issued from it; take it over with a talosconfig that works ("
      + "\(adoption(.talosCA, access)))"
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
