import Orchestrator
import ProtoCodec
import Rotation
import Schema

/// A request that says which cluster it is about.
protocol ClusterRequest {
  /// Empty: it is about all clusters.
  var cluster: String { get }
  /// The cluster by which it is decided whether the caller may make the call.
  var admission: String { get }
  /// Whether the request is about the caller alone, and about no cluster.
  var isOfCaller: Bool { get }
  /// Whether the request takes an admin, whatever its method takes.
  var takesAdmin: Bool { get }
}

extension ClusterRequest {
  var admission: String { cluster }
  var isOfCaller: Bool { false }
  var takesAdmin: Bool { false }
}

extension ListRotationsRequest: ClusterRequest {}
extension GetRotationReportRequest: ClusterRequest {}
extension GetClusterRequest: ClusterRequest {}
extension CheckCredentialRequest: ClusterRequest {}
extension GetTrustBundleRequest: ClusterRequest {}

extension ListAccessRequest: ClusterRequest {
  var cluster: String { "" }
}

/// What the audit log tells of a request; nothing secret.
protocol AuditedRequest: ClusterRequest {
  /// What else was asked for; what was left empty is not told.
  var auditedFields: [(name: String, value: String)] { get }
  /// Whether the call is one to write down.
  var changesSomething: Bool { get }
}

extension AuditedRequest {
  var changesSomething: Bool { true }
}

/// What the audit log tells of an answer; nothing secret.
protocol AuditedResponse {
  var auditedOutcome: String { get }
}

/// How requests are told.
enum AuditText {
  /// `component=talos-ca reason="a laptop was lost"`.
  static func request(_ fields: [(name: String, value: String)]) -> String {
    fields.filter { !$0.value.isEmpty }.map { "\($0.name)=\(quoted($0.value))" }
      .joined(separator: " ")
  }

  /// The longest value of one field, in UTF-8 bytes: none may push the others out.
  private static let valueLimit = 512

  /// As it is where it is one plain word, else in quotation marks, where nothing ends them but the last.
  private static func quoted(_ value: String) -> String {
    let value = value.bounded(to: valueLimit)
    let isPlain = value.unicodeScalars.allSatisfy {
      $0.isASCII && $0.value > 0x20 && $0.value < 0x7F && $0 != "\"" && $0 != "\\" && $0 != "="
    }
    guard !isPlain else { return value }
    // Scalar by scalar, because a letter may hide a quotation mark that it stands on.
    var text = String.UnicodeScalarView()
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"", "\\":
        text.append("\\")
        text.append(scalar)
      case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
        text.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      default: text.append(scalar)
      }
    }
    return "\"" + String(text) + "\""
  }

  /// `serial 5e71 of CA 0badcafe, until 2026-11-29T12:00:00Z`: what a certificate is known by later.
  static func issued(_ serial: String, _ authority: String, _ expiry: Timestamp?) -> String {
    let until = expiry.map { ", until \(Instant(secondsSince1970: $0.seconds))" } ?? ""
    return "serial \(serial) of CA \(authority)\(until)"
  }

  static func flag(_ isSet: Bool) -> String { isSet ? "true" : "" }

  static func seconds(_ duration: ProtoDuration?) -> String {
    duration.map { "\($0.seconds)s" } ?? ""
  }
}

extension RotateSecretRequest: AuditedRequest {
  var changesSomething: Bool { !dryRun }

  var auditedFields: [(name: String, value: String)] {
    [
      ("component", component.auditName),
      ("remove_foreign", AuditText.flag(removeForeign)),
      ("allow_unready", AuditText.flag(allowUnready)),
      ("allow_unmanaged_nodes", AuditText.flag(allowUnmanagedNodes)),
      ("cause", Orchestrator.RotationCause(cause)?.rawValue ?? ""),
      ("owner_ack", AuditText.flag(ownerAck)),
      ("max_parallel_workers", maxParallelWorkers == 0 ? "" : "\(maxParallelWorkers)"),
      ("try_timeout", tryTimeout.map { "\($0.seconds)s" } ?? ""),
      ("soak", AuditText.seconds(soak)),
      ("soak_until_continued", AuditText.flag(soakUntilContinued)),
      ("leave_out", leaveOut.joined(separator: ",")),
      ("request_id", requestID), ("reason", reason),
    ]
  }
}

extension RotateSecretResponse: AuditedResponse {
  var auditedOutcome: String {
    "rotation \(status?.rotationID ?? "")"
      + (answeredAt != nil ? ", answered before" : attached ? ", attached" : ", started")
  }
}

extension AbortRotationRequest: AuditedRequest {
  var auditedFields: [(name: String, value: String)] {
    [("rotation_id", rotationID), ("leave_out", leaveOut.joined(separator: ","))]
  }
}

extension ContinueRotationRequest: AuditedRequest {
  var auditedFields: [(name: String, value: String)] { [("rotation_id", rotationID)] }
}

extension AdoptRotationRequest: AuditedRequest {
  /// With a talosconfig it is an import, if the cluster is not known.
  var takesAdmin: Bool { !talosconfig.isEmpty }
  var admission: String { takesAdmin ? "" : cluster }

  var changesSomething: Bool { !dryRun }

  var auditedFields: [(name: String, value: String)] {
    [
      ("component", component == .unspecified ? "" : component.auditName),
      ("roll_back", AuditText.flag(rollBack)), ("heal", AuditText.flag(heal)),
      ("remove_foreign", AuditText.flag(removeForeign)),
      ("allow_unmanaged_nodes", AuditText.flag(allowUnmanagedNodes)),
      ("owner_ack", AuditText.flag(ownerAck)),
      ("max_parallel_workers", maxParallelWorkers == 0 ? "" : "\(maxParallelWorkers)"),
      ("context", context), ("endpoints", endpoints.joined(separator: ",")),
      ("control_planes", controlPlanes.joined(separator: ",")),
      ("workers", workers.joined(separator: ",")),
      ("leave_out", leaveOut.joined(separator: ",")),
      ("talosconfig", talosconfig.isEmpty ? "" : "given"), ("reason", reason),
    ]
  }
}

extension AdoptRotationResponse: AuditedResponse {
  var auditedOutcome: String {
    let rotation = "rotation \(status?.rotationID ?? "")"
    if attached { return "\(rotation), attached" }
    guard !unfinished.isEmpty else { return "nothing was half done" }
    return "\(rotation), taken over, to be \(rollsBack ? "taken back" : "finished")"
  }
}

extension ImportClusterRequest: AuditedRequest {
  /// An import finds out whether the cluster is known under another name, so it is about all clusters.
  var admission: String { "" }

  var auditedFields: [(name: String, value: String)] {
    [
      ("context", context), ("endpoints", endpoints.joined(separator: ",")),
      ("control_planes", controlPlanes.joined(separator: ",")),
      ("workers", workers.joined(separator: ",")),
      ("leave_out", leaveOut.joined(separator: ",")),
    ]
  }
}

extension ForgetClusterRequest: AuditedRequest {
  var auditedFields: [(name: String, value: String)] { [("force", AuditText.flag(force))] }
}

extension LockClusterRequest: AuditedRequest {
  var auditedFields: [(name: String, value: String)] { [("reason", reason)] }
}

extension UnlockClusterRequest: AuditedRequest {
  var auditedFields: [(name: String, value: String)] { [] }
}

extension LockMachineRequest: AuditedRequest {
  var auditedFields: [(name: String, value: String)] { [("machine", machine), ("reason", reason)] }
}

extension UnlockMachineRequest: AuditedRequest {
  var auditedFields: [(name: String, value: String)] { [("machine", machine)] }
}

extension ClearClusterMarkRequest: AuditedRequest {
  var auditedFields: [(name: String, value: String)] { [("mark", mark)] }
}

extension TalosconfigRequest: AuditedRequest {
  var auditedFields: [(name: String, value: String)] {
    [
      ("roles", roles.joined(separator: ",")), ("ttl", AuditText.seconds(ttl)),
      ("break_glass", AuditText.flag(breakGlass)),
    ]
  }
}

extension TalosconfigResponse: AuditedResponse {
  var auditedOutcome: String { AuditText.issued(serial, caFingerprint, expiresAt) }
}

extension KubeconfigResponse: AuditedResponse {
  var auditedOutcome: String { AuditText.issued(serial, caFingerprint, expiresAt) }
}

extension KubeconfigRequest: AuditedRequest {
  var auditedFields: [(name: String, value: String)] {
    [("ttl", AuditText.seconds(ttl)), ("break_glass", AuditText.flag(breakGlass))]
  }
}

extension ExportRetiredCARequest: AuditedRequest {
  var auditedFields: [(name: String, value: String)] { [("rotation_id", rotationID)] }
}

extension ExportRetiredCAResponse: AuditedResponse {
  var auditedOutcome: String { "CA \(fingerprint) with its key" }
}

extension ExportSecretsRequest: AuditedRequest {
  var auditedFields: [(name: String, value: String)] { [] }
}

extension Schema.SecretComponent {
  fileprivate var auditName: String {
    switch self {
    case .talosCA: "talos-ca"
    case .kubernetesCA: "kubernetes-ca"
    default: "unspecified"
    }
  }
}
