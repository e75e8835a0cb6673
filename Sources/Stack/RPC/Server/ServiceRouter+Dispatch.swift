/// What the head of a request says of the call, before the method is known.
private struct RequestFacts {
  var contentType = ""
  var timeout: Duration?
  /// Encodings of the request and those taken for the response, by the protocol whose fields name them:
  /// gRPC's, Connect's for streams, and HTTP's, which are Connect's for unary calls. An HTTP client, every
  /// browser among them, sends its own with whatever protocol it speaks.
  var grpc = Encodings()
  var connect = Encodings()
  var http = Encodings()
  var origin: String?
  var isPlainGRPC = false
  var fault: RPCError?

  struct Encodings {
    /// Nil for none.
    var request: String?
    /// Which field names those that are taken.
    var acceptedField: Int?

    func accepted(_ fields: HeaderFields) -> AcceptedEncodings? {
      acceptedField.map { AcceptedEncodings(fields.value($0)) }
    }
  }

  init(_ fields: HeaderFields) {
    for i in 0..<fields.count {
      // Told apart by length first: most fields of most calls are of no interest.
      switch fields.nameRange(i).count {
      case 12 where fields.nameEquals(i, "content-type"):
        isPlainGRPC =
          fields.valueEquals(i, "application/grpc")
          || fields.valueEquals(i, "application/grpc+proto")
        if !isPlainGRPC { contentType = fields.value(i).lowercased() }
      case 12 where fields.nameEquals(i, "grpc-timeout"):
        timeout = GRPCTimeout.parse(fields.bytes[fields.valueRange(i)])
        if timeout == nil { fault = RPCError(.internalError, "malformed grpc-timeout") }
      case 18 where fields.nameEquals(i, "connect-timeout-ms"):
        let text = fields.value(i)
        if let milliseconds = Int64(text), text.count <= 10, milliseconds >= 0 {
          timeout = .milliseconds(milliseconds)
        } else {
          fault = RPCError(.invalidArgument, "malformed connect-timeout-ms")
        }
      case 13 where fields.nameEquals(i, "grpc-encoding"):
        if !fields.valueEquals(i, "identity") { grpc.request = fields.value(i) }
      case 20 where fields.nameEquals(i, "grpc-accept-encoding"): grpc.acceptedField = i
      case 24 where fields.nameEquals(i, "connect-content-encoding"):
        if !fields.valueEquals(i, "identity") { connect.request = fields.value(i) }
      case 23 where fields.nameEquals(i, "connect-accept-encoding"):
        connect.acceptedField = i
      case 16 where fields.nameEquals(i, "content-encoding"):
        if !fields.valueEquals(i, "identity") { http.request = fields.value(i) }
      case 15 where fields.nameEquals(i, "accept-encoding"): http.acceptedField = i
      case 6 where fields.nameEquals(i, "origin"): origin = fields.value(i)
      default: break
      }
    }
  }

  func encodings(_ family: CallForm.Family) -> Encodings {
    switch family {
    case .grpc, .grpcWeb, .grpcWebText: grpc
    case .connectStreaming: connect
    case .connectUnary: http
    }
  }

  /// The protocol and format that the content type names; nil for any other.
  var family: (CallForm.Family, isJSON: Bool)? {
    if isPlainGRPC { return (.grpc, false) }
    let type = contentType.prefix { $0 != ";" }.filter { $0 != " " }
    switch type {
    case "application/grpc", "application/grpc+proto": return (.grpc, false)
    case "application/grpc+json": return (.grpc, true)
    case "application/grpc-web", "application/grpc-web+proto": return (.grpcWeb, false)
    case "application/grpc-web+json": return (.grpcWeb, true)
    case "application/grpc-web-text", "application/grpc-web-text+proto":
      return (.grpcWebText, false)
    case "application/grpc-web-text+json": return (.grpcWebText, true)
    case "application/proto": return (.connectUnary, false)
    case "application/json": return (.connectUnary, true)
    case "application/connect+proto": return (.connectStreaming, false)
    case "application/connect+json": return (.connectStreaming, true)
    default: return nil
    }
  }
}

extension HTTPRequestHead {
  /// The content type is one of a protocol with streams, whose clients may wait for an answer before
  /// they end their request.
  fileprivate var isOfRPC: Bool {
    for i in 0..<fields.count where fields.nameEquals(i, "content-type") {
      return fields.valueHasPrefix(i, "application/grpc")
        || fields.valueHasPrefix(i, "application/connect+")
    }
    return false
  }
}

extension ServiceRouter: HTTPService {
  public func accept(
    _ head: HTTPRequestHead, on stream: any HTTPServerStream
  ) -> (any HTTPRequestReceiver)? {
    if let resolved = head.resolved, resolved.edition === edition {
      return start(head, resolved, stream)
    }
    let facts = RequestFacts(head.fields)
    if head.fields.valueEquals(head.methodField, "POST") {
      return acceptPost(head, facts, stream)
    }
    if head.fields.valueEquals(head.methodField, "GET") {
      return acceptGet(head, facts, stream)
    }
    if head.fields.valueEquals(head.methodField, "OPTIONS"), let origin = facts.origin,
      let fields = cors.preflight(
        origin: origin, requestedHeaders: head.fields.first("access-control-request-headers"))
    {
      return answer(head, stream, status: 204, fields, "")
    }
    guard let handler = routes.find(head.fields, head.pathField) else {
      return answer(head, stream, status: 404, HeaderFields(), Self.unknownMethod)
    }
    return answer(
      head, stream, status: 405,
      HeaderFields(["allow": handler.answersGet ? "POST, GET" : "POST"]),
      "Methods are called with POST, or with GET where they have no side effects.")
  }

  private static let unknownMethod =
    "There is no method of that name here. Methods are called with POST to "
    + "/package.Service/Method."

  private func acceptPost(
    _ head: HTTPRequestHead, _ facts: RequestFacts, _ stream: any HTTPServerStream
  ) -> (any HTTPRequestReceiver)? {
    guard let (family, isJSON) = facts.family else {
      return answer(
        head, stream, status: 415, HeaderFields(["accept-post": Self.acceptedTypes]),
        "This is a server of gRPC, gRPC-Web and Connect. It takes these content types: "
          + Self.acceptedTypes)
    }
    let found = routes.find(head.fields, head.pathField)
    let form: CallForm
    if facts.isPlainGRPC && facts.grpc.request == nil && facts.origin == nil {
      form = .plain
    } else {
      switch makeForm(family, isJSON, facts, head.fields) {
      case .success(let made): form = made
      case .failure(let refused):
        return refuse(head, stream, refused.form, refused.error)
      }
    }
    if let fault = facts.fault { return refuse(head, stream, form, fault) }
    guard let handler = found ?? (family == .grpc ? fallback : nil) else {
      let path = head.fields.value(head.pathField)
      return refuse(
        head, stream, form,
        RPCError(.unimplemented, "no such method here: \(path.prefix(256))"), status: 404)
    }
    // Connect has one protocol for unary calls and one for all others.
    if family == .connectUnary && handler.kind != .unary
      || family == .connectStreaming && handler.kind == .unary
    {
      let types = handler.kind == .unary ? Self.unaryTypes : Self.streamTypes
      return answer(
        head, stream, status: 415, HeaderFields(["accept-post": Self.acceptedTypes]),
        "This method is \(handler.kind == .unary ? "unary" : "streaming"): call it with Connect's "
          + "content types \(types), or with gRPC.")
    }
    let resolved = resolve(handler, form, facts.timeout)
    head.resolved = resolved
    return start(head, resolved, stream)
  }

  private func resolve(
    _ handler: any MethodHandler, _ form: CallForm, _ timeout: Duration?
  ) -> ResolvedCall {
    var limits = limits
    let bounds = handler.bounds
    if let bytes = bounds?.limits.requestMessageBytes { limits.requestMessageBytes = bytes }
    return ResolvedCall(
      edition: edition, handler: handler.unlimited, form: form,
      timeout: bounds.map { $0.timeout(timeout) } ?? timeout, limits: limits,
      compressions: compressions, bounds: bounds)
  }

  private static let acceptedTypes =
    "application/grpc, application/grpc+proto, application/grpc+json, application/grpc-web, "
    + "application/grpc-web+json, application/grpc-web-text, application/proto, application/json, "
    + "application/connect+proto, application/connect+json"

  private static let unaryTypes = "application/json or application/proto"
  private static let streamTypes = "application/connect+json or application/connect+proto"

  /// Connect's GET, for methods without side effects.
  private func acceptGet(
    _ head: HTTPRequestHead, _ facts: RequestFacts, _ stream: any HTTPServerStream
  ) -> (any HTTPRequestReceiver)? {
    guard let handler = routes.find(head.fields, head.pathField) else {
      return answer(head, stream, status: 404, HeaderFields(), Self.unknownMethod)
    }
    guard handler.answersGet else {
      return answer(
        head, stream, status: 405, HeaderFields(["allow": "POST"]),
        "This method is called with POST: only unary methods without side effects answer GET.")
    }
    let path = head.path
    let query = path.firstIndex(of: "?").map { path[path.index(after: $0)...] } ?? ""
    guard let query = ConnectQuery(query) else {
      let form = CallForm(.connectUnary, isJSON: true, contentType: "application/json")
      return refuse(
        head, stream, form, RPCError(.invalidArgument, "the query is not a Connect request"))
    }
    var facts = facts
    facts.http.request = query.compression
    guard query.encoding == "json" || query.encoding == "proto" else {
      return answer(
        head, stream, status: 415, HeaderFields(), "The query's encoding is json or proto.")
    }
    switch makeForm(.connectUnary, query.encoding == "json", facts, head.fields, isCacheable: true)
    {
    case .failure(let refused): return refuse(head, stream, refused.form, refused.error)
    case .success(let form):
      if let fault = facts.fault { return refuse(head, stream, form, fault) }
      let resolved = resolve(handler, form, facts.timeout)
      if let bounds = resolved.bounds, !bounds.enter() {
        return refuse(head, stream, form, Self.tooMany(handler))
      }
      let call = ServerCall(stream: stream, head: head, resolved: resolved)
      if query.message.count > resolved.limits.requestMessageBytes {
        call.fail(RPCError(.resourceExhausted, "the request is larger than the limit"))
      } else {
        call.receivedWhole(query.message)
      }
      return call
    }
  }

  private struct Refused: Error {
    var form: CallForm
    var error: RPCError
  }

  /// - Parameter isCacheable: caches have to know on which fields the answer depends.
  private func makeForm(
    _ family: CallForm.Family, _ isJSON: Bool, _ facts: RequestFacts, _ fields: HeaderFields,
    isCacheable: Bool = false
  ) -> Result<CallForm, Refused> {
    let accepted = compressions.map(\.name).joined(separator: ",")
    let encodings = facts.encodings(family)
    var request: (any MessageCompression)?
    if let encoding = encodings.request {
      request = compressions.first { $0.name == encoding }
    }
    var response: (any MessageCompression)?
    switch family {
    case .grpc, .grpcWeb, .grpcWebText:
      // What the client sends it takes too, unless it says otherwise.
      response = request
      if let request, let accepted = encodings.accepted(fields), !accepted.contains(request.name) {
        response = nil
      }
    case .connectUnary, .connectStreaming:
      response = encodings.accepted(fields)?.preferred(among: compressions)
    }
    var headFields = facts.origin.flatMap { cors.fields(origin: $0) } ?? HeaderFields()
    if isCacheable && !compressions.isEmpty { headFields.append("vary", "accept-encoding") }
    let form = CallForm(
      family, isJSON: isJSON, contentType: Self.contentType(family, isJSON),
      requestCompression: request, responseCompression: response, acceptedEncodings: accepted,
      headFields: headFields)
    if let encoding = encodings.request, request == nil {
      return .failure(
        Refused(
          form: form,
          error: RPCError(
            .unimplemented,
            "encoding \(encoding.prefix(64)) is not supported; supported: \(accepted.isEmpty ? "identity" : accepted)"
          )))
    }
    return .success(form)
  }

  private static func contentType(_ family: CallForm.Family, _ isJSON: Bool) -> String {
    switch family {
    case .grpc: isJSON ? "application/grpc+json" : "application/grpc"
    case .grpcWeb: isJSON ? "application/grpc-web+json" : "application/grpc-web+proto"
    case .grpcWebText: isJSON ? "application/grpc-web-text+json" : "application/grpc-web-text+proto"
    case .connectUnary: isJSON ? "application/json" : "application/proto"
    case .connectStreaming: isJSON ? "application/connect+json" : "application/connect+proto"
    }
  }

  private func start(
    _ head: HTTPRequestHead, _ resolved: ResolvedCall, _ stream: any HTTPServerStream
  ) -> (any HTTPRequestReceiver)? {
    if let bounds = resolved.bounds, !bounds.enter() {
      return refuse(head, stream, resolved.form, Self.tooMany(resolved.handler))
    }
    let call = ServerCall(stream: stream, head: head, resolved: resolved)
    if resolved.kind.clientStreams { call.startHandler() }
    if head.isComplete { call.receivedEnd() }
    return call
  }

  private static func tooMany(_ handler: any MethodHandler) -> RPCError {
    RPCError(.resourceExhausted, "too many calls of \(handler.path) are under way")
  }

  /// Answers what is no RPC as a web server would, for the person who reads it.
  private func answer(
    _ head: HTTPRequestHead, _ stream: any HTTPServerStream, status: Int, _ extra: HeaderFields,
    _ text: String
  ) -> (any HTTPRequestReceiver)? {
    var fields = HeaderFields([":status": String(status)])
    for i in 0..<extra.count { fields.append(extra.name(i), extra.value(i)) }
    var body = Array(text.utf8)
    if !body.isEmpty {
      body.append(UInt8(ascii: "\n"))
      fields.append("content-type", "text/plain; charset=utf-8")
      fields.append("content-length", String(body.count))
      if head.fields.valueEquals(head.methodField, "HEAD") { body = [] }
    }
    if !head.isComplete && !head.isOfRPC {
      return RefusedRequest(stream, head: fields, body: body)
    }
    stream.respond(.fields(fields), body: body, trailers: .none)
    return nil
  }

  /// - Parameter status: the HTTP status for Connect's unary protocol, where it is not the code's.
  private func refuse(
    _ request: HTTPRequestHead, _ stream: any HTTPServerStream, _ form: CallForm, _ error: RPCError,
    status: Int? = nil
  ) -> (any HTTPRequestReceiver)? {
    let (head, body, trailers) = form.refusal(error, Metadata(), Metadata())
    guard form.family == .connectUnary, case .fields(var fields) = head else {
      stream.respond(head, body: body, trailers: trailers)
      return nil
    }
    if let status {
      var replaced = HeaderFields([":status": String(status)])
      for i in 1..<fields.count { replaced.append(fields.name(i), fields.value(i)) }
      fields = replaced
    }
    if request.isComplete {
      stream.respond(.fields(fields), body: body, trailers: .none)
      return nil
    }
    return RefusedRequest(stream, head: fields, body: body)
  }
}
