/// Connect's protocol for unary calls: the body is the message, the status is HTTP's.
struct ConnectUnaryProtocol: CallProtocol {
  let family = CallForm.Family.connectUnary
  let contentTypes = [
    (name: "application/proto", isJSON: false), (name: "application/json", isJSON: true),
  ]

  func answerType(isJSON: Bool) -> String { isJSON ? "application/json" : "application/proto" }
  func serves(_ kind: MethodKind) -> Bool { kind == .unary }
  func encodings(_ facts: RequestFacts) -> RequestFacts.Encodings { facts.http }

  func responseCompression(
    _ request: (any MessageCompression)?, _ accepted: AcceptedEncodings?,
    among compressions: [any MessageCompression]
  ) -> (any MessageCompression)? {
    accepted?.preferred(among: compressions)
  }
}

/// Connect's protocol for all other calls: envelopes, the last of which is the end of the stream.
struct ConnectStreamingProtocol: CallProtocol {
  let family = CallForm.Family.connectStreaming
  let contentTypes = [
    (name: "application/connect+proto", isJSON: false),
    (name: "application/connect+json", isJSON: true),
  ]

  func answerType(isJSON: Bool) -> String {
    isJSON ? "application/connect+json" : "application/connect+proto"
  }
  func serves(_ kind: MethodKind) -> Bool { kind != .unary }
  func encodings(_ facts: RequestFacts) -> RequestFacts.Encodings { facts.connect }

  func responseCompression(
    _ request: (any MessageCompression)?, _ accepted: AcceptedEncodings?,
    among compressions: [any MessageCompression]
  ) -> (any MessageCompression)? {
    accepted?.preferred(among: compressions)
  }
}

extension ServiceRouter {
  /// Connect's GET, for methods without side effects.
  func acceptGet(
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
        head, stream, form, RPCError(.invalidArgument, "the query is not a Connect request"),
        handler.tally)
    }
    var facts = facts
    facts.http.request = query.compression
    guard query.encoding == "json" || query.encoding == "proto" else {
      return answer(
        head, stream, status: 415, HeaderFields(), "The query's encoding is json or proto.")
    }
    switch makeForm(
      CallProtocols.connectUnary, query.encoding == "json", facts, head.fields, isCacheable: true
    ) {
    case .failure(let refused):
      return refuse(head, stream, refused.form, refused.error, handler.tally)
    case .success(let form):
      if let fault = facts.fault { return refuse(head, stream, form, fault, handler.tally) }
      if let admission, let error = admission(stream.peer, head) {
        return refuse(head, stream, form, error, handler.tally)
      }
      let resolved = resolve(handler, form, facts.timeout)
      if let bounds = resolved.bounds, !bounds.enter() {
        return refuse(head, stream, form, Self.tooMany(handler), handler.tally)
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
}
