import Access
import Orchestrator
import RPC

/// Who calls, and what the caller may know and do.
extension ManagementHandlers {
  /// Who calls.
  func caller(_ call: ServerCall) throws(RPCError) -> Caller {
    guard let caller = identify(call).caller else { throw .unidentified }
    return caller
  }

  /// Who calls, if the caller may know anything of the cluster. A refusal is written down.
  ///
  /// - Parameter cluster: empty for a call that is about all clusters.
  func admit(_ cluster: String, _ call: ServerCall) async throws(RPCError) -> Caller {
    call.record?.note(.cluster, cluster)
    let caller = try caller(call)
    if caller.mayUse(cluster: cluster) { return caller }
    throw await written(.outOfBounds, caller, cluster, call)
  }

  /// Why a request is refused to a caller whose role its method allows; nil when it is not.
  func refusal(
    _ request: some ClusterRequest, _ caller: Caller, _ call: ServerCall
  ) -> RPCError? {
    guard request.isOfCaller || caller.mayUse(cluster: request.admission) else {
      return .outOfBounds
    }
    guard !request.takesAdmin || caller.may(.admin) else {
      return .lacksRole(caller, method: MethodRoles.name(call.path), least: .admin)
    }
    return nil
  }

  /// The error, when it is in the audit log.
  func written(
    _ error: RPCError, _ caller: Caller, _ cluster: String, _ call: ServerCall
  ) async -> RPCError {
    await access.refusals.note(
      caller: caller.name, key: caller.name, method: MethodRoles.name(call.path), cluster: cluster,
      code: error.code.name, message: error.message)
    return error
  }

  /// Asks the orchestrator; its refusals become statuses.
  func asking<Answer>(
    _ question: () async throws(OrchestratorError) -> Answer
  ) async throws(RPCError) -> Answer {
    do throws(OrchestratorError) { return try await question() } catch { throw RPCError(error) }
  }
}
