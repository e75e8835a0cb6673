internal import HTTP2
internal import RPC

/// The answer to a request that reaches no service, in the protocol of the request.
enum EarlyAnswer {
  /// The header block is larger than the limit, in bytes by RFC 9113 section 6.5.2.
  case headTooLarge(limit: Int)
  /// The client's certificate has expired while the connection was open.
  case expired

  private var text: String {
    switch self {
    case .headTooLarge(let limit):
      "the request's header block is larger than the limit of \(limit) bytes: send less metadata"
    case .expired: "the client's certificate has expired: connect again with a new one"
    }
  }

  private var code: StatusCode {
    switch self {
    case .headTooLarge: .resourceExhausted
    case .expired: .unauthenticated
    }
  }

  private var httpStatus: String {
    switch self {
    case .headTooLarge: "431"
    case .expired: "401"
    }
  }

  /// gRPC gets its status in the one header block of a response that has nothing else (Trailers-Only);
  /// everything else an HTTP status with Connect's error, which a person can read too.
  func response(to kind: RequestKind) -> (head: HeaderFields, body: [UInt8]) {
    switch kind {
    case .grpc, .grpcWeb:
      let type = kind == .grpc ? "application/grpc" : "application/grpc-web+proto"
      var fields = HeaderFields([":status": "200", "content-type": type])
      fields.append("grpc-status", String(code.rawValue))
      fields.append("grpc-message", text)
      return (fields, [])
    case .other:
      let body = Array(ConnectJSON.error(RPCError(code, text)).utf8)
      var fields = HeaderFields([":status": httpStatus, "content-type": "application/json"])
      fields.append("content-length", String(body.count))
      return (fields, body)
    }
  }
}

extension RequestKind {
  /// What the request's `content-type` says.
  static func of(_ fields: HeaderFields) -> RequestKind {
    let type = fields.first("content-type") ?? ""
    if type.hasPrefix("application/grpc-web") { return .grpcWeb }
    return type.hasPrefix("application/grpc") ? .grpc : .other
  }
}
