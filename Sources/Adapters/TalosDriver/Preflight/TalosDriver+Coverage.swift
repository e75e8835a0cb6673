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
        findings.append(
          Finding(.notCovered, "", "the Kubernetes nodes cannot be listed: \(error.message)"))
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
