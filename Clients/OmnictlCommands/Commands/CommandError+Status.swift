internal import ProtoCodec
internal import RPC
internal import Schema

extension CommandError {
  /// What the server's status says, with what its details add, and what can be done about it.
  init(_ error: RPCError, session: Session) {
    let findings = error.details.flatMap { Self.findings($0, cluster: session.cluster) }
    var hint = RefusalAdvice(findings.map(\.type), session).text
    if hint.isEmpty { hint = Self.hint(error, session) }
    self.init(
      ExitCode(error.code), Self.message(error, findings), hint: hint, status: error.code.name,
      findings: findings)
  }

  /// The status' message, with what it does not say itself of the details. Several findings are not
  /// said in it, because each gets a line of its own.
  private static func message(_ error: RPCError, _ findings: [Finding]) -> String {
    let message = error.message.isEmpty ? error.code.name : error.message
    if findings.count > 1 {
      let isSaid = findings.contains { message.contains($0.description) }
      return isSaid ? "refused for \(findings.count) reasons" : message
    }
    var parts = [message]
    let sentences = error.details.flatMap(sentences) + findings.map { ("", $0.description) }
    for (field, sentence) in sentences
    where !sentence.isEmpty && !parts.contains(where: { $0.contains(sentence) }) {
      parts.append(field.isEmpty || sentence.hasPrefix(field) ? sentence : "\(field): \(sentence)")
    }
    return parts.joined(separator: "; ")
  }

  /// What a `google.rpc` detail says to people, each sentence with the field it is about.
  private static func sentences(_ detail: StatusDetail) -> [(field: String, text: String)] {
    switch detail.messageName {
    case GoogleRPC.BadRequest.protoName:
      let detail = try? GoogleRPC.BadRequest(serialized: detail.value)
      return detail?.fieldViolations.map { ($0.field, $0.description) } ?? []
    case GoogleRPC.ResourceInfo.protoName:
      let detail = try? GoogleRPC.ResourceInfo(serialized: detail.value)
      return detail.map { [("", $0.description)] } ?? []
    default: return []
    }
  }

  /// The preconditions that a `google.rpc` detail names.
  private static func findings(_ detail: StatusDetail, cluster: String) -> [Finding] {
    guard detail.messageName == GoogleRPC.PreconditionFailure.protoName,
      let failure = try? GoogleRPC.PreconditionFailure(serialized: detail.value)
    else { return [] }
    return failure.violations.map { violation in
      let name = violation.subject.split(separator: "/").last.map(String.init)
      return Finding(
        type: violation.type, subject: violation.subject, machine: name == cluster ? nil : name,
        description: violation.description)
    }
  }

  /// What to do next, where the server's message need not say it.
  private static func hint(_ error: RPCError, _ session: Session) -> String {
    let ofCluster = "cluster -n \(session.cluster)"
    return switch error.code {
    case .notFound where error.serverReason == "GRANT_NOT_FOUND":
      "what there is: \(session.line("access list"))"
    case .notFound where error.serverReason == "MACHINE_NOT_FOUND":
      "known machines: \(session.line("\(ofCluster) machine list"))"
    case .notFound where error.serverReason == "ROTATION_NOT_FOUND":
      "known rotations: \(session.line("\(ofCluster) secret rotate history"))"
    case .notFound: "known clusters: \(session.line("cluster list"))"
    case .alreadyExists: "known clusters: \(session.line("cluster list"))"
    case .invalidArgument: "see '\(Help.name(session.invocation.path)) --help'"
    case .unimplemented: "this omnid is older than this omnictl: use ones of the same version"
    case .unavailable, .aborted, .cancelled: "try again"
    case .unauthenticated where session.target.context != nil:
      "what context '\(session.target.context ?? "")' holds has expired or is revoked: an admin of the server issues anew "
        + "('omnictl access issue')"
    case .unknown, .internalError, .dataLoss: "the log of omnid says more"
    default: ""
    }
  }
}

extension RPCError {
  /// The `reason` that omnid gives in `google.rpc.ErrorInfo`; nil when the error is not omnid's own.
  var serverReason: String? {
    for detail in details where detail.messageName == GoogleRPC.ErrorInfo.protoName {
      if let info = try? GoogleRPC.ErrorInfo(serialized: detail.value) { return info.reason }
    }
    return nil
  }

  /// The message without the address that it begins with.
  func reason(without address: String) -> String {
    let text = message.isEmpty ? code.name : message
    let prefix = "\(address): "
    return text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
  }
}

extension StatusDetail {
  /// The full name of the message it holds.
  fileprivate var messageName: String {
    typeURL.split(separator: "/").last.map(String.init) ?? ""
  }
}

extension ExitCode {
  /// How a call that ended so ends the command; `unavailable` only when the server itself said it.
  init(_ code: StatusCode) {
    self =
      switch code {
      case .ok: .done
      case .invalidArgument, .outOfRange: .wrongUsage
      case .failedPrecondition, .alreadyExists: .refused
      case .notFound: .notFound
      case .permissionDenied, .unauthenticated: .noAccess
      case .cancelled, .unknown, .resourceExhausted, .aborted, .unimplemented, .internalError,
        .unavailable, .dataLoss, .deadlineExceeded:
        .failed
      }
  }
}
