import Orchestrator
import RPC
import Rotation
import Schema

extension ManagementHandlers {
  func talosconfig(
    _ request: TalosconfigRequest, requester: Requester
  ) async throws(RPCError) -> TalosconfigResponse {
    let ttl = try validity(request.ttl, breakGlass: request.breakGlass)
    let roles = request.roles.isEmpty ? ["os:admin"] : request.roles
    let issued = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.talosconfig(
        cluster: request.cluster, requester: requester.name, roles: roles, ttl: ttl,
        breakGlass: request.breakGlass)
    }
    requester.note(issued, roles: roles)
    var response = TalosconfigResponse()
    response.talosconfig = issued.configuration
    response.expiresAt = expiry(issued)
    response.serial = issued.serial
    response.caFingerprint = issued.authority
    return response
  }

  func kubeconfig(
    _ request: KubeconfigRequest, requester: Requester
  ) async throws(RPCError) -> KubeconfigResponse {
    let ttl = try validity(request.ttl, breakGlass: request.breakGlass)
    let issued = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.kubeconfig(
        cluster: request.cluster, requester: requester.name, ttl: ttl,
        breakGlass: request.breakGlass)
    }
    requester.note(issued, roles: ["system:masters"])
    var response = KubeconfigResponse()
    response.kubeconfig = issued.configuration
    response.expiresAt = expiry(issued)
    response.serial = issued.serial
    response.caFingerprint = issued.authority
    return response
  }

  func exportSecrets(
    _ request: ExportSecretsRequest
  ) async throws(RPCError) -> ExportSecretsResponse {
    var response = ExportSecretsResponse()
    response.secretsBundle = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.secretsBundle(cluster: request.cluster)
    }
    return response
  }

  func exportRetiredCA(
    _ request: ExportRetiredCARequest
  ) async throws(RPCError) -> ExportRetiredCAResponse {
    let (authority, opened) = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.retiredAuthority(
        cluster: request.cluster, rotationID: request.rotationID)
    }
    var response = ExportRetiredCAResponse()
    response.fingerprint = authority.fingerprint
    response.certificate = opened.certificatePEM
    response.privateKey = opened.keyPEM
    return response
  }

  /// - Throws: INVALID_ARGUMENT when the message is no duration at all; whether it may be asked for, the orchestrator
  ///   says.
  private func validity(
    _ ttl: ProtoDuration?, breakGlass: Bool
  ) throws(RPCError) -> Duration {
    guard let ttl else {
      return breakGlass
        ? RotationOrchestrator.emergencyValidity : RotationOrchestrator.usualValidity
    }
    return try duration(ttl, "ttl")
  }

  /// - Throws: INVALID_ARGUMENT when the message is no duration at all.
  func duration(_ duration: ProtoDuration, _ field: String) throws(RPCError) -> Duration {
    guard duration.nanos.magnitude < 1_000_000_000,
      duration.nanos == 0 || duration.seconds == 0
        || (duration.nanos < 0) == (duration.seconds < 0)
    else {
      throw .badRequest([
        ArgumentViolation(
          field, "is not a valid duration: seconds and nanos must agree in sign")
      ])
    }
    return .seconds(duration.seconds) + .nanoseconds(duration.nanos)
  }

  /// Whole seconds, as certificates have them.
  private func expiry(_ issued: IssuedCredential) -> Timestamp {
    Timestamp(seconds: issued.expiresAt.secondsSince1970)
  }
}

extension Requester {
  /// A credential that was issued to the requester.
  fileprivate func note(_ issued: IssuedCredential, roles: [String]) {
    record.note(.serial, issued.serial)
    record.note(.ca, issued.authority)
    record.note(credentialOf: name, roles: roles, from: issued.issuedAt, to: issued.expiresAt)
  }
}
