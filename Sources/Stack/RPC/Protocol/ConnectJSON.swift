internal import Encodings

/// Errors and ends of streams as Connect writes them, in JSON (connectrpc.com/docs/protocol).
package enum ConnectJSON {
  package static func httpStatus(_ code: StatusCode) -> Int {
    switch code {
    case .ok: 200
    case .cancelled: 499
    case .unknown, .internalError, .dataLoss: 500
    case .invalidArgument, .failedPrecondition, .outOfRange: 400
    case .deadlineExceeded: 504
    case .notFound: 404
    case .alreadyExists, .aborted: 409
    case .permissionDenied: 403
    case .resourceExhausted: 429
    case .unimplemented: 501
    case .unavailable: 503
    case .unauthenticated: 401
    }
  }

  /// Connect's name of a code: lower case, and American for `cancelled`.
  package static func name(_ code: StatusCode) -> String {
    code == .cancelled ? "canceled" : code.name.lowercased()
  }

  package static func code(named name: String) -> StatusCode? {
    if name == "canceled" { return .cancelled }
    return StatusCode.allCases.first { $0 != .ok && $0.name.lowercased() == name }
  }

  package static func error(_ error: RPCError) -> String {
    var text = "{\"code\":\(JSONText.quoted(name(error.code)))"
    if !error.message.isEmpty { text += ",\"message\":\(JSONText.quoted(error.message))" }
    if !error.details.isEmpty {
      let details = error.details.map { detail in
        let type = detail.typeURL.split(separator: "/").last.map(String.init) ?? detail.typeURL
        let value = Base64.encode(detail.value, padded: false)
        return "{\"type\":\(JSONText.quoted(type)),\"value\":\"\(value)\"}"
      }
      text += ",\"details\":[\(details.joined(separator: ","))]"
    }
    return text + "}"
  }

  package static func endOfStream(_ error: RPCError?, _ metadata: Metadata) -> String {
    var members: [String] = []
    if let error { members.append("\"error\":\(Self.error(error))") }
    var fields = HeaderFields()
    metadata.append(to: &fields)
    if fields.count > 0 {
      var values: [(String, [String])] = []
      for i in 0..<fields.count {
        let name = fields.name(i)
        if let known = values.firstIndex(where: { $0.0 == name }) {
          values[known].1.append(fields.value(i))
        } else {
          values.append((name, [fields.value(i)]))
        }
      }
      let list = values.map { name, all in
        "\(JSONText.quoted(name)):[\(all.map(JSONText.quoted).joined(separator: ","))]"
      }
      members.append("\"metadata\":{\(list.joined(separator: ","))}")
    }
    return "{\(members.joined(separator: ","))}"
  }
}
