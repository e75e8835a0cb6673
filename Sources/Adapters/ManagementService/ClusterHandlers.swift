import Access
import Orchestrator
import ProtoCodec
import RPC
import Rotation
import Schema

extension ManagementHandlers {
  func importCluster(
    _ request: ImportClusterRequest
  ) async throws(RPCError) -> ImportClusterResponse {
    let found = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.importCluster(
        name: request.cluster, talosconfig: request.talosconfig, context: request.context,
        endpoints: request.endpoints,
        listing: MachineListing(request.controlPlanes, request.workers),
        leftOut: LeftOutMachines(Set(request.leaveOut)))
    }
    var response = ImportClusterResponse()
    var cluster = try await describe(found.record)
    cluster.warnings += found.warnings
    response.cluster = cluster
    return response
  }

  func getCluster(_ request: GetClusterRequest) async throws(RPCError) -> GetClusterResponse {
    let record = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.cluster(request.cluster)
    }
    var response = GetClusterResponse()
    response.cluster = try await describe(record)
    return response
  }

  func listClusters(
    _ request: ListClustersRequest, of caller: Caller
  ) async throws(RPCError) -> ListClustersResponse {
    let page = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.clusters(
        pageSize: Int(request.pageSize), pageToken: request.pageToken, among: caller.clusters)
    }
    var response = ListClustersResponse()
    response.nextPageToken = page.nextPageToken
    var bytes = 0
    for record in page.clusters {
      if bytes > Self.pageBytes {
        response.nextPageToken = ClusterPage.token(after: response.clusters.last?.name ?? "")
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
    var response = ForgetClusterResponse()
    response.lost = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.forgetCluster(request.cluster, force: request.force)
    }
    return response
  }

  func lockCluster(
    _ request: LockClusterRequest, requester: Requester
  ) async throws(RPCError) -> LockClusterResponse {
    var response = LockClusterResponse()
    response.cluster = try await describe(
      try await asking { () async throws(OrchestratorError) in
        try await orchestrator.lock(
          cluster: request.cluster, reason: request.reason, requester: requester.name,
          call: requester.call)
      })
    noteHeldRotation(of: request.cluster, requester)
    return response
  }

  func unlockCluster(
    _ request: UnlockClusterRequest, requester: Requester
  ) async throws(RPCError) -> UnlockClusterResponse {
    var response = UnlockClusterResponse()
    response.cluster = try await describe(
      try await asking { () async throws(OrchestratorError) in
        try await orchestrator.unlock(
          cluster: request.cluster, call: requester.call)
      })
    noteHeldRotation(of: request.cluster, requester)
    return response
  }

  func lockMachine(
    _ request: LockMachineRequest, requester: Requester
  ) async throws(RPCError) -> LockMachineResponse {
    var response = LockMachineResponse()
    response.cluster = try await describe(
      try await asking { () async throws(OrchestratorError) in
        try await orchestrator.lock(
          cluster: request.cluster, machine: request.machine, reason: request.reason,
          requester: requester.name, call: requester.call)
      })
    noteHeldRotation(of: request.cluster, requester)
    return response
  }

  func unlockMachine(
    _ request: UnlockMachineRequest, requester: Requester
  ) async throws(RPCError) -> UnlockMachineResponse {
    var response = UnlockMachineResponse()
    response.cluster = try await describe(
      try await asking { () async throws(OrchestratorError) in
        try await orchestrator.unlock(
          cluster: request.cluster, machine: request.machine, call: requester.call)
      })
    noteHeldRotation(of: request.cluster, requester)
    return response
  }

  func clearClusterMark(
    _ request: ClearClusterMarkRequest
  ) async throws(RPCError) -> ClearClusterMarkResponse {
    var response = ClearClusterMarkResponse()
    response.cluster = try await describe(
      try await asking { () async throws(OrchestratorError) in
        try await orchestrator.clearMark(request.mark, of: request.cluster)
      })
    return response
  }

  /// The rotation under way is what a lock is about, too.
  private func noteHeldRotation(of cluster: String, _ requester: Requester) {
    guard let rotation = orchestrator.current(cluster: cluster)?.snapshot, !rotation.isIdle else {
      return
    }
    requester.record.note(rotation)
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
        try await orchestrator.status(of: record)
      })
    return cluster
  }
}
