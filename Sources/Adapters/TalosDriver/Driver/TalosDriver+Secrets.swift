import Crypto
public import Orchestrator
import Rotation

/// The cluster's secrets for those who make configurations elsewhere.
extension TalosDriver {
  public func secretsBundle(_ access: ClusterAccess) async throws(DriverError) -> String {
    var failure = DriverError(
      .unreachable, "cluster \(access.cluster.name) has no control plane")
    for plane in access.cluster.controlPlanes {
      do throws(TalosFailure) {
        var config = try await withReading(plane, access, within: .zero) {
          client async throws(TalosFailure) in try await client.machineConfig()
        }
        defer { config.wipe() }
        return try await bundle(config, plane, access)
      } catch {
        failure = words(access).error(plane, error)
        // Another control plane cannot know better than one that has answered.
        guard failure.code == .unreachable else { throw failure }
      }
    }
    throw failure
  }

  /// - Throws: when the control plane issues from another authority than the record has: what is handed on
  ///   must be what the cluster lives by.
  @concurrent
  private func bundle(
    _ bytes: [UInt8], _ plane: Machine, _ access: ClusterAccess
  ) async throws(TalosFailure) -> String {
    do throws(DriverError) {
      let config = try MachineConfig(bytes)
      for component in SecretComponent.allCases {
        guard let sealed = access.cluster.authorities[component] else { continue }
        let issuing = try config.trust(component).issuing
        guard issuing?.fingerprint == sealed.fingerprint else {
          throw DriverError(
            .conflict,
            "\(plane.id) issues from \(issuing.map(ForeignAuthority.name) ?? "no CA"), the record of "
              + "'\(access.cluster.name)' has \(sealed.fingerprint.prefix(12)): the \(component.rawValue) has been "
              + "rotated by somebody else")
        }
      }
      return try SecretsBundle(config).text()
    } catch { throw .unusable(error) }
  }
}

extension TalosDriver {
  public func opened(
    _ authority: SealedAuthority
  ) async throws(DriverError) -> OpenedAuthority {
    OpenedAuthority(
      certificatePEM: try keyring.certificate(authority).pem,
      keyPEM: try keyring.keyPEM(authority).unprotectedText)
  }
}
