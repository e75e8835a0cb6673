import Orchestrator
import ProtoCodec
import RPC
import Rotation
import Schema

extension ManagementHandlers {
  func importCluster(
    _ request: ImportClusterRequest
  ) async throws(RPCError) -> ImportClusterResponse {
    var check = RequestValidation()
    check.cluster(request.cluster)
    check.talosconfig(request.talosconfig)
    check.text(request.context, "context", limit: RequestValidation.contextLimit)
    check.endpoints(request.endpoints)
    try check.passed()
    let found = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.importCluster(
        name: request.cluster, talosconfig: request.talosconfig, context: request.context,
        endpoints: request.endpoints)
    }
    var response = ImportClusterResponse()
    var cluster = try await describe(found.record)
    cluster.warnings += found.warnings
    response.cluster = cluster
    return response
  }

  func getCluster(_ request: GetClusterRequest) async throws(RPCError) -> GetClusterResponse {
    var check = RequestValidation()
    check.cluster(request.cluster)
    try check.passed()
    let record = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.cluster(request.cluster)
    }
    var response = GetClusterResponse()
    response.cluster = try await describe(record)
    return response
  }

  func listClusters(_ request: ListClustersRequest) async throws(RPCError) -> ListClustersResponse {
    var check = RequestValidation()
    check.pageSize(request.pageSize)
    let last = check.clusterPageToken(request.pageToken)
    try check.passed()
    let records = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.clusters()
    }
    .filter { record in last.map { record.name > $0 } ?? true }
    var response = ListClustersResponse()
    var bytes = 0
    for record in records {
      let full = response.clusters.count >= PageLimits.size(request.pageSize)
      if full || bytes > PageLimits.bytes {
        response.nextPageToken = ClusterPageToken.text(after: response.clusters.last?.name ?? "")
        break
      }
      do throws(RPCError) {
        let cluster = try await describe(record)
        bytes += cluster.serializedCount
        response.clusters.append(cluster)
      } catch {
        // Forgotten since the list was made.
        if error.code != .notFound { throw error }
      }
    }
    return response
  }

  func forgetCluster(
    _ request: ForgetClusterRequest
  ) async throws(RPCError) -> ForgetClusterResponse {
    var check = RequestValidation()
    check.cluster(request.cluster)
    try check.passed()
    var response = ForgetClusterResponse()
    response.lost = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.forgetCluster(request.cluster, force: request.force)
    }
    return response
  }

  /// The record, with the rotation as it stands.
  private func describe(_ record: ClusterRecord) async throws(RPCError) -> Cluster {
    var cluster = Cluster(record)
    cluster.authorities = await orchestrator.authorities(record).map {
      CertificateAuthority($0, $1, $2)
    }
    cluster.warnings = await orchestrator.warnings(record)
    cluster.rotation = RotationStatus(
      try await asking { () async throws(OrchestratorError) in
        try await orchestrator.status(cluster: record.name)
      })
    return cluster
  }
}
