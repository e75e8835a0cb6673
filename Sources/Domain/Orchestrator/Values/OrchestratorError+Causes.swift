import Rotation

extension OrchestratorError {
  static func unknown(_ cluster: String) -> OrchestratorError {
    OrchestratorError(
      .notFound,
      "no cluster named '\(cluster)': import it, or list the clusters to see their names",
      subject: cluster)
  }

  static func taken(_ cluster: String) -> OrchestratorError {
    OrchestratorError(
      .alreadyExists,
      "a cluster named '\(cluster)' has been imported already: choose another name, or forget it first",
      subject: cluster)
  }

  static func known(as twin: String, wanted name: String) -> OrchestratorError {
    OrchestratorError(
      .alreadyExists,
      "this cluster has been imported already, under the name '\(twin)': use that, or forget it first",
      subject: name)
  }

  /// What keeps a rotation of the cluster from being started.
  static func notReady(_ findings: [Finding], cluster: String) -> OrchestratorError {
    let first = findings.first?.message ?? ""
    let more = findings.count > 1 ? " (and \(findings.count - 1) more)" : ""
    return OrchestratorError(
      .notReady, "the rotation of '\(cluster)' cannot be started: \(first)\(more)",
      subject: cluster, findings: findings)
  }

  /// The record has no authority of the component.
  static func lacking(
    _ component: SecretComponent, in cluster: ClusterRecord
  ) -> OrchestratorError {
    guard !cluster.marks.unclearComponents.contains(component) else {
      return unclear(component, in: cluster.name)
    }
    return OrchestratorError(
      .clusterRefused,
      "'\(cluster.name)' has no \(component.rawValue): a cluster without Kubernetes was imported with the "
        + "Talos CA alone", subject: cluster.name)
  }

  /// A look at all machines has not told which authority of the component they are to have.
  static func unclear(_ component: SecretComponent, in cluster: String) -> OrchestratorError {
    OrchestratorError(
      .clusterRefused,
      "the \(component.rawValue) of '\(cluster)' could not be told apart when its machines were looked at last: omnictl "
        + "cluster -n \(cluster) secret rotate adopt --dry-run says why and what to do",
      subject: cluster)
  }

  /// A further request with an identifier of its own cannot attach to the rotation.
  static func tooManyRequests(_ cluster: String) -> OrchestratorError {
    OrchestratorError(
      .tooManyRequests,
      "\(RequestRecord.limit) requests with a request_id of their own have begun the rotation of '\(cluster)' or attached to "
        + "it, and no more are remembered: follow it (omnictl cluster -n \(cluster) secret rotate status), or ask without a "
        + "request_id", subject: cluster)
  }

  static func invalid(_ argument: String, _ problem: String) -> OrchestratorError {
    .invalid([ArgumentViolation(argument, problem)])
  }

  static func invalid(_ violations: [ArgumentViolation]) -> OrchestratorError {
    var error = OrchestratorError(
      .invalidArgument,
      violations.map { "\($0.argument) \($0.problem)" }.joined(separator: "; "),
      subject: violations.first?.argument ?? "")
    error.violations = violations
    return error
  }

  /// What a failed store means to whoever asked for something.
  init(_ error: StoreError, cluster: String = "") {
    switch error.code {
    case .unavailable:
      self.init(
        .journalUnavailable,
        "the journal cannot be used, so nothing is done to any machine: \(error.message)",
        subject: cluster)
    case .conflict:
      self.init(
        .journalConflict,
        "somebody else has written to the journal: let one server alone use it, and restart that "
          + "(\(error.message))", subject: cluster)
    case .exhausted:
      self.init(.tooManyRequests, error.message, subject: cluster)
    case .corrupt, .incompatible, .inUse:
      self.init(.journalDamaged, error.message, subject: cluster)
    }
  }

  /// What a failed driver means to whoever asked for something.
  init(_ error: DriverError, cluster: String) {
    let code: Code =
      switch error.code {
      case .unreachable: .clusterUnreachable
      case .refused, .invalidConfig, .conflict: .clusterRefused
      case .unauthenticated: .credentialsRefused
      case .clock: .clocksDisagree
      case .permissionDenied: .accessDenied
      case .unsupportedVersion: .unsupportedVersion
      case .invalidInput: .invalidArgument
      case .internalError: .internalError
      }
    self.init(code, error.message, subject: cluster)
  }
}
