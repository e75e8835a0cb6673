import Crypto
public import Orchestrator
import Rotation

/// Whether a credential that somebody has found, or lost, is good still.
extension TalosDriver {
  public func read(certificate: String) throws(DriverError) -> ClientCertificate {
    let leaf = try Self.leaf(certificate)
    return ClientCertificate(
      subject: PeerText.clean(leaf.subject), serial: leaf.serialHex,
      notBefore: Instant(secondsSince1970: leaf.notBefore),
      notAfter: Instant(secondsSince1970: leaf.notAfter))
  }

  private static func leaf(_ pem: String) throws(DriverError) -> Certificate {
    do throws(CryptoError) {
      guard let leaf = try Certificate.bundle(pem: pem).first else {
        throw CryptoError(.malformed, "there is no CERTIFICATE block in it")
      }
      return leaf
    } catch { throw DriverError(.invalidInput, "is no certificate in PEM form: \(error.message)") }
  }

  public func issuer(
    of certificate: String, among authorities: [SealedAuthority]
  ) -> SealedAuthority? {
    guard let leaf = try? Self.leaf(certificate) else { return nil }
    return authorities.first { authority in
      guard let issuer = try? keyring.certificate(authority) else { return false }
      // Old and new authority have the same subject; their key identifiers differ, and comparing these is quick.
      if let wanted = leaf.authorityKeyID, let own = issuer.subjectKeyID, wanted != own {
        return false
      }
      return leaf.isSigned(by: issuer)
    }
  }

  public func acceptance(
    of authority: SealedAuthority, access: ClusterAccess
  ) async -> [MachineAcceptance] {
    guard let certificate = try? keyring.certificate(authority) else { return [] }
    return await acceptance([authority.binding.component], access) { $0 == certificate }
  }

  public func acceptance(
    ofClient certificate: String, access: ClusterAccess
  ) async -> [MachineAcceptance] {
    guard let leaf = try? Self.leaf(certificate) else { return [] }
    return await acceptance(SecretComponent.allCases, access) { leaf.isSigned(by: $0) }
  }

  /// Which machines list an authority that is looked for.
  private func acceptance(
    _ components: [SecretComponent], _ access: ClusterAccess,
    _ isWanted: @escaping @Sendable (Certificate) -> Bool
  ) async -> [MachineAcceptance] {
    let components = components.filter { access.cluster.authorities[$0] != nil }
    return await concurrently(access.cluster.machines) { machine in
      do throws(TalosFailure) {
        let lists = try await self.withReading(machine, access, within: .zero) {
          client async throws(TalosFailure) in
          var lists: [(user: String, list: SeenTrust?)] = []
          for component in components {
            lists += try await Self.lists(client, component, machine.role)
          }
          return lists
        }
        return Self.acceptance(machine, lists, isWanted)
      } catch {
        return MachineAcceptance(
          machine: machine, answer: .unknown,
          detail: "could not be asked: \(self.words(access).text(machine, error))")
      }
    }
  }

  /// The trust lists by which a machine judges clients of the component, by who uses them.
  private static func lists(
    _ client: TalosClient, _ component: SecretComponent, _ role: MachineRole
  ) async throws(TalosFailure) -> [(user: String, list: SeenTrust?)] {
    let isControlPlane = role == .controlPlane
    switch component {
    case .talosCA:
      let seen = try await TalosObservation.read(
        client, isControlPlane: isControlPlane, configs: MachineConfigs(active: []))
      return [("the Talos API", seen.api?.accepted)]
    case .kubernetesCA:
      let seen = try await KubernetesObservation.read(
        client, isControlPlane: isControlPlane, configs: MachineConfigs(active: []))
      let kubelet = ("the kubelet", seen.kubeletAccepted)
      return isControlPlane ? [("the API server", seen.rootAccepted), kubelet] : [kubelet]
    }
  }

  private static func acceptance(
    _ machine: Machine, _ lists: [(user: String, list: SeenTrust?)],
    _ isWanted: (Certificate) -> Bool
  ) -> MachineAcceptance {
    let users = lists.filter { $0.list?.certificates.contains(where: isWanted) == true }.map(\.user)
    if !users.isEmpty {
      return MachineAcceptance(
        machine: machine, answer: .accepted,
        detail: "\(users.joined(separator: " and ")) \(users.count > 1 ? "let" : "lets") it in")
    }
    guard lists.allSatisfy({ $0.list.map { $0.unreadable == 0 } ?? false }) else {
      return MachineAcceptance(
        machine: machine, answer: .unknown, detail: "does not show whom it accepts")
    }
    return MachineAcceptance(machine: machine, answer: .refused, detail: "does not accept its CA")
  }
}
