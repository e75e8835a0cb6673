internal import ProtoCodec
internal import RPC
internal import Schema

extension CommandError {
  /// What the server's status says, with what its details add, and what can be done about it.
  init(_ error: RPCError, session: Session) {
    var parts = [error.message.isEmpty ? error.code.name : error.message]
    var hint = ""
    for detail in error.details {
      let told = Self.sentences(detail)
      for (field, sentence) in told.sentences
      where !sentence.isEmpty && !parts.contains(where: { $0.contains(sentence) }) {
        parts.append(
          field.isEmpty || sentence.hasPrefix(field) ? sentence : "\(field): \(sentence)")
      }
      if told.violations.contains("ROTATION_IN_PROGRESS") {
        hint = "follow it: \(session.line("cluster -n \(session.cluster) secret rotate status"))"
      }
      if told.violations.contains("TALOS_VERSION") { hint = "upgrade Talos first" }
    }
    if hint.isEmpty { hint = Self.hint(error.code, session) }
    self.init(ExitCode(error.code), parts.joined(separator: "; "), hint: hint)
  }

  /// What a `google.rpc` detail says to people, each sentence with the field it is about, and the
  /// types of the preconditions it names.
  private static func sentences(
    _ detail: StatusDetail
  ) -> (sentences: [(field: String, text: String)], violations: [String]) {
    switch detail.messageName {
    case GoogleRPC.BadRequest.protoName:
      guard let detail = try? GoogleRPC.BadRequest(serialized: detail.value) else { break }
      return (detail.fieldViolations.map { ($0.field, $0.description) }, [])
    case GoogleRPC.PreconditionFailure.protoName:
      guard let detail = try? GoogleRPC.PreconditionFailure(serialized: detail.value)
      else { break }
      return (detail.violations.map { ("", $0.description) }, detail.violations.map(\.type))
    case GoogleRPC.ResourceInfo.protoName:
      guard let detail = try? GoogleRPC.ResourceInfo(serialized: detail.value) else { break }
      return ([("", detail.description)], [])
    default: break
    }
    return ([], [])
  }

  /// What to do next, where the server's message need not say it.
  private static func hint(_ code: StatusCode, _ session: Session) -> String {
    switch code {
    case .notFound: "known clusters: \(session.line("cluster list"))"
    case .alreadyExists: "known clusters: \(session.line("cluster list"))"
    case .invalidArgument: "see '\(Help.name(session.invocation.path)) --help'"
    case .unimplemented: "this omnid is older than this omnictl: use ones of the same version"
    case .unavailable, .aborted, .cancelled: "try again"
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
