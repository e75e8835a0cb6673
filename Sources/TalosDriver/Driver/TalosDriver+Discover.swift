import Crypto
public import Orchestrator
import Rotation

/// Importing a cluster from nothing but a talosconfig.
extension TalosDriver {
  public func discover(
    name: String, talosconfig: String, context: String?
  ) async throws(DriverError) -> ClusterRecord {
    let context = try Talosconfig.context(context, in: talosconfig)
    let certificate = context.identity.certificate
    guard certificate.notAfter > now() else {
      throw DriverError(
        .unauthenticated, "the talosconfig's certificate has expired; get a fresh talosconfig")
    }
    do {
      let discovery = Discovery(driver: self, context: context, name: name)
      return try await discovery.run()
    } catch {
      guard error.isPermissionDenied else { throw error.driverError }
      let roles = certificate.subjectOrganizations.sorted().joined(separator: ", ")
      throw DriverError(
        .permissionDenied,
        "the talosconfig's certificate has the roles [\(roles)]; an import needs os:admin, since it "
          + "reads the cluster's authorities")
    }
  }
}

/// One import under way.
private struct Discovery {
  let driver: TalosDriver
  let context: TalosContext
  let name: String

  /// A machine with what an import has to know of it.
  private struct Found {
    var machine: Machine
    var version: TalosVersion
    var config: MachineConfig
  }

  private var tls: TLSClient { TLSClient(identity: context.identity, roots: context.roots) }

  func run() async throws(TalosFailure) -> ClusterRecord {
    let members = try await readMembers()
    var found: [Found] = []
    for member in members where member.role == .controlPlane {
      found.append(try await find(member, relays: []))
    }
    let planes = found.map(\.machine)
    guard !planes.isEmpty else {
      throw unusable(.refused, "cluster discovery knows no control plane")
    }
    for member in members where member.role == .worker {
      found.append(try await find(member, relays: planes))
    }
    var authorities: [SecretComponent: SealedAuthority] = [:]
    for component in SecretComponent.allCases {
      let certificate = try agreed(component, found)
      authorities[component] = try await readAuthority(component, certificate, planes[0])
    }
    let endpoint = found.lazy.compactMap(\.config.clusterEndpoint).first
    guard let endpoint, endpoint.hasPrefix("https://") else {
      throw unusable(
        .invalidConfig, "no control plane's configuration names the Kubernetes endpoint")
    }
    return ClusterRecord(
      name: name, endpoints: context.endpoints.map(\.description), kubernetesEndpoint: endpoint,
      authorities: authorities, machines: found.map(\.machine),
      talosVersion: found.map(\.version).min()?.description ?? "")
  }

  private func unusable(_ code: DriverError.Code, _ message: String) -> TalosFailure {
    .unusable(DriverError(code, message))
  }

  // MARK: Members

  /// Asks one endpoint after the other until one answers.
  private func readMembers() async throws(TalosFailure) -> [ClusterMember] {
    var failures: [TalosFailure] = []
    for endpoint in context.endpoints {
      do throws(TalosFailure) {
        let members = try await driver.retrying(for: .seconds(1)) { () throws(TalosFailure) in
          try await TalosConnection.with(endpoint, tls, timeout: driver.settings.callTimeout) {
            rpc throws(TalosFailure) in
            let client = TalosClient(rpc: rpc, node: nil, timeout: driver.settings.callTimeout)
            _ = try supported(try await client.version(), endpoint.host)
            return try await client.members()
          }
        }
        guard !members.isEmpty else {
          throw unusable(
            .refused, "\(endpoint.host) knows no members: cluster discovery has to be enabled")
        }
        return members
      } catch {
        switch error {
        case .unreachable, .rejected, .untrusted: failures.append(error)
        case .status, .unusable: throw error
        }
      }
    }
    // A certificate that is refused says more than an endpoint that is down.
    let failure = failures.first { if case .unreachable = $0 { false } else { true } }
    throw failure
      ?? .unreachable(
        "no endpoint of the talosconfig answers: " + failures.map(\.message).joined(separator: "; ")
      )
  }

  private func supported(_ tag: String, _ host: String) throws(TalosFailure) -> TalosVersion {
    guard let version = TalosVersion(tag: tag) else {
      throw unusable(
        .unsupportedVersion, "\(host) runs Talos \(PeerText.clean(tag)), which is no version")
    }
    guard version.isSupported else {
      throw unusable(
        .unsupportedVersion,
        "\(host) runs Talos \(version); rotating CAs needs \(TalosVersion.oldestSupported) or later: "
          + "upgrade it first")
    }
    return version
  }

  /// Finds the address at which a member answers, and reads its configuration. Tries again for a
  /// moment: the apid that passes the call on goes on answering for a machine that has just come up as
  /// it did while that was down, until its pause between two attempts to connect is over.
  private func find(
    _ member: ClusterMember, relays: [Machine]
  ) async throws(TalosFailure) -> Found {
    do throws(TalosFailure) {
      return try await driver.retrying(for: .seconds(1)) { () throws(TalosFailure) in
        try await findOnce(member, relays: relays)
      }
    } catch {
      if case .unusable = error { throw error }
      if error.isPermissionDenied { throw error }
      throw unusable(
        error.driverError.code,
        "\(member.name) has to be up for the import, but: \(error.message)")
    }
  }

  private func findOnce(
    _ member: ClusterMember, relays: [Machine]
  ) async throws(TalosFailure) -> Found {
    var failure = TalosFailure.unreachable("\(member.name) has no address")
    for address in preferred(member.addresses) {
      let machine = Machine(
        id: member.name, address: address, role: member.role, port: port(of: address))
      for relay in member.role == .controlPlane ? [machine] : relays {
        do throws(TalosFailure) {
          return try await driver.call(relay, for: machine, tls) { client throws(TalosFailure) in
            let version = try supported(try await client.version(), member.name)
            let config = try config(try await client.machineConfig(), of: member)
            guard config.role == member.role else {
              throw unusable(
                .conflict,
                "\(member.name) is a \(config.role.rawValue) by its configuration, but discovery "
                  + "takes it for a \(member.role.rawValue)")
            }
            return Found(machine: machine, version: version, config: config)
          }
        } catch {
          failure = error
          if case .unusable = error { throw error }
          if error.isPermissionDenied { throw error }
        }
      }
    }
    throw failure
  }

  private func config(
    _ bytes: [UInt8], of member: ClusterMember
  ) throws(TalosFailure) -> MachineConfig {
    do throws(DriverError) {
      return try MachineConfig(bytes)
    } catch {
      throw unusable(error.code, "\(member.name): \(error.message)")
    }
  }

  /// Addresses that the talosconfig names first: those surely can be reached from here.
  private func preferred(_ addresses: [String]) -> [String] {
    let named = Set(context.endpoints.map(\.host))
    return addresses.filter(named.contains) + addresses.filter { !named.contains($0) }
  }

  /// apid listens on the same port everywhere; a talosconfig that names another than the usual means
  /// it for all.
  private func port(of address: String) -> Int {
    context.endpoints.first { $0.host == address }?.port ?? context.endpoints[0].port
  }

  // MARK: Authorities

  /// The one authority that every machine issues from and accepts, and no other.
  private func agreed(
    _ component: SecretComponent, _ found: [Found]
  ) throws(TalosFailure) -> Certificate {
    var trusts: [(name: String, trust: ConfiguredTrust)] = []
    for one in found {
      do throws(DriverError) {
        trusts.append((one.machine.id, try one.config.trust(component)))
      } catch {
        throw unusable(error.code, "\(one.machine.id): \(error.message)")
      }
    }
    guard let certificate = trusts.lazy.compactMap(\.trust.issuing).first else {
      throw unusable(.invalidConfig, "no control plane has the \(component.rawValue)")
    }
    let odd = trusts.filter { one in
      one.trust.accepted != [certificate] || (one.trust.issuing ?? certificate) != certificate
    }
    guard odd.isEmpty else {
      let description = trusts.prefix(8).map { one in
        let issuing = one.trust.issuing.map { String($0.fingerprint.prefix(12)) } ?? "nothing"
        let accepted = one.trust.accepted.map { String($0.fingerprint.prefix(12)) }.sorted()
        return "\(one.name) issues from \(issuing) and accepts \(accepted.joined(separator: ", "))"
      }
      throw unusable(
        .conflict,
        "the machines do not hold one \(component.rawValue) and nothing else, as after a rotation "
          + "that was left half done. Finish or undo it, or take further accepted CAs out, then "
          + "import again: " + description.joined(separator: "; "))
    }
    return certificate
  }

  /// Takes an authority with its key from a control plane, and seals it.
  private func readAuthority(
    _ component: SecretComponent, _ certificate: Certificate, _ plane: Machine
  ) async throws(TalosFailure) -> SealedAuthority {
    let pair = try await driver.call(plane, for: plane, tls) { client throws(TalosFailure) in
      switch component {
      case .talosCA: try await client.talosAuthority()
      case .kubernetesCA: try await client.kubernetesAuthority()
      }
    }
    guard pair.certificate == certificate else {
      throw unusable(
        .conflict,
        "\(plane.id) does not issue from the \(component.rawValue) of its configuration; "
          + "it may just be taking up a change: try again")
    }
    do {
      let key = try PrivateKey(pem: pair.keyPEM)
      guard key.matches(certificate) else {
        throw DriverError(.invalidConfig, "the key of the \(component.rawValue) is another's")
      }
      guard certificate.isCA, certificate.isSigned(by: certificate) else {
        throw DriverError(
          .invalidConfig,
          "the \(component.rawValue) is no self-signed CA, which Talos cannot rotate")
      }
      return try driver.keyring.seal(
        Authority(certificate: certificate, key: key),
        for: AuthorityBinding(cluster: name, component: component))
    } catch let error as DriverError {
      throw .unusable(error)
    } catch {
      throw unusable(.invalidConfig, "the key of the \(component.rawValue) cannot be read")
    }
  }
}
