import Orchestrator
import Rotation

extension ClusterSurvey {
  /// Whether machines on record that were not found are gone: discovery forgets whoever is switched off, too. Not where a
  /// person has just named all machines.
  func compareRecord(
    _ surveyed: inout SurveyedCluster, _ settled: inout Membership,
    _ discovery: ClusterDiscovery, _ answers: ClusterDiscovery.Endpoints
  ) async {
    guard request.listing == nil, let known = request.known else { return }
    let (found, gone) = (surveyed.record.machines, settled.gone)
    var missing = known.machines.filter { machine in
      !(found + gone).contains {
        $0.identity == machine.identity || (machine.identity.isEmpty && $0.id == machine.id)
      }
    }
    // The Kubernetes node of a name is the machine's that bears the name now: the one before was set up anew.
    let replaced =
      known.authorities[.kubernetesCA] == nil
      ? [] : missing.filter { one in found.contains { $0.id == one.id } }
    surveyed.warnings += replaced.map {
      "\($0.id) was set up anew since (its node id was \($0.identity))"
    }
    missing.removeAll(where: replaced.contains)
    let planes = found.filter { $0.role == .controlPlane }
    let named = missing.filter(request.leftOut.contains)
    let signs = await driver.concurrently(named, limit: TalosDriver.tracesAtOnce) {
      await discovery.trace(of: [$0], planes)
    }
    for (machine, sign) in zip(named, signs) {
      _ = settled.settle(machine, foundAt: sign, request.leftOut)
    }
    surveyed.findings += settled.present
    let record = surveyed.record
    let others = missing.filter { !request.leftOut.contains($0) }
    let absences = await driver.concurrently(others) { [driver] machine -> Finding? in
      var access = ClusterAccess(cluster: record)
      access.cluster.machines.append(machine)
      return await driver.absence(of: machine, access)
    }
    surveyed.findings += absences.compactMap(\.self)
    settled.gone += zip(others, absences).filter { $0.1 == nil }.map(\.0)
    // Nobody could say later which machine such an endpoint is.
    let left = Set(settled.gone.map(\.address))
    for case (let endpoint, .failure) in answers.answers where left.contains(endpoint.host) {
      surveyed.record.drop(endpoints: [endpoint.description])
    }
  }
}
