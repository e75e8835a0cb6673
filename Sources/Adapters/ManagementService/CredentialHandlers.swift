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
    response.expiresAt = try await expiry(.talosCA, request.cluster, ttl)
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
    response.expiresAt = try await expiry(.kubernetesCA, request.cluster, ttl)
    response.kubeconfig = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.kubeconfig(cluster: request.cluster, ttl: ttl)
    }
    return response
  }

  /// Taken before the certificate is made, and whole seconds as certificates have them: never later
  /// than what the certificate says, which ends with its CA.
  private func expiry(
    _ component: Rotation.SecretComponent, _ cluster: String, _ ttl: Duration
  ) async throws(RPCError) -> Timestamp {
    let end = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.credentialExpiry(cluster: cluster, component: component, ttl: ttl)
    }
    return Timestamp(seconds: end.secondsSince1970)
  }
}
