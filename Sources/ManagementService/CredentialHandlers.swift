import Orchestrator
import RPC
import Rotation
import Schema

extension ManagementHandlers {
  /// How long a credential is valid when its caller does not say.
  static let usualValidity = Duration.seconds(12 * 3600)

  func talosconfig(_ request: TalosconfigRequest) async throws(RPCError) -> TalosconfigResponse {
    var check = RequestValidation()
    check.cluster(request.cluster)
    check.roles(request.roles)
    let ttl = check.validity(request.ttl) ?? Self.usualValidity
    try check.passed()
    var response = TalosconfigResponse()
    response.expiresAt = expiry(ttl)
    response.talosconfig = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.talosconfig(
        cluster: request.cluster, roles: request.roles.isEmpty ? ["os:admin"] : request.roles,
        ttl: ttl)
    }
    return response
  }

  func kubeconfig(_ request: KubeconfigRequest) async throws(RPCError) -> KubeconfigResponse {
    var check = RequestValidation()
    check.cluster(request.cluster)
    let ttl = check.validity(request.ttl) ?? Self.usualValidity
    try check.passed()
    var response = KubeconfigResponse()
    response.expiresAt = expiry(ttl)
    response.kubeconfig = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.kubeconfig(cluster: request.cluster, ttl: ttl)
    }
    return response
  }

  /// Taken before the certificate is made, and whole seconds as certificates have them: never later
  /// than what the certificate says.
  private func expiry(_ ttl: Duration) -> Timestamp {
    Timestamp(seconds: clock.now().advanced(by: ttl).secondsSince1970)
  }
}
