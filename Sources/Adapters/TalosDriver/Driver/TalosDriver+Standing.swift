import Crypto
public import Orchestrator
import Rotation

/// Whether a cluster's record is what its machines live by.
extension TalosDriver {
  public func standing(_ access: ClusterAccess) async -> ClusterStanding {
    do throws(TalosFailure) {
      // Whoever asks for a credential waits for the answer, and may need it because the machines are down.
      return try await Deadline.of(settings.standingTimeout) { () throws(TalosFailure) in
        await self.ask(access)
      }
    } catch { return .unknown(error.message) }
  }

  private func ask(_ access: ClusterAccess) async -> ClusterStanding {
    var reason = "cluster \(access.cluster.name) has no control plane"
    for plane in access.cluster.controlPlanes {
      do throws(TalosFailure) {
        let config = try await withReading(plane, access, within: .zero) {
          client async throws(TalosFailure) in try await client.machineConfig()
        }
        return try await compare(config, access)
      } catch {
        if error.isUnknownIssuer {
          return .outdated(
            .talosCA, words(access).text(plane, error) + "; nothing is issued from the record's CA")
        }
        reason = words(access).text(plane, error)
      }
    }
    return .unknown(reason)
  }

  @concurrent
  private func compare(
    _ config: [UInt8], _ access: ClusterAccess
  ) async throws(TalosFailure) -> ClusterStanding {
    do throws(DriverError) {
      let config = try MachineConfig(config)
      for component in SecretComponent.allCases {
        guard let sealed = access.cluster.authorities[component],
          let issuing = try config.trust(component).issuing
        else { continue }
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
