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
    if let exchange = acceptResource(head, stream) { return exchange }
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

  /// The request of a page or the like; nil for all that the router answers itself.
  private func acceptResource(
    _ head: HTTPRequestHead, _ stream: any HTTPServerStream
  ) -> HTTPExchange? {
    guard let resources, routes.find(head.fields, head.pathField) == nil,
      head.fields.valueEquals(head.methodField, "GET")
        || head.fields.valueEquals(head.methodField, "HEAD")
    else { return nil }
    return HTTPExchange.begin(
      head, stream, resources, limit: 0, patience: RefusedRequest.patience)
  }

  static let unknownMethod =
    "There is no method of that name here. Methods are called with POST to "
    + "/package.Service/Method."

  private func acceptPost(
    _ head: HTTPRequestHead, _ facts: RequestFacts, _ stream: any HTTPServerStream
  ) -> (any HTTPRequestReceiver)? {
    guard let (callProtocol, isJSON) = CallProtocols.named(facts) else {
      return answer(
        head, stream, status: 415, HeaderFields(["accept-post": CallProtocols.contentTypes]),
        "This is a server of gRPC, gRPC-Web and Connect. It takes these content types: "
          + CallProtocols.contentTypes)
    }
    let found = routes.find(head.fields, head.pathField)
    let form: CallForm
    if facts.isPlainGRPC && facts.grpc.request == nil && facts.origin == nil {
      form = .plain
    } else {
      switch makeForm(callProtocol, isJSON, facts, head.fields) {
      case .success(let made): form = made
      case .failure(let refused):
        return refuse(
          head, stream, refused.form, refused.error, found?.tally ?? unknownTally)
      }
    }
    if let fault = facts.fault {
      return refuse(head, stream, form, fault, found?.tally ?? unknownTally)
    }
    guard let handler = found ?? (callProtocol.takesUnknownMethods ? fallback : nil) else {
      let path = head.fields.value(head.pathField)
      return refuse(
        head, stream, form,
        RPCError(.unimplemented, "no such method here: \(path.prefix(256))"), unknownTally,
        status: 404)
    }
    guard callProtocol.serves(handler.kind) else {
      let types = handler.kind == .unary ? Self.unaryTypes : Self.streamTypes
      return answer(
        head, stream, status: 415, HeaderFields(["accept-post": CallProtocols.contentTypes]),
        "This method is \(handler.kind == .unary ? "unary" : "streaming"): call it with Connect's "
          + "content types \(types), or with gRPC.")
    }
    let resolved = resolve(handler, form, facts.timeout)
    head.resolved = resolved
    return start(head, resolved, stream)
  }

  func resolve(
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

  private static let unaryTypes = "application/json or application/proto"
  private static let streamTypes = "application/connect+json or application/connect+proto"

  struct Refused: Error {
    var form: CallForm
    var error: RPCError
  }

  /// - Parameter isCacheable: caches have to know on which fields the answer depends.
  func makeForm(
    _ callProtocol: any CallProtocol, _ isJSON: Bool, _ facts: RequestFacts, _ fields: HeaderFields,
    isCacheable: Bool = false
  ) -> Result<CallForm, Refused> {
    let accepted = compressions.map(\.name).joined(separator: ",")
    let encodings = callProtocol.encodings(facts)
    var request: (any MessageCompression)?
    if let encoding = encodings.request {
      request = compressions.first { $0.name == encoding }
    }
    let response = callProtocol.responseCompression(
      request, encodings.accepted(fields), among: compressions)
    var headFields = facts.origin.flatMap { cors.fields(origin: $0) } ?? HeaderFields()
    if isCacheable && !compressions.isEmpty { headFields.append("vary", "accept-encoding") }
    let form = CallForm(
      callProtocol.family, isJSON: isJSON, contentType: callProtocol.answerType(isJSON: isJSON),
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

  private func start(
    _ head: HTTPRequestHead, _ resolved: ResolvedCall, _ stream: any HTTPServerStream
  ) -> (any HTTPRequestReceiver)? {
    if let admission, let error = admission(stream.peer, head) {
      return refuse(head, stream, resolved.form, error, resolved.tally)
    }
    if let bounds = resolved.bounds, !bounds.enter() {
      return refuse(
        head, stream, resolved.form, Self.tooMany(resolved.handler), resolved.tally)
    }
    let call = ServerCall(stream: stream, head: head, resolved: resolved)
    if resolved.kind.clientStreams { call.startHandler() }
    if head.isComplete { call.receivedEnd() }
    return call
  }

  static func tooMany(_ handler: any MethodHandler) -> RPCError {
    RPCError(.resourceExhausted, "too many calls of \(handler.path) are under way")
  }
}
