import Orchestrator
import RPC
import Rotation

/// What the log tells of a call beside what the call itself shows; nothing secret. Each is a field of the log.
public enum CallFact: String, Sendable, CaseIterable {
  /// The cluster that the request names.
  case cluster
  case machine
  /// The rotation that the call is about.
  case rotation
  case component
  /// Where that rotation is.
  case stage
  /// The index of the entry in the audit log that tells of the call's beginning.
  case audit
  /// What a credential is revoked by that lets callers in.
  case grant
  /// The serial number of the certificate that was issued.
  case serial
  /// The fingerprint of the CA that has issued it.
  case ca
  /// Who holds the credential.
  case holder
  /// What the credential is good for, with commas between.
  case roles
  /// For how many seconds.
  case ttl
  /// When it ends.
  case expires

  /// The fact that a field of the audit log is, as far as a request holds any.
  init?(requested field: String) {
    switch field {
    case "component": self = .component
    case "machine": self = .machine
    case "rotation_id": self = .rotation
    default: return nil
    }
  }
}

/// Whoever changes something: who that is, and by which call.
struct Requester {
  let name: String
  let record: CallRecord

  /// As the log has the call.
  var call: String { record.id }
}

extension CallRecord {
  /// An empty text is not noted.
  func note(_ fact: CallFact, _ text: String) {
    if !text.isEmpty { note(fact.rawValue, .text(text)) }
  }

  func note(_ fact: CallFact, _ number: Int64) { note(fact.rawValue, .number(number)) }

  /// What a request names.
  func note(_ request: some AuditedRequest) {
    note(.cluster, request.cluster)
    for (field, value) in request.auditedFields {
      if let fact = CallFact(requested: field) { note(fact, value) }
    }
  }

  /// The rotation that came of a call, or that it was about.
  func note(_ rotation: RotationSnapshot) {
    note(.rotation, rotation.rotationID)
    note(.component, rotation.component?.rawValue ?? "")
    note(.stage, rotation.phase?.name ?? "")
  }

  /// A credential that was issued: who may do what with it and for how long, not what it is.
  func note(credentialOf holder: String, roles: [String], from start: Instant, to end: Instant) {
    note(.holder, holder)
    note(.roles, roles.joined(separator: ","))
    note(.ttl, max(0, end.secondsSince1970 - start.secondsSince1970))
    note(.expires, "\(Instant(secondsSince1970: end.secondsSince1970))")
  }
}
