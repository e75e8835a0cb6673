extension CallForm {
  /// The head of a response that has messages, or may have.
  func head(_ initial: Metadata) -> ResponseHead {
    if isPlain && initial.isEmpty { return .grpc }
    var fields = HeaderFields([":status": "200"])
    fields.append("content-type", contentType)
    appendEncodings(to: &fields)
    append(headFields, to: &fields)
    initial.append(to: &fields)
    return .fields(fields)
  }

  /// What ends a response that has begun: bytes of the body, trailers, or both.
  func end(_ error: RPCError?, _ trailing: Metadata) -> (body: [UInt8], trailers: ResponseTrailers)
  {
    switch family {
    case .grpc:
      if error == nil && trailing.isEmpty { return ([], .grpcOK) }
      return ([], .fields(Self.status(error, trailing)))
    case .grpcWeb, .grpcWebText:
      // The trailers are the last frame of the body, in HTTP/1's form.
      let fields = Self.status(error, trailing)
      var text = ""
      for i in 0..<fields.count { text += "\(fields.name(i)): \(fields.value(i))\r\n" }
      return (wrap(Array(text.utf8), flags: 0x80), .none)
    case .connectStreaming:
      var all = trailing
      if let error { all.append(contentsOf: error.metadata) }
      return (wrap(Array(ConnectJSON.endOfStream(error, all).utf8), flags: 0x02), .none)
    case .connectUnary:
      return ([], .none)
    }
  }

  /// The whole answer of a call that ends before anything of the response was sent.
  func refusal(
    _ error: RPCError, _ initial: Metadata, _ trailing: Metadata
  ) -> (head: ResponseHead, body: [UInt8], trailers: ResponseTrailers) {
    switch family {
    case .grpc:
      // Initial metadata needs a head of its own: a client takes all of Trailers-Only for trailers.
      if !initial.isEmpty { return (head(initial), [], end(error, trailing).trailers) }
      // Trailers-Only: the status stands in the one header block there is.
      var fields = HeaderFields([":status": "200"])
      fields.append("content-type", contentType)
      if requestCompression == nil { appendEncodings(to: &fields) }
      initial.append(to: &fields)
      WireStatus.append(error, trailing: trailing, to: &fields)
      return (.fields(fields), [], .none)
    case .grpcWeb, .grpcWebText, .connectStreaming:
      let (body, trailers) = end(error, trailing)
      return (head(initial), body, trailers)
    case .connectUnary:
      var fields = HeaderFields([":status": String(ConnectJSON.httpStatus(error.code))])
      fields.append("content-type", "application/json")
      append(headFields, to: &fields)
      initial.append(to: &fields)
      Self.appendTrailing(trailing, to: &fields)
      Self.appendTrailing(error.metadata, to: &fields)
      return (.fields(fields), Array(ConnectJSON.error(error).utf8), .none)
    }
  }

  /// The whole answer of a Connect unary call that succeeded.
  func unaryHead(_ initial: Metadata, _ trailing: Metadata, isCompressed: Bool) -> ResponseHead {
    var fields = HeaderFields([":status": "200"])
    fields.append("content-type", contentType)
    if isCompressed, let responseCompression {
      fields.append("content-encoding", responseCompression.name)
    }
    append(headFields, to: &fields)
    initial.append(to: &fields)
    Self.appendTrailing(trailing, to: &fields)
    return .fields(fields)
  }

  private func appendEncodings(to fields: inout HeaderFields) {
    switch family {
    case .grpc, .grpcWeb, .grpcWebText:
      if let responseCompression { fields.append("grpc-encoding", responseCompression.name) }
      if !acceptedEncodings.isEmpty { fields.append("grpc-accept-encoding", acceptedEncodings) }
    case .connectStreaming:
      if let responseCompression {
        fields.append("connect-content-encoding", responseCompression.name)
      }
      if !acceptedEncodings.isEmpty { fields.append("connect-accept-encoding", acceptedEncodings) }
    case .connectUnary:
      if !acceptedEncodings.isEmpty { fields.append("accept-encoding", acceptedEncodings) }
    }
  }

  private func append(_ extra: HeaderFields, to fields: inout HeaderFields) {
    for i in 0..<extra.count { fields.append(extra.name(i), extra.value(i)) }
  }

  private static func status(_ error: RPCError?, _ trailing: Metadata) -> HeaderFields {
    var fields = HeaderFields()
    WireStatus.append(error ?? RPCError(.ok, ""), trailing: trailing, to: &fields)
    return fields
  }

  /// Connect's unary protocol has no trailers: they are header fields with a prefix.
  private static func appendTrailing(_ trailing: Metadata, to fields: inout HeaderFields) {
    var plain = HeaderFields()
    trailing.append(to: &plain)
    for i in 0..<plain.count { fields.append("trailer-" + plain.name(i), plain.value(i)) }
  }
}
