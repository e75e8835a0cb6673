import Crypto
import Orchestrator
import Rotation

/// The one authority that every machine issues from and accepts.
struct AgreedAuthority: Sendable {
  var certificate: Certificate
  /// Authorities beside it that some machine lists, with the machine.
  var warnings: [String]

  /// - Throws: `.conflict` where the machines do not agree; where a control plane does not hold the
  ///   private key, which is proved by a signature.
  @concurrent
  static func find(
    _ component: SecretComponent, _ found: [ClusterDiscovery.Found]
  ) async throws(TalosFailure) -> AgreedAuthority {
    do throws(DriverError) {
      return try agree(component, found)
    } catch { throw .unusable(error) }
  }

  private static func agree(
    _ component: SecretComponent, _ found: [ClusterDiscovery.Found]
  ) throws(DriverError) -> AgreedAuthority {
    var trusts: [(machine: Machine, trust: ConfiguredTrust)] = []
    for one in found {
      do throws(DriverError) {
        trusts.append((one.machine, try MachineConfig(one.config).trust(component)))
      } catch {
        throw DriverError(error.code, "\(one.machine.id): \(error.message)")
      }
    }
    guard let certificate = trusts.lazy.compactMap(\.trust.issuing).first else {
      throw DriverError(.invalidConfig, "no control plane has the \(component.rawValue)")
    }
    let odd = trusts.filter { one in
      !one.trust.accepted.contains(certificate)
        || (one.trust.issuing ?? certificate) != certificate
    }
    guard odd.isEmpty else { throw disagreement(component, trusts) }
    for one in trusts where one.machine.role == .controlPlane {
      guard let key = one.trust.issuingKey, KeyProof.holds(key, for: certificate) else {
        throw DriverError(
          .conflict,
          "\(one.machine.id) calls itself a control plane, but its configuration does not hold the private "
            + "key of the \(component.rawValue): set it up with this cluster's secrets, or remove it"
        )
      }
    }
    guard certificate.isCA, certificate.isSigned(by: certificate) else {
      throw DriverError(
        .invalidConfig,
        "the \(component.rawValue) is no self-signed CA, which Talos cannot rotate")
    }
    return AgreedAuthority(
      certificate: certificate, warnings: foreign(component, certificate, trusts))
  }

  private static func foreign(
    _ component: SecretComponent, _ certificate: Certificate,
    _ trusts: [(machine: Machine, trust: ConfiguredTrust)]
  ) -> [String] {
    trusts.flatMap { one in
      one.trust.foreign(managed: [certificate]).prefix(4).map { foreign in
        "\(one.machine.id) accepts \(ForeignAuthority.name(foreign)) beside the \(component.rawValue): an "
          + "intruder, or a rotation that was left half done, has added it; rotate with --remove-foreign"
      }
    }
  }

  private static func disagreement(
    _ component: SecretComponent, _ trusts: [(machine: Machine, trust: ConfiguredTrust)]
  ) -> DriverError {
    let description = trusts.prefix(8).map { one in
      let issuing = one.trust.issuing.map { String($0.fingerprint.prefix(12)) } ?? "nothing"
      let accepted = one.trust.accepted.map { String($0.fingerprint.prefix(12)) }.sorted()
      return
        "\(one.machine.id) issues from \(issuing) and accepts \(accepted.joined(separator: ", "))"
    }
    return DriverError(
      .conflict,
      "the machines do not issue from one \(component.rawValue), as in a rotation that was left half done: take "
        + "the cluster over (omnictl cluster adopt NAME --talosconfig FILE), which shows first what it would do: "
        + description.joined(separator: "; "))
  }
}

extension ClusterDiscovery {
  /// Takes the authority with its key from a control plane, and seals it.
  func seal(
    _ agreed: AgreedAuthority, _ component: SecretComponent, _ found: [Found]
  ) async throws(TalosFailure) -> SealedAuthority {
    guard let plane = found.first(where: { $0.machine.role == .controlPlane })?.machine else {
      throw unusable(.refused, "cluster discovery knows no control plane")
    }
    let pair = try await driver.call(plane, for: plane, tls) { client throws(TalosFailure) in
      switch component {
      case .talosCA: try await client.talosAuthority()
      case .kubernetesCA: try await client.kubernetesAuthority()
      }
    }
    guard pair.certificate == agreed.certificate else {
      throw unusable(
        .conflict,
        "\(plane.id) does not issue from the \(component.rawValue) of its configuration; "
          + "it may just be taking up a change: try again")
    }
    guard KeyProof.holds(pair.key, for: agreed.certificate) else {
      throw unusable(.invalidConfig, "the key of the \(component.rawValue) is another's")
    }
    do {
      return try driver.keyring.seal(
        Authority(certificate: agreed.certificate, key: try PrivateKey(pem: pair.key)),
        for: AuthorityBinding(cluster: name, component: component))
    } catch let error as DriverError {
      throw .unusable(error)
    } catch {
      throw unusable(.invalidConfig, "the key of the \(component.rawValue) cannot be read")
    }
  }
}

/// What an import reads of the configurations beside the authorities.
struct ConfigFacts: Sendable {
  var clusterID: String
  var kubernetesEndpoint: String
  var hasKubernetes: Bool
  var warnings: [String]

  @concurrent
  static func read(_ found: [ClusterDiscovery.Found]) async throws(TalosFailure) -> ConfigFacts {
    do throws(DriverError) {
      var facts = ConfigFacts(
        clusterID: "", kubernetesEndpoint: "", hasKubernetes: false, warnings: [])
      for one in found where one.machine.role == .controlPlane {
        let config = try MachineConfig(one.config)
        if facts.clusterID.isEmpty, let id = config.clusterID, !id.isEmpty {
          guard let id = PeerText.clusterID(id) else {
            throw DriverError(
              .invalidConfig,
              "the cluster's id in the configuration of \(one.machine.id) is not 1 to 256 visible ASCII "
                + "characters: \(PeerText.clean(id))")
          }
          facts.clusterID = id
        }
        guard try config.hasKubernetes else { continue }
        facts.hasKubernetes = true
        if facts.kubernetesEndpoint.isEmpty, let url = config.clusterEndpoint {
          guard let url = PeerText.kubernetesURL(url) else {
            throw DriverError(
              .invalidConfig,
              "the Kubernetes endpoint in the configuration of \(one.machine.id) is no https:// URL of a host "
                + "with at most 2048 characters: \(PeerText.clean(url))")
          }
          facts.kubernetesEndpoint = url
        }
      }
      guard !facts.hasKubernetes || !facts.kubernetesEndpoint.isEmpty else {
        throw DriverError(
          .invalidConfig, "no control plane's configuration names the Kubernetes endpoint")
      }
      return facts
    } catch { throw .unusable(error) }
  }
}
