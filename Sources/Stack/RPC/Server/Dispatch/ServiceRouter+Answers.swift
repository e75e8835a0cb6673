/// Answers that are given without a call.
extension ServiceRouter {
  /// Answers what is no RPC as a web server would, for the person who reads it.
  func answer(
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

  /// - Parameters:
  ///   - tally: of the method that was asked for, or of what is no method.
  ///   - status: the HTTP status for Connect's unary protocol, where it is not the code's.
  func refuse(
    _ request: HTTPRequestHead, _ stream: any HTTPServerStream, _ form: CallForm, _ error: RPCError,
    _ tally: CallTally, status: Int? = nil
  ) -> (any HTTPRequestReceiver)? {
    tally.refused(error.code)
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
