import Orchestrator
import ProtoCodec
import RPC
import Rotation
import Schema

extension ManagementHandlers {
  func checkCredential(
    _ request: CheckCredentialRequest
  ) async throws(RPCError) -> CheckCredentialResponse {
    let check = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.check(certificate: request.certificate, cluster: request.cluster)
    }
    var response = CheckCredentialResponse()
    response.cluster = check.cluster
    response.component = Schema.SecretComponent(check.component)
    response.authority =
      switch check.authority {
      case .unknown: .unknown
      case .inUse: .inUse
      case .retired: .retired
      }
    response.caFingerprint = check.fingerprint
    response.subject = check.certificate.subject
    response.serial = check.certificate.serial
    response.notBefore = Timestamp(seconds: check.certificate.notBefore.secondsSince1970)
    response.notAfter = Timestamp(seconds: check.certificate.notAfter.secondsSince1970)
    response.inTime = check.isInTime
    response.acceptedBy = Int32(clamping: check.acceptedBy)
    response.machines = check.machines.map { seen in
      var machine = CredentialAcceptance()
      machine.machine = seen.machine.id
      machine.controlPlane = seen.machine.role == .controlPlane
      machine.state =
        switch seen.answer {
        case .accepted: .accepted
        case .refused: .refused
        case .unknown: .unknown
        }
      machine.detail = seen.detail
      return machine
    }
    return response
  }
}
