import Crypto
import Orchestrator
import Rotation

extension ClusterDiscovery {
  /// Who answers at the endpoints, and the members as the first of them knows them.
  struct Endpoints: Sendable {
    var members: [ClusterMember]
    var answers: [(endpoint: TalosEndpoint, answer: Result<String, TalosFailure>)]
  }

  /// One endpoint's answer.
  private struct Answer: Sendable {
    var identity: String
    var members: [ClusterMember]
  }

  /// Asks every endpoint who it is and whom it knows.
  func reachEndpoints() async throws(TalosFailure) -> Endpoints {
    let answers = await driver.concurrently(context.endpoints) { endpoint in
      await self.awaited.asking(endpoint.description) { await self.reach(endpoint) }
    }
    var failures: [(endpoint: TalosEndpoint, failure: TalosFailure)] = []
    var members: [ClusterMember]?
    for (endpoint, answer) in zip(context.endpoints, answers) {
      switch answer {
      case .success(let answer): members = members ?? answer.members
      case .failure(let failure):
        switch failure {
        case .unreachable, .rejected, .untrusted, .misdirected: failures.append((endpoint, failure))
        case .status, .unusable: throw failure
        }
      }
    }
    guard var members else { throw nobody(failures) }
    if let listing { members = try listed(listing) }
    let shown = zip(context.endpoints, answers).map { endpoint, answer in
      (endpoint: endpoint, answer: answer.map(\.identity))
    }
    return Endpoints(members: members, answers: shown)
  }

  private func reach(_ endpoint: TalosEndpoint) async -> Result<Answer, TalosFailure> {
    let settings = driver.settings
    do throws(TalosFailure) {
      return .success(
        try await driver.retrying(for: .seconds(1)) { () throws(TalosFailure) in
          try await withClients { tls throws(TalosFailure) in
            try await TalosConnection.with(endpoint, tls, timeout: settings.callTimeout) {
              rpc throws(TalosFailure) in
              try await ask(
                TalosClient(rpc: rpc, node: nil, timeout: settings.callTimeout), endpoint)
            }
          }
        })
    } catch { return .failure(error) }
  }

  private func ask(
    _ client: TalosClient, _ endpoint: TalosEndpoint
  ) async throws(TalosFailure) -> Answer {
    _ = try supported(try await client.version(), endpoint.host)
    guard let identity = try await client.identity() else {
      throw unusable(.refused, "\(endpoint) shows no node identity")
    }
    let members = try await client.members()
    guard !members.isEmpty || listing != nil else {
      throw unusable(
        .refused,
        "\(endpoint.host) knows no members, because cluster discovery is off: name all machines "
          + "(--control-planes and --workers)")
    }
    return Answer(identity: identity, members: members)
  }

  /// The machines of a list, each known by nothing but its address until it is asked.
  private func listed(_ listing: MachineListing) throws(TalosFailure) -> [ClusterMember] {
    var members: [ClusterMember] = []
    var seen: Set<String> = []
    for (texts, isControlPlane) in [(listing.controlPlanes, true), (listing.workers, false)] {
      for text in texts {
        guard let endpoint = TalosEndpoint(text) else {
          throw unusable(.invalidInput, "\(PeerText.clean(text)) is no address of a machine")
        }
        guard !text.hasSuffix(":\(endpoint.port)") || endpoint.port == port(of: endpoint.host)
        else {
          throw unusable(
            .invalidInput,
            "\(PeerText.clean(text)) names a port: all machines have that of the talosconfig's endpoints"
          )
        }
        guard seen.insert(endpoint.host).inserted else {
          throw unusable(.invalidInput, "\(endpoint.host) is named twice")
        }
        members.append(
          ClusterMember(
            name: endpoint.host, identity: "", isControlPlane: isControlPlane,
            addresses: [endpoint.host]))
      }
    }
    return members
  }

  /// Tries one client after the other, as long as it is trust that is missing.
  func withClients<Result: Sendable>(
    _ body: (TLSClient) async throws(TalosFailure) -> Result
  ) async throws(TalosFailure) -> Result {
    for tls in clients.dropLast() {
      do throws(TalosFailure) { return try await body(tls) } catch {
        guard error.isAboutTrust else { throw error }
      }
    }
    return try await body(clients[clients.count - 1])
  }

  private func nobody(
    _ failures: [(endpoint: TalosEndpoint, failure: TalosFailure)]
  ) -> TalosFailure {
    // A certificate that is refused says more than an endpoint that is down.
    guard let (endpoint, telling) = failures.first(where: { !$0.failure.isSilent }) else {
      let reasons = failures.prefix(4).map { "\($0.endpoint): \(Routes.plain($0.failure.message))" }
      let more = failures.count > 4 ? "; and \(failures.count - 4) more" : ""
      return .unreachable(
        "no endpoint of the talosconfig answers: " + reasons.joined(separator: "; ") + more)
    }
    return unusable(
      telling.driverError.code, words.text(of: endpoint.host, at: endpoint.host, telling))
  }

  /// The words for machines that were asked with the talosconfig.
  var words: FailureWords {
    let certificate = tls.identity.certificate
    return FailureWords(
      credentials: credentials, known: context.roots.map(\.fingerprint),
      valid: (
        Instant(secondsSince1970: certificate.notBefore),
        Instant(secondsSince1970: certificate.notAfter)
      ), now: Instant(secondsSince1970: driver.now()))
  }

  func supported(_ tag: String, _ host: String) throws(TalosFailure) -> TalosVersion {
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

  /// - Parameter settled: who is left out.
  /// - Returns: what has come of what was said of endpoints.
  /// - Throws: `.conflict` for what would be left out: a member that a control plane does not know or knows
  ///   beyond the others, an endpoint that none of the machines answers at.
  func requireCoverage(
    _ found: [Found], _ settled: Membership, _ answers: Endpoints
  ) async throws(TalosFailure) -> EndpointLook {
    let machines = found.map(\.machine)
    let planes = found.filter { $0.machine.role == .controlPlane }
    var findings = Coverage.findings(
      machines,
      seenBy: planes.map { Coverage.View(plane: $0.machine.id, members: $0.members) },
      isListed: listing != nil, excused: settled.excused)
    var look = EndpointLook()
    // Whoever names all machines leaves out those on record that are not among them: their endpoints are named.
    let expected = listing == nil ? known : []
    for (endpoint, answer) in answers.answers {
      look.add(
        await EndpointLook.of(
          endpoint, as: endpoint.description, answer, machines: machines,
          accounted: settled.gone + expected, leaving: leftOut, cluster: onRecord
        ) { await self.trace(of: [endpoint.machine], planes.map(\.machine)) })
      if case .failure = answer, settled.gone.contains(where: { $0.address == endpoint.host }) {
        look.gone.insert(endpoint.description)
      }
    }
    findings += look.findings
    guard let first = findings.first else { return look }
    let more = findings.count > 1 ? " (and \(findings.count - 1) more)" : ""
    throw unusable(.conflict, first.message + more)
  }

  /// The cluster whose record says where to ask; nil where a talosconfig does.
  private var onRecord: String? {
    if case .record(let name) = credentials { name } else { nil }
  }
}

extension ClusterRecord {
  /// Where the Talos API is dialled: the endpoints of the talosconfig, and the control planes.
  var reachableEndpoints: [TalosEndpoint] {
    var endpoints = endpoints.compactMap { TalosEndpoint($0) }
    for plane in controlPlanes {
      let endpoint = TalosEndpoint(host: plane.address, port: plane.port)
      if !endpoints.contains(endpoint) { endpoints.append(endpoint) }
    }
    return Array(endpoints.prefix(Talosconfig.endpointLimit))
  }
}
