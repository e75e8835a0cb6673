import Crypto
import Orchestrator
import ProtoCodec
import Rotation

extension TalosDriver {
  /// The check of a gate before and after POST_ROTATE: whether anything has come to light that was not rotated.
  ///
  /// - Returns: beside it, what it has found, and what discovery says of the machines' addresses, by node identity.
  func coverageChecks(
    _ change: TrustChange, _ access: ClusterAccess
  ) async -> (check: CheckResult, uncovered: [Finding], addresses: [String: [String]]) {
    let views = await concurrently(access.cluster.controlPlanes) { plane in
      do throws(TalosFailure) {
        let members = try await self.withReading(plane, access, within: .zero) {
          client async throws(TalosFailure) in try await client.members()
        }
        return (plane, Result<_, TalosFailure>.success(members))
      } catch { return (plane, .failure(error)) }
    }
    let members = views.flatMap { (try? $0.1.get()) ?? [] }
    let (check, uncovered) = await coverage(change, access, views)
    return (check, uncovered, ClusterMember.addresses(members))
  }

  private func coverage(
    _ change: TrustChange, _ access: ClusterAccess,
    _ views: [(Machine, Result<[ClusterMember], TalosFailure>)]
  ) async -> (CheckResult, [Finding]) {
    let machines = access.cluster.machines
    var seen: [Coverage.View] = []
    var findings: [Finding] = []
    for (plane, members) in views {
      switch members {
      case .success(let members):
        seen.append(Coverage.View(plane: plane.id, members: members))
      case .failure(let error):
        findings.append(Finding(.unreachable, plane.id, words(access).text(plane, error)))
      }
    }
    var membership = Membership()
    await settle(seen, beyond: machines, change.options.leftOut, access, in: &membership)
    findings += membership.present
    findings += Coverage.findings(
      machines, seenBy: seen, isListed: access.cluster.isListed, excused: membership.excused)
    findings += await endpointFindings(machines, access)
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
    return (CheckResult.coverage(open) ?? CheckResult(.coverage, .passed, compared), open)
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
