import Access
import Orchestrator
import ProtoCodec
import RPC
import Rotation
import Schema

// The one place where the domain's errors become status codes with google.rpc details.

extension Finding.Kind {
  /// The type of its violation, as management.proto lists them.
  fileprivate var violation: String {
    switch self {
    case .unreachable: "MACHINE_UNREACHABLE"
    case .foreignAuthority: "FOREIGN_CA"
    case .expiredAuthority: "CA_EXPIRED"
    case .expiringAuthority: "CA_EXPIRES"
    case .clock: "CLOCK"
    case .unready: "UNREADY"
    case .pendingConfig: "CONFIG_PENDING"
    case .uneditableConfig: "CONFIG_UNEDITABLE"
    case .missingKey: "KEY_MISSING"
    case .notCovered: "NOT_COVERED"
    case .unmanagedNode: "UNMANAGED_NODE"
    case .rotatedElsewhere: "ROTATED_ELSEWHERE"
    case .unsupportedVersion: "TALOS_VERSION"
    case .ownedConfig: "CONFIG_OWNED"
    }
  }
}

extension RPCError {
  /// The `domain` of every `ErrorInfo`; the `reason` is one of those below.
  static let domain = "omni.management.v1"

  /// What a caller is told when the orchestrator refuses.
  init(_ error: OrchestratorError) {
    switch error.code {
    case .notFound:
      self.init(.notFound, error, "CLUSTER_NOT_FOUND")
    case .alreadyExists:
      self.init(.alreadyExists, error, "CLUSTER_EXISTS")
    case .anotherRotationInProgress, .rotationInProgress:
      self.init(precondition: "ROTATION_IN_PROGRESS", error)
    case .locked:
      self.init(precondition: "LOCKED", error)
    case .machineNotFound:
      self.init(.notFound, error, "MACHINE_NOT_FOUND")
    case .noRotation:
      self.init(precondition: "NO_ROTATION", error)
    case .rotationNotFound:
      self.init(.notFound, error, "ROTATION_NOT_FOUND")
    case .noReport:
      self.init(precondition: "NO_REPORT", error)
    case .notRetired:
      self.init(precondition: "NOT_RETIRED", error)
    case .markPending:
      self.init(precondition: "MARK_PENDING", error)
    case .notSoaking:
      self.init(precondition: "NOT_SOAKING", error)
    case .authorityRetired:
      self.init(precondition: "OLD_CA_RETIRED", error)
    case .notReady:
      self.init(findings: error)
    case .recordOutdated:
      self.init(precondition: "ROTATED_ELSEWHERE", error)
    case .unsupportedVersion:
      self.init(precondition: "TALOS_VERSION", error)
    case .clusterRefused:
      self.init(precondition: "CLUSTER_REFUSES", error)
    case .invalidArgument:
      self = .badRequest(
        error.violations.isEmpty
          ? [ArgumentViolation(error.subject, error.message)] : error.violations,
        message: error.message)
    case .tooManyRequests:
      self.init(.resourceExhausted, error, "TOO_MANY_REQUESTS")
    case .journalUnavailable:
      self.init(.unavailable, error, "JOURNAL_UNAVAILABLE", retryAfter: 5)
    case .journalConflict:
      self.init(.aborted, error, "JOURNAL_CONFLICT")
    case .journalDamaged:
      self.init(.dataLoss, error, "JOURNAL_DAMAGED")
    case .clusterUnreachable:
      self.init(.unavailable, error, "CLUSTER_UNREACHABLE", retryAfter: 5)
    case .credentialsRefused:
      // UNAUTHENTICATED and PERMISSION_DENIED are about the caller, and it is the machines that refuse.
      self.init(precondition: "CREDENTIALS_REFUSED", error)
    case .clocksDisagree:
      self.init(precondition: "CLOCK", error)
    case .accessDenied:
      self.init(precondition: "ACCESS_DENIED", error)
    case .shuttingDown:
      self.init(.unavailable, error, "SERVER_DRAINING", retryAfter: 1)
    case .internalError:
      self.init(.internalError, error, "INTERNAL")
    }
  }

  /// Nobody is known at the other end, for whatever reason: what was shown and is not good is told nobody.
  static let unidentified = RPCError(
    .unauthenticated,
    "the server does not know who calls: use its Unix socket, or TLS with a client certificate or a token that is "
      + "valid",
    details: [info("NO_IDENTITY")])

  static func lacksRole(_ caller: Caller, method: String, least: Role) -> RPCError {
    RPCError(
      .permissionDenied,
      "\(method) takes the role \(least.name), and you have \(caller.role.map { "the role \($0.name)" } ?? "none"): "
        + "ask an admin of this server for access",
      details: [info("ROLE_MISSING")])
  }

  /// The same for a code that is made up, was used, or is too old.
  static let badLink = RPCError(
    .unauthenticated,
    "the link does not work: it works once, within 60 seconds, on the server that has made it; "
      + "'omnictl dashboard' makes a new one",
    details: [info("LINK_REFUSED")])

  /// There is nowhere to open the dashboard at.
  static let noTLSListener = RPCError(
    precondition: "NO_TLS_LISTENER", subject: "",
    "the dashboard is served on TLS listeners, and this server has none: start omnid with --listen "
      + "tls:127.0.0.1:8443, besides the --listen that it has")

  /// The same whether there is such a cluster or not.
  static let outOfBounds = RPCError(
    .permissionDenied,
    "your access is bound to some clusters, and this call is not about one of them: name one of yours, or ask an "
      + "admin of this server for access",
    details: [info("CLUSTER_OUT_OF_BOUNDS")])

  /// What a caller is told when nothing is issued or revoked.
  init(_ error: AccessError) {
    switch error.code {
    case .invalidArgument: self = .badRequest(error.violations, message: error.message)
    case .notFound:
      self.init(.notFound, error.message, details: [Self.info("GRANT_NOT_FOUND")])
    case .foreignAuthority:
      self.init(precondition: "FOREIGN_CLIENT_CA", subject: "", error.message)
    case .sessionRefused:
      self.init(.permissionDenied, error.message, details: [Self.info("SESSION_REFUSED")])
    case .tooMany:
      self.init(.resourceExhausted, error.message, details: [Self.info("TOO_MANY_GRANTS")])
    case .storeUnavailable:
      self.init(.unavailable, error.message, details: [Self.info("JOURNAL_UNAVAILABLE")])
    case .storeDamaged:
      self.init(.dataLoss, error.message, details: [Self.info("JOURNAL_DAMAGED")])
    case .internalError:
      self.init(.internalError, error.message, details: [Self.info("INTERNAL")])
    }
  }

  /// A fault of the program itself.
  static let internalFault = RPCError(
    .internalError, "the server made a mistake: please report it", details: [info("INTERNAL")])

  /// What is wrong with the fields of a request.
  static func badRequest(
    _ violations: [ArgumentViolation], message: String? = nil
  ) -> RPCError {
    var detail = GoogleRPC.BadRequest()
    detail.fieldViolations = violations.map { violation in
      var field = GoogleRPC.BadRequest.FieldViolation()
      field.field = violation.argument
      field.description = violation.problem
      return field
    }
    return RPCError(
      .invalidArgument,
      message ?? violations.map { "\($0.argument) \($0.problem)" }.joined(separator: "; "),
      details: [StatusDetail(detail), info("INVALID_ARGUMENT")])
  }

  private init(
    _ code: StatusCode, _ error: OrchestratorError, _ reason: String, retryAfter seconds: Int64 = 0
  ) {
    var details = [Self.info(reason, about: error.subject)]
    if seconds > 0 {
      var retry = GoogleRPC.RetryInfo()
      retry.retryDelay = ProtoDuration(seconds: seconds)
      details.append(StatusDetail(retry))
    }
    self.init(code, error.message, details: details)
  }

  private init(precondition type: String, _ error: OrchestratorError) {
    self.init(precondition: type, subject: error.subject, error.message)
  }

  /// When the master key stays as it is.
  init(_ error: MasterKeyRefusal) {
    self.init(precondition: "MASTER_KEY", subject: "master-key", error.message)
  }

  private init(precondition type: String, subject: String, _ message: String) {
    var violation = GoogleRPC.PreconditionFailure.Violation()
    violation.type = type
    violation.subject = subject
    violation.description = message
    var failure = GoogleRPC.PreconditionFailure()
    failure.violations = [violation]
    self.init(
      .failedPrecondition, message,
      details: [StatusDetail(failure), Self.info(type, about: subject)])
  }

  /// One violation for each finding, as many as a status may hold; the type says what kind it is.
  private init(findings error: OrchestratorError) {
    var failure = GoogleRPC.PreconditionFailure()
    var bytes = 0
    for finding in error.findings {
      var violation = GoogleRPC.PreconditionFailure.Violation()
      violation.type = finding.kind.violation
      violation.subject = finding.subject.isEmpty ? error.subject : finding.subject
      violation.description = finding.message
      bytes += violation.serializedCount
      guard bytes <= Self.findingBytes else { break }
      failure.violations.append(violation)
    }
    self.init(
      .failedPrecondition, error.message,
      details: [StatusDetail(failure), Self.info("NOT_READY", about: error.subject)])
  }

  /// What the findings of a refusal may take of a status, which has to stay below 8 KiB in base64.
  private static let findingBytes = 4096

  private static func info(_ reason: String, about cluster: String = "") -> StatusDetail {
    var info = GoogleRPC.ErrorInfo()
    info.reason = reason
    info.domain = domain
    if !cluster.isEmpty { info.metadata = ["cluster": cluster] }
    return StatusDetail(info)
  }
}
