/// What is sent when a call ends.
///
/// Pure: the call's form, its metadata and what the client takes in; heads, bytes and trailers out. A status is
/// sent without what is beside its code rather than not at all.
struct CallEnding {
  let form: CallForm
  var initial = Metadata()
  var trailing = Metadata()
  /// The largest header block that the client takes, in bytes by RFC 9113 section 6.5.2.
  var headLimit = Int.max

  enum Answer {
    /// The whole response at once.
    case whole(ResponseHead, body: [UInt8], trailers: ResponseTrailers)
    /// What is missing of a response: its head when that was not sent, pieces of the body, the trailers.
    case rest(head: ResponseHead?, pieces: [[UInt8]], trailers: ResponseTrailers)
  }

  /// - Parameters:
  ///   - message: the one message that answers the call, as `CallForm.encode` made it; nil for a stream.
  ///   - headIsSent: the response has begun.
  func succeeded(_ message: [UInt8]?, headIsSent: Bool) -> Answer {
    if let message, form.family == .connectUnary {
      // One byte of the encoding tells whether it was compressed: `encode` keeps it in front.
      let isCompressed = message.first == Envelope.compressedFlag
      return .whole(
        form.unaryHead(initial, trailing, isCompressed: isCompressed),
        body: Array(message.dropFirst()), trailers: .none)
    }
    if let message, form.isPlain, !headIsSent {
      let trailers = form.end(nil, trailing).trailers
      if trailers.listBytes <= headLimit {
        return .whole(form.head(initial), body: message, trailers: trailers)
      }
      return refusal(brief(nil), Metadata(), Metadata())
    }
    return rest(nil, after: message.map { [$0] } ?? [], headIsSent: headIsSent)
  }

  func failed(_ error: RPCError, headIsSent: Bool) -> Answer {
    if headIsSent { return rest(error, after: [], headIsSent: true) }
    let answer = refusal(error, initial, trailing)
    if case .whole(let head, _, let trailers) = answer,
      head.listBytes > headLimit || trailers.listBytes > headLimit
    {
      return refusal(brief(error), Metadata(), Metadata())
    }
    return answer
  }

  private func refusal(_ error: RPCError, _ initial: Metadata, _ trailing: Metadata) -> Answer {
    let (head, body, trailers) = form.refusal(error, initial, trailing)
    return .whole(head, body: body, trailers: trailers)
  }

  private func rest(_ error: RPCError?, after pieces: [[UInt8]], headIsSent: Bool) -> Answer {
    var (body, trailers) = form.end(error, trailing)
    if trailers.listBytes > headLimit { (body, trailers) = form.end(brief(error), Metadata()) }
    return .rest(
      head: headIsSent ? nil : form.head(initial), pieces: body.isEmpty ? pieces : pieces + [body],
      trailers: trailers)
  }

  /// A status that fits into a header block whatever the client takes: its code counts for more than what
  /// is beside it.
  private func brief(_ error: RPCError?) -> RPCError {
    guard let error else {
      return RPCError(
        .resourceExhausted,
        "the answer's metadata is larger than the \(headLimit) bytes that the client takes")
    }
    return RPCError(
      error.code, String(decoding: error.message.utf8.prefix(256), as: UTF8.self) + "…")
  }
}
