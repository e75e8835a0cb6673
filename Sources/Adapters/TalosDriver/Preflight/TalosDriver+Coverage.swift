import Crypto
import Orchestrator
import ProtoCodec
import Rotation

extension TalosDriver {
  /// Whether somebody answers at an endpoint of the talosconfig who is none of the machines. A control plane's own
  /// address is left out: whoever calls this looks at the machine too, and the look fails where another one answers.
  ///
  /// - Parameter silentCounts: whether an endpoint that nobody answers at, and that is no machine's address, is a
  ///   finding. Before a start it is; at the last gate it would be waited for without end.
  func endpointFindings(
    _ machines: [Machine], _ access: ClusterAccess, silentCounts: Bool,
    leftOut: LeftOutMachines = LeftOutMachines()
  ) async -> [Finding] {
    let gone = access.cluster.machines.filter(leftOut.contains).map(\.address)
    let endpoints = access.cluster.endpoints.compactMap { TalosEndpoint($0) }.filter { endpoint in
      !machines.contains {
        $0.role == .controlPlane && !$0.identity.isEmpty && $0.address == endpoint.host
          && $0.port == endpoint.port
      }
    }
    return await concurrently(endpoints) { endpoint -> Finding? in
      let answer = await self.identity(at: endpoint, access)
      if case .failure = answer, !silentCounts || gone.contains(endpoint.host) { return nil }
      return EndpointAnswer.finding(endpoint, answer, machines: machines)
    }.compactMap { $0 }
  }

  /// The node identity of the machine that answers at an endpoint, which its certificate need not name: what a machine
  /// says of itself there only ever adds to what is looked at.
  private func identity(
    at endpoint: TalosEndpoint, _ access: ClusterAccess
  ) async -> Result<String, TalosFailure> {
    do throws(TalosFailure) {
      var failure = TalosFailure.unreachable("not asked")
      for tls in try tlsClients(access) {
        do throws(TalosFailure) { return .success(try await identity(at: endpoint, as: tls)) } catch
        {
          failure = error
        }
        guard failure.isWrongName else { continue }
        do throws(TalosFailure) {
          return .success(try await identity(at: endpoint, as: tls.withoutName))
        } catch { failure = error }
      }
      return .failure(failure)
    } catch { return .failure(error) }
  }

  private func identity(
    at endpoint: TalosEndpoint, as tls: TLSClient
  ) async throws(TalosFailure) -> String {
    try await TalosConnection.with(endpoint, tls, timeout: settings.callTimeout) {
      rpc throws(TalosFailure) in
      try await TalosClient(rpc: rpc, node: nil, timeout: self.settings.callTimeout).identity()
        ?? ""
    }
  }

  /// The check of a gate before and after POST_ROTATE: whether anything has come to light that was not rotated.
  ///
  /// - Returns: beside it, what discovery says of the machines' addresses, by node identity.
  func coverageChecks(
    _ change: TrustChange, _ access: ClusterAccess
  ) async -> (check: CheckResult, addresses: [String: [String]]) {
    let views = await concurrently(access.cluster.controlPlanes) { plane in
      do throws(TalosFailure) {
        let members = try await self.withReading(plane, access, within: .zero) {
          client async throws(TalosFailure) in try await client.members()
        }
        return (plane, Result<_, TalosFailure>.success(members))
      } catch { return (plane, .failure(error)) }
    }
    let members = views.flatMap { (try? $0.1.get()) ?? [] }
    return (await coverage(change, access, views), ClusterMember.addresses(members))
  }

  private func coverage(
    _ change: TrustChange, _ access: ClusterAccess,
    _ views: [(Machine, Result<[ClusterMember], TalosFailure>)]
  ) async -> CheckResult {
    let machines = access.cluster.machines
    var seen: [Coverage.View] = []
    var findings: [Finding] = []
    for (plane, members) in views {
      switch members {
      case .success(let members):
        seen.append(
          Coverage.View(
            plane: plane.id,
            members: Dictionary(
              members.map { ($0.identity, $0.name) }, uniquingKeysWith: { first, _ in first })))
      case .failure(let error):
        findings.append(Finding(.unreachable, plane.id, words(access).text(plane, error)))
      }
    }
    findings += Coverage.findings(
      machines, seenBy: seen, isListed: access.cluster.isListed, leftOut: change.options.leftOut)
    findings += await endpointFindings(machines, access, silentCounts: false)
    var compared = "no machine and no node has been left out"
    if access.cluster.authorities[.kubernetesCA] != nil {
      switch await nodes(access) {
      case .success(let nodes):
        noteRecovered(Coverage.unreadyNodes, change, access)
        findings += Coverage.nodes(nodes, of: machines).unmanaged.map(Coverage.unmanaged)
      case .failure(let error) where mayMissNodes(change, access):
        compared =
          "no machine has been left out by discovery; the Kubernetes nodes, which could not be listed before the "
          + "rotation, cannot be listed now and are not compared: \(error.message)"
      case .failure(let error):
        switch await expiredKubernetes(change, access) {
        case .passed(let reason)?:
          compared =
            "no machine has been left out by discovery; the Kubernetes nodes are not compared, because \(reason)"
        case .open(let reason)?: findings.append(Finding(.notCovered, "", reason))
        case nil:
          findings.append(Finding(.notCovered, "", unlisted(error, change, access)))
        }
      }
    }
    let open = findings.filter { !change.options.allows($0.kind) }
    guard let first = open.first else {
      return CheckResult(.coverage, .passed, compared)
    }
    let more = open.count > 1 ? " (and \(open.count - 1) more)" : ""
    return CheckResult(.coverage, .failed, first.message + more)
  }

  /// Whether the rotation was begun although no API server listed the nodes, and none has since. Never one of the
  /// Kubernetes CA.
  func mayMissNodes(_ change: TrustChange, _ access: ClusterAccess) -> Bool {
    change.component == .talosCA && isExcusable(Coverage.unreadyNodes, change, access)
  }

  /// What a Kubernetes CA that has expired means to the comparison with the nodes.
  enum ExpiredKubernetes {
    /// Nobody can be asked any more, and why.
    case passed(String)
    /// Somebody may be asked yet, and what has to be done for it.
    case open(String)
  }

  /// Nil where the Kubernetes CA has not expired by this host's clock, and in rotations that cannot do without the nodes.
  ///
  /// This host's clock may be ahead, so each control plane has to be past the end too. Nor has it expired for the machines
  /// where another tool has given them another one.
  func expiredKubernetes(
    _ change: TrustChange, _ access: ClusterAccess
  ) async -> ExpiredKubernetes? {
    guard change.component == .talosCA,
      let authority = access.cluster.authorities[.kubernetesCA], keyring.hasExpired(authority),
      let end = describe(authority)?.notAfter
    else { return nil }
    let answers = await concurrently(access.cluster.controlPlanes) { plane in
      await self.unasked(.coverage, authority, by: plane, access)
    }.compactMap(\.self)
    if let open = answers.first(where: { !$0.isSettled }) { return .open(open.detail) }
    if case .outdated(.kubernetesCA, let reason) = await standing(access) { return .open(reason) }
    return .passed(
      "the kubernetes-ca \(authority.fingerprint.prefix(12)) has expired on \(end): API servers let nobody in by it"
    )
  }

  /// That the nodes cannot be listed, and what leads on where the API servers do not go by the record.
  func unlisted(
    _ error: DriverError, _ change: TrustChange, _ access: ClusterAccess
  ) -> String {
    guard change.component == .talosCA, error.code == .unauthenticated,
      let known = access.cluster.authorities[.kubernetesCA]
    else { return "the Kubernetes nodes cannot be listed: \(error.message)" }
    return
      "the Kubernetes nodes cannot be listed, because the API servers do not go by the kubernetes-ca on record "
      + "(\(known.fingerprint.prefix(12))): if another tool has rotated it, let that finish, then omnictl cluster -n "
      + "\(access.cluster.name) secret rotate adopt puts the new one on record, and this rotation goes on (\(error.message))"
  }

  /// The nodes of the cluster, by any API server that answers.
  func nodes(_ access: ClusterAccess) async -> Result<[KnownNode], DriverError> {
    do throws(DriverError) {
      return .success(
        try await withKubernetes(access) { client async throws(DriverError) in
          try await client.list("/api/v1/nodes").map(KnownNode.init)
        })
    } catch { return .failure(error) }
  }
}

/// What came of a call to an endpoint of the talosconfig.
enum EndpointAnswer {
  /// Nil if one of the machines answers there, or is known by that address and just does not answer.
  static func finding(
    _ endpoint: TalosEndpoint, _ answer: Result<String, TalosFailure>, machines: [Machine]
  ) -> Finding? {
    switch answer {
    case .success(let identity):
      guard !identity.isEmpty, !machines.contains(where: { $0.identity == identity }),
        !machines.contains(where: { $0.identity.isEmpty && $0.address == endpoint.host })
      else { return nil }
      return Finding(
        .notCovered, endpoint.description,
        "\(endpoint) of the talosconfig is answered by a machine (node id \(identity)) that is none of the "
          + "machines that would be rotated: it would be locked out")
    case .failure(let failure):
      guard !machines.contains(where: { $0.address == endpoint.host }) else { return nil }
      return Finding(
        .notCovered, endpoint.description,
        "nobody can say which machine \(endpoint) of the talosconfig is: \(failure.message); bring it up, or "
          + "import again with endpoints that answer (--endpoints)")
    }
  }
}
